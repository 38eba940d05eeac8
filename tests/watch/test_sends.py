"""Twilio answers whatever the watch asks and takes no message: that is told too, once, and takes itself back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.simulator import Fault
from tests.support.fake_ai import FakeAi
from tests.support.world import ManualClock, World


async def pass_(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def of_links(world: World) -> list[str]:
    """The cards that ever told that Twilio takes nothing, the closed ones with a mark."""
    rows = await world.rows("SELECT * FROM cards WHERE kind IN ('unreachable', 'twilio') ORDER BY id")
    return [row["kind"] + ("" if row["closed_at"] is None else " closed") for row in rows]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path, clock=ManualClock(), language="en", model=FakeAi()) as running:
        await pass_(running, 30)
        yield running


@pytest.mark.parametrize("fault", ["500", "503", "hang"])
async def test_errors_of_the_sends_alone_are_told(world: World, fault: str) -> None:
    """Reads are answered, each POST ends in doubt: two customers are enough, and one card is all, until one is taken."""
    kind, status = ("hang", 500) if fault == "hang" else ("error", int(fault))
    world.twilio.faults.add(Fault("create", kind, status=status, times=None))
    await world.say("Oi", "+5511990000001")
    await pass_(world, 40)
    assert await of_links(world) == []
    await world.say("Oi", "+5511990000002")
    await pass_(world, 30)
    assert await of_links(world) == ["unreachable"]
    await pass_(world, 300)
    assert await of_links(world) == ["unreachable"]

    world.twilio.faults.clear()
    await world.say("Oi", "+5511990000003")
    await pass_(world, 90)

    assert await of_links(world) == ["unreachable closed"]


async def test_one_who_is_never_answered_is_told(world: World) -> None:
    """Nobody else writes: the second send that ends so is told."""
    world.twilio.faults.add(Fault("create", "error", times=None))
    await world.say("Oi")
    await pass_(world, 16 * 60)

    assert await of_links(world) == ["unreachable"]


async def test_a_send_that_stumbles_is_not_told(world: World) -> None:
    """Two in doubt, and the next one is taken: Twilio is well, and what became of the two its log tells."""
    world.twilio.faults.add(Fault("create", "error", times=2))
    await world.say("Oi", "+5511990000001")
    await world.say("Oi", "+5511990000002")
    await pass_(world, 10)
    await world.say("Oi", "+5511990000003")
    await pass_(world, 20 * 60)

    assert await of_links(world) == []


@pytest.mark.parametrize("limit", [20429, 21611])
async def test_a_limit_that_lets_nothing_through_is_told(world: World, limit: int) -> None:
    """For a minute it is tried again and nobody hears of it; then it is a card, until Twilio takes something."""
    world.twilio.faults.add(Fault("create", "error", times=None, status=429, code=limit))
    await world.say("Oi")
    await pass_(world, 45)
    assert await of_links(world) == []
    await pass_(world, 75)
    assert await of_links(world) == ["twilio"]

    world.twilio.faults.clear()
    await pass_(world, 10 * 60)  # a full queue is left alone for minutes

    assert await of_links(world) == ["twilio closed"]


async def test_a_limit_that_lets_others_through_is_not_told(world: World) -> None:
    """One of many is told to wait, again and again, while others are taken."""
    world.twilio.faults.add(
        Fault("create", "error", times=6, status=429, code=20429, address="+5511990000001"),
    )
    await world.say("Oi", "+5511990000001")
    for number in range(2, 7):
        await world.say("Oi", f"+551199000000{number}")
        await pass_(world, 20)

    assert await of_links(world) == []
