"""Days in a shop: time passes, hour after hour, and each hour is compared."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.model import HOUR, MINUTE, SECOND, JobKind
from appliance.store.statements import Statement
from tests.support.world import SMS, ManualClock, World

NOON = 1_800_025_200_000  # 12:00 in São Paulo
DAY = 24 * HOUR


@asynccontextmanager
async def shop(directory: Path, **options: Any) -> AsyncIterator[World]:
    """Some minutes after it was set up, at noon; time is moved by hand."""
    async with World(directory, clock=ManualClock(NOON), **options) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await pass_(world, 5 * MINUTE)
        yield world


async def talk(world: World, count: int = 2, **options: Any) -> list[str]:
    """Customers ask and are answered, one after the other; the sids."""
    sids = []
    for number in range(count):
        sid, _ = await world.twilio.receive(f"+551197777{number:04}", SMS, "Horário?", **options)
        sids.append(sid)
        await world.settle()
        await pass_(world, MINUTE)
    return sids


async def pass_(world: World, time: int) -> None:
    """So many ms, at whose end everything happens that fell due."""

    async def later() -> None: ...

    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(time / SECOND, later)
    await world.settle()


async def tick(world: World, *kinds: JobKind) -> None:
    for kind in kinds:
        await world.appliance.engine.schedule.tick(kind)
        await world.settle()


async def compared(world: World, after: int = 10 * MINUTE) -> None:
    """When what was said is old enough, catch-up and the statement run."""
    await pass_(world, after)
    await tick(world, JobKind.CATCH_UP, JobKind.STATEMENT)


async def hours(world: World, count: int) -> None:
    for _ in range(count):
        await compared(world, HOUR)


async def statements(world: World, organization_id: int = 1) -> list[Statement]:
    """The newest day first."""
    return await world.appliance.store.read(lambda tx: tx.statements.of(organization_id, "", "9"))


async def differences(world: World) -> list[dict[str, Any]]:
    return await world.rows("SELECT * FROM differences ORDER BY id")


async def kinds(world: World) -> list[str]:
    return [row["kind"] for row in await differences(world)]
