"""What Twilio's log says of one customer, or fails to say, keeps nobody else waiting."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.model import JobKind
from appliance.simulator import Fault
from appliance.wire import LogRead
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World

NOON = 1_800_025_200_000
ONE, TWO = "+5511900000001", "+5511900000002"
QUESTION, ANSWER = "Qual o horário?", "Abrimos das 7h às 19h."
REFUSED = Fault("list", "error", status=400, code=20001, address=ONE, times=None)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """At noon, with time moved by hand and a Twilio that never calls back."""
    async with World(tmp_path, clock=ManualClock(NOON)) as world:
        world.twilio.faults.add(Fault("callback", "lost", times=None))
        await world.teach("Horário", ANSWER)
        await pass_(world, 60)
        yield world


async def pass_(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def catch_up(world: World) -> None:
    await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
    await pass_(world, 30)


async def test_a_doubt_is_settled_behind_one_whose_log_is_refused(world: World) -> None:
    """Twilio answers 400 for one customer's list; the other's answer is sent once more, after four times the grace."""
    world.twilio.faults.add(REFUSED, Fault("create", "reset", address=ONE), Fault("create", "reset", address=TWO))
    for customer in (ONE, TWO):
        await world.say(QUESTION, customer)
        await world.settle()

    await pass_(world, 800)

    assert (world.sent(ONE), world.sent(TWO)) == ([], [ANSWER])


async def test_a_missed_message_is_fetched_behind_one_whose_log_is_refused(world: World) -> None:
    """On the same channel and on another; the owner is told that the log is not readable as a whole."""
    world.twilio.faults.add(REFUSED)
    for sender, channel in ((ONE, SMS), (TWO, SMS), (f"whatsapp:{TWO}", WHATSAPP)):
        await world.twilio.receive(sender, channel, QUESTION, deliver=False)
    await pass_(world, 60)

    await catch_up(world)
    assert world.sent(TWO) + world.sent(f"whatsapp:{TWO}") == [ANSWER, ANSWER]
    assert world.sent(ONE) == []

    await pass_(world, 2_400)
    assert await world.cards() == ["unheard", "log"]


async def test_half_a_character_is_stored_as_a_question_mark(world: World) -> None:
    """JSON can hold it and SQLite cannot: whoever wrote it and whoever wrote after it are answered."""
    await world.twilio.receive(ONE, SMS, "oi \ud83d", deliver=False)
    await world.twilio.receive(TWO, SMS, QUESTION, deliver=False)
    await pass_(world, 60)

    await catch_up(world)

    assert await world.column("SELECT body FROM messages ORDER BY id") == ["oi ?", QUESTION]
    assert world.sent(TWO) == [ANSWER]


async def test_an_entry_that_breaks_the_reader_is_a_card_and_no_dead_letter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in one pass does not end the process at the next start, and the owner sees it once."""

    async def broken(*_arguments: Any, **_options: Any) -> LogRead:
        raise ValueError("a date nobody can read")

    monkeypatch.setattr(type(world.log), "inbound", broken)
    await catch_up(world)
    await pass_(world, 3_600)
    assert await world.cards() == ["log"]
    assert await world.column("SELECT count(*) FROM message_queue WHERE status = 'dead'") == [0]

    await world.stop()
    await world.start()
    await pass_(world, 60)
    assert not world.appliance.stopping.is_set()

    monkeypatch.undo()
    await pass_(world, 330)
    assert await world.cards() == []


async def test_our_own_answer_on_its_way_is_nobody_elses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the log is read for a missed message, a newer one is answered; Twilio has that answer and we no sid yet."""
    await world.teach("Entrega", "Entregamos no centro.")
    await world.twilio.receive(CUSTOMER, SMS, "Vocês fazem entrega?", deliver=False)
    await pass_(world, 60)
    read = type(world.log).outbound

    async def slowly(log: Any, *about: Any, **options: Any) -> LogRead:
        if not world.sent():
            world.twilio.faults.add(Fault("create", "hang", accepted=True, seconds=0.7))
            writes = asyncio.create_task(world.say(QUESTION))
            await world.until(lambda: bool(world.sent()))
            await writes
        return await read(log, *about, **options)

    monkeypatch.setattr(type(world.log), "outbound", slowly)
    await catch_up(world)
    await asyncio.sleep(1)
    await pass_(world, 600)

    assert sorted(world.sent()) == sorted([ANSWER, "Entregamos no centro."])
