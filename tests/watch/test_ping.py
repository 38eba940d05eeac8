"""The ping comes every five minutes while all is well, and stops with anything that would keep a customer waiting."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Secret
from appliance.simulator import Fault
from tests.support.listener import PATH, Listener
from tests.support.world import CUSTOMER, SMS, ManualClock, World

NOON = 1_800_025_200_000
FIVE = 300.0
BUSY = Fault("create", "error", status=429, code=20429, retry_after=30, times=None)  # the link itself is well


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with Listener() as running:
        yield running


@pytest.fixture
async def world(tmp_path: Path, listener: Listener) -> AsyncIterator[World]:
    alerts: dict[str, Any] = {"ping_url": Secret(listener.url)}
    async with World(tmp_path, clock=ManualClock(NOON), alerts=alerts) as running:
        yield running


async def pass_(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def a_moment() -> None:
    """For where something goes on that does not end by itself."""
    await asyncio.sleep(0.05)


async def pings(world: World, listener: Listener, times: int = 3) -> int:
    """How many come in so many periods."""
    before = len(listener.heard)
    await pass_(world, times * FIVE)
    return len(listener.heard) - before


async def test_every_five_minutes_while_all_is_well(world: World, listener: Listener) -> None:
    """Asked for with GET, without a body; answering customers is well."""
    await world.say("Oi")

    assert await pings(world, listener) == 3
    assert {heard.method for heard in listener.heard} == {"GET"}
    assert {heard.body for heard in listener.heard} == {""}


async def test_not_while_twilio_cannot_be_reached(world: World, listener: Listener) -> None:
    """From the next one on, and until it answers again."""
    await world.twilio_line.cut()
    await world.say("Oi")
    assert await pings(world, listener) == 0

    await world.twilio_line.mend()

    assert await pings(world, listener) >= 2


async def test_not_while_twilio_refuses_the_credentials(world: World, listener: Listener) -> None:
    """The box runs, and nobody is answered."""
    world.twilio.revoked = True
    await world.say("Oi")

    assert await pings(world, listener) == 0


async def test_not_while_an_answer_waits_for_more_than_ten_minutes(world: World, listener: Listener) -> None:
    """Whatever it waits for; a younger one is well."""
    world.twilio.faults.add(BUSY)
    await world.say("Oi")
    assert await pings(world, listener, 1) == 1
    assert await pings(world, listener) == 0

    world.twilio.faults.clear()
    await pass_(world, 60)

    assert await pings(world, listener) >= 2


async def test_who_waits_for_a_person_holds_nothing_up(world: World, listener: Listener) -> None:
    """It is not the box that is silent."""
    await world.say("ATENDENTE")
    await world.settle()
    await world.say("Alguém aí?")
    await world.settle()
    assert await world.cards() == ["waiting"]

    assert await pings(world, listener, 6) == 6


async def test_not_while_there_is_no_space_for_a_webhook(world: World, listener: Listener) -> None:
    """Messages hear 503; with space again all is well, without a restart."""
    store = world.appliance.store
    await store.write(lambda tx: tx.sql.value("PRAGMA max_page_count = 1"))
    heard = [(await world.twilio.receive(CUSTOMER, SMS, "x" * 1_600))[1] for _ in range(100)]
    assert heard[-1] == 503
    assert store.shortage is not None
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(2 * FIVE, a_moment)
    assert listener.heard == []

    await store.write(lambda tx: tx.sql.value("PRAGMA max_page_count = 1000000"))

    assert await pings(world, listener, 4) >= 2


async def test_not_while_the_workers_are_silent(world: World, listener: Listener) -> None:
    """They have ended, and nothing is claimed any more."""
    await world.appliance.engine.worker.stop()
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(3 * FIVE, a_moment)

    assert listener.heard == []


@pytest.mark.parametrize("trouble", ["cut", "503", "302"])
async def test_a_ping_that_is_not_taken_is_said_once(
    world: World, listener: Listener, trouble: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Until it works again, and without the address; a redirect is followed nowhere."""
    if trouble == "cut":
        await listener.line.cut()
    else:
        listener.status = int(trouble)
    await pass_(world, 3 * FIVE)
    if trouble == "cut":
        await listener.line.mend()
    listener.status = 200
    await pass_(world, 2 * FIVE)

    written = "".join(capfd.readouterr())
    assert written.count("ping was not taken") == 1
    assert written.count("ping is taken again") == 1
    assert listener.elsewhere == 0
    assert PATH not in written


async def test_without_an_address_nobody_is_asked(tmp_path: Path, listener: Listener) -> None:
    """And nothing else changes."""
    async with World(tmp_path, clock=ManualClock(NOON)) as world:
        await world.say("Oi")
        await pass_(world, 3 * FIVE)

        assert len(world.sent()) == 1
        assert listener.heard == []


async def test_a_pause_is_no_trouble(world: World, listener: Listener) -> None:
    """Customers wait for hours because somebody wants it so; from its end on they wait as everybody does."""
    await world.appliance.store.write(lambda tx: tx.pauses.begin("organization:1", 1, None, None, "x"))
    await world.say("Oi")

    assert await pings(world, listener) == 3

    world.twilio.faults.add(BUSY)
    await world.appliance.store.write(lambda tx: tx.pauses.end(["organization:1"]))
    world.appliance.engine.bell.ring()

    assert await pings(world, listener, 4) == 1
