"""What is told at `info`: one line for each answered message, and nothing else while all goes well."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.journal.journal import MOST, Journal
from appliance.metrics import Metrics
from appliance.store import Tx
from appliance.store.news import Event, News
from tests.journal.scene import Log
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, SMS, ManualClock, World

MESSAGES = 500
BEFORE = 3_000, 502_896  # lines and bytes of the same messages when each step stood at `info`


async def test_five_hundred_messages(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """At most 1.05 lines a message, and so many bytes as a small disk keeps for years."""
    log = Log()
    with log.written("info"):
        async with World(tmp_path) as world:
            await world.teach("Horário", "Abrimos das 7h às 19h.")
            await world.settle()
            log.clear()
            for start in range(0, MESSAGES, 25):
                customers = [f"+55119{number:08d}" for number in range(start, start + 25)]
                await asyncio.gather(*(world.say("Qual o horário?", each) for each in customers))
                await world.settle()
            text = log.text
            assert await world.column("SELECT count(*) FROM dispositions WHERE disposition = 'answered'") == [MESSAGES]

    lines, size = len(text.splitlines()), len(text.encode())
    record_property("told", f"log of {MESSAGES} messages at info: {lines} lines, {size} bytes; before {BEFORE}")
    assert MESSAGES <= lines <= 1.05 * MESSAGES
    assert size < BEFORE[1] / 3


async def test_the_line_of_an_answer(tmp_path: Path) -> None:
    """Whose message, by whom it was answered, after how long, at which attempt; no model, no tokens."""
    log, clock = Log(), ManualClock()
    with log.written("info"):
        conversations = {"reply_delay": 2_000, "reply_delay_max": 2_000}
        async with World(tmp_path, clock=clock, conversations=conversations) as world:
            await world.teach("Horário", "Abrimos das 7h às 19h.")
            sid = await world.say("Qual o horário?")
            await clock.advance(3, world.settle)

    (line,) = log.of("answered")
    del line["timestamp"]
    assert line == {
        "level": "info",
        "event": "answered",
        "message": sid,
        "organization": 1,
        "source": "Horário",
        "seconds": 2.0,
        "attempt": 1,
    }


async def test_a_burst_has_a_line_for_each_message(tmp_path: Path) -> None:
    """Three messages, one reply by a model: three lines, each with what the one call took."""
    log, model, clock = Log(), FakeAi(), ManualClock()
    with log.written("info"):
        conversations = {"reply_delay": 2_000, "reply_delay_max": 9_000}
        async with World(tmp_path, clock=clock, model=model, conversations=conversations) as world:
            sids = [await world.say(body) for body in ("Oi", "tudo bem?", "Qual o horário?")]
            await clock.advance(10, world.settle)
            assert len(world.sent()) == 1

    told = log.of("answered")
    assert [line["message"] for line in told] == sids
    assert {(line["source"], line["tokens_in"], line["tokens_out"]) for line in told} == {("fake", 10, 5)}


async def test_what_a_second_try_took_counts_too(tmp_path: Path) -> None:
    """Thoughts without an answer are paid for, and so is the answer."""
    log, model = Log(), FakeAi()
    model.answer = lambda body: "" if len(model.requests) == 1 else "Abrimos às 7h."
    with log.written("info"):
        async with World(tmp_path, model=model) as world:
            await world.say("Qual o horário?")
            await world.settle()

    (line,) = log.of("answered")
    assert (line["tokens_in"], line["tokens_out"], len(model.requests)) == (20, 10, 2)


async def test_no_answer_no_line(tmp_path: Path) -> None:
    """Neither the friendly text nor silence is an answer; the first is told with its cause."""
    log, model = Log(), FakeAi()
    model.fault = "refusal"
    with log.written("info"):
        async with World(tmp_path, model=model) as world:
            await world.say("👍")
            await world.settle()
            sid = await world.say("Qual o horário?")
            await world.settle()
            assert len(world.sent()) == 1

    assert not log.of("answered")
    (line,) = log.of("could not answer")
    assert (line["level"], line["error"], line["message"]) == ("warning", "the model refused to answer", sid)


async def test_a_draft_of_an_earlier_run_has_no_tokens(tmp_path: Path) -> None:
    """They are in memory alone: who sends after a start what was written before does not know."""
    log, clock = Log(), ManualClock()
    with log.written("info"):
        async with World(tmp_path, clock=clock, model=FakeAi()) as world:
            await world.say("Qual o horário?")
            await world.appliance.store.write(lambda tx: tx.jobs.extend_deadlines(0))
            await world.twilio_line.cut()
            await clock.advance(1, world.settle)
            await world.stop()
            await world.twilio_line.mend()
            await world.start()
            await clock.advance(60, world.settle)
            assert len(world.sent()) == 1

    (line,) = log.of("answered")
    assert "tokens_in" not in line


async def test_every_step_is_told_at_debug(tmp_path: Path) -> None:
    """From the webhook to the callback, and each of them names the message or the row."""
    log = Log()
    with log.written("debug"):
        async with World(tmp_path) as world:
            await world.teach("Horário", "Abrimos das 7h às 19h.")
            sid = await world.say("Qual o horário?", CUSTOMER, SMS)
            await world.settle()

    steps = ["message received", "drafted", "handed to Twilio", "taken by Twilio", "answered", "status received"]
    told = [line["event"] for line in log.lines]
    assert [told.index(step) for step in steps] == sorted(told.index(step) for step in steps)
    assert all(line.get("message", sid) in (sid, None) for line in log.lines)
    assert {line["level"] for line in log.of("job ended")} == {"debug"}


async def test_what_is_rolled_back_is_not_told(world: World) -> None:
    """A unit that fails after it told takes its words along; the next one's are told."""

    def fail(tx: Tx) -> float:
        tx.tell("never", "info")
        return 1 / 0

    log = Log()
    with log.written("info"):
        with pytest.raises(ZeroDivisionError):
            await world.appliance.store.write(fail)
        await world.appliance.store.write(lambda tx: tx.tell("happened", "info"))

    assert [line["event"] for line in log.lines] == ["happened"]


def test_memory_is_bounded() -> None:
    """Drafts that are never sent and troubles that never end are forgotten, the oldest first."""
    journal, log = Journal(Metrics()), Log()
    with log.written("info"):
        for number in range(3 * MOST):
            journal.hear(News(Event.DRAFTED, facts={"outbox": number, "tokens": (1, 1)}))
            journal.hear(News("failed", "warning", trouble=f"job {number}", facts={"error": "x"}))

    assert len(journal._tokens) == len(journal._troubles) == MOST
