"""What tests of doubt share: time that passes, other people who write from the same number, the log as it is read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from multidict import MultiDict

from appliance.model import JobKind
from appliance.simulator import Fault
from tests.support.world import CUSTOMER, SMS, ManualClock, World

MINUTES = 60.0
GRACE = 3 * MINUTES
QUESTION, ANSWER = "Qual o horário?", "Abrimos das 7h às 19h."
DELIVERY = "Entregamos no centro."
NEIGHBOUR = "+5511977776666"
NOON = 1_800_025_200_000


async def pass_(world: World, seconds: float) -> None:
    """Time passes, and everything happens that falls due in it."""
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def write_by_hand(world: World, body: str, to: str = CUSTOMER) -> str:
    """Somebody writes from our number in Twilio's console; the sid."""
    entry = world.twilio.create(MultiDict({"From": SMS, "To": to, "Body": body}))
    await world.twilio.delivery.begin(entry)
    await world.twilio.settle()
    return entry.sid


async def states(world: World) -> list[str]:
    return await world.column("SELECT state FROM outbox ORDER BY id")


async def letters(world: World) -> list[str]:
    """What the dead letters are about, oldest first."""
    return await world.column("SELECT error FROM message_queue WHERE status = 'dead' ORDER BY id")


async def settle_doubt(world: World) -> None:
    """Look into Twilio's log now."""
    await world.appliance.engine.schedule.tick(JobKind.SETTLE)
    await pass_(world, 1)


def posts(world: World) -> list[str]:
    """Grows by the recipient of each POST that reaches the simulator."""
    made: list[str] = []
    take = world.twilio.faults.take

    def counted(on: str, *addresses: str):  # type: ignore[no-untyped-def]
        made.extend([addresses[1]] if on == "create" else [])
        return take(on, *addresses)

    world.twilio.faults.take = counted  # type: ignore[method-assign]  # it sees every request
    return made


@asynccontextmanager
async def unheard(directory: Path) -> AsyncIterator[World]:
    """A world at noon whose time is moved by hand, whose Twilio never calls back and whose log is read for doubts."""
    async with World(directory, clock=ManualClock(NOON), twilio={"catch_up_every": 0}) as world:
        await world.teach("Horário", ANSWER)
        await world.teach("Entrega", DELIVERY)
        world.twilio.faults.add(Fault("callback", "lost", times=None))
        yield world
