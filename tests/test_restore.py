"""A restored box: it is silent until Twilio's log has told what the lost database did, and says so on a card."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from multidict import MultiDict

from appliance.model import SECOND
from appliance.opening import restore
from appliance.simulator import Fault
from appliance.store import backup
from tests.support.world import CUSTOMER, SMS, ManualClock, World

NOON = 1_800_025_200_000  # 12:00 in São Paulo
OTHER = "+5511977776666"
QUESTION, ANSWER = "Qual o horário?", "Abrimos das 7h às 19h."
REFUSED = Fault("create", "error", status=429, code=20429, times=None)
MINUTE = 60.0


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[World]:
    """A world at noon whose time is moved by hand and whose Twilio never calls back."""
    async with _world(tmp_path) as world:
        yield world


def _world(directory: Path, **overrides: Any) -> World:
    world = World(directory, clock=ManualClock(NOON), **overrides)
    world.twilio.faults.add(Fault("callback", "lost", times=None))
    return world


async def _prepare(world: World) -> None:
    await world.teach("Horário", ANSWER)
    await _pass(world, MINUTE)


async def _pass(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def _nothing() -> None:
    """The appliance is off, or waits for its clock."""


async def _copy(world: World) -> Path:
    assert world.clock is not None
    return await backup.take_one(world.appliance.store.directory, world.clock.now())


async def _restore(world: World, copy: Path) -> None:
    """Put a copy back and start."""
    assert world.clock is not None
    store = await restore(world.config, world.clock, copy)
    await store.close()
    await world.start()
    await world.settle()


async def _draft(world: World) -> Path:
    """A copy with one reply that Twilio did not take yet."""
    await _prepare(world)
    world.twilio.faults.add(REFUSED)
    await world.say(QUESTION)
    await world.settle()
    assert await world.column("SELECT state FROM outbox") == ["ready"]
    return await _copy(world)


async def test_a_reply_sent_just_before_the_restoration_is_waited_for(box: World) -> None:
    """Twilio's list shows it only after 100 s: nothing is sent again, whatever the age of the draft."""
    copy = await _draft(box)
    await _pass(box, 4 * MINUTE)
    box.twilio.faults.clear()
    box.twilio.faults.add(Fault("callback", "lost", times=None), Fault("list", "lag", seconds=100, times=None))
    await _pass(box, MINUTE)
    assert box.sent() == [ANSWER]
    await box.stop()

    await _restore(box, copy)
    await _pass(box, 15 * MINUTE)

    assert box.sent() == [ANSWER]
    assert await box.dispositions() == ["answered"]
    assert await box.cards() == []


async def test_a_draft_that_was_never_sent_is_sent_once(box: World) -> None:
    """Its own job waits in the lane meanwhile: the log shows nothing, so it goes out, after four times the grace."""
    copy = await _draft(box)
    await box.stop()
    box.twilio.faults.clear()

    await _restore(box, copy)
    assert await box.cards() == [
        "restored",
    ]
    await _pass(box, 11 * MINUTE)
    assert box.sent() == []
    await _pass(box, 2 * MINUTE)

    assert box.sent() == [ANSWER]
    assert await box.cards() == []
    assert await box.dispositions() == ["answered"]


async def test_a_draft_and_a_missed_message_of_one_customer(box: World) -> None:
    """Neither waits for the other for ever: one answer to both."""
    copy = await _draft(box)
    await box.stop()
    await box.twilio.receive(CUSTOMER, SMS, "E no domingo, qual o horário?", deliver=False)
    box.twilio.faults.clear()

    await _restore(box, copy)
    await _pass(box, 15 * MINUTE)

    assert len(box.sent()) == 1
    assert await box.dispositions() == ["answered"] * 2


async def test_a_doubt_does_not_wait_for_what_waits_for_it(box: World) -> None:
    """In doubt in the copy, and its customer writes again before the log is read: all is answered when it is certain."""
    await _prepare(box)
    box.twilio.faults.add(Fault("create", "reset"))
    await box.say(QUESTION)
    await box.settle()
    copy = await _copy(box)
    await box.stop()

    await _restore(box, copy)
    await box.say("E no domingo, qual o horário?")
    await box.say(QUESTION, OTHER)
    await _pass(box, 15 * MINUTE)

    assert (len(box.sent()), len(box.sent(OTHER))) == (1, 1)
    assert await box.dispositions() == ["answered"] * 3
    assert await box.cards() == []


async def test_a_waiting_message_that_the_lost_box_answered_is_left_alone(box: World) -> None:
    """Answered after the copy was taken, and Twilio's list is late: not again."""
    await _prepare(box)
    await box.appliance.engine.worker.stop()
    await box.say(QUESTION)
    await box.say(QUESTION, OTHER)
    copy = await _copy(box)
    await box.stop()
    box.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": ANSWER}))
    box.twilio.faults.add(Fault("list", "lag", seconds=100, times=None))

    await _restore(box, copy)
    await _pass(box, 15 * MINUTE)

    assert (box.sent(), box.sent(OTHER)) == ([ANSWER], [ANSWER])
    assert await box.column("SELECT suppressed FROM messages ORDER BY id") == ["answered elsewhere", None]


async def test_what_was_asked_after_the_lost_boxs_last_word_is_answered(box: World) -> None:
    """The lost box answered the first question; the second one was written later, and nothing has been said to it."""
    await _prepare(box)
    await box.appliance.engine.worker.stop()
    await box.say(QUESTION)
    copy = await _copy(box)
    await box.stop()
    box.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": ANSWER}))
    assert isinstance(box.clock, ManualClock)
    await box.clock.advance(MINUTE, _nothing)
    await box.twilio.receive(CUSTOMER, SMS, "E no domingo, qual o horário?", deliver=False)

    await _restore(box, copy)
    await _pass(box, 15 * MINUTE)

    assert box.sent() == [ANSWER, ANSWER]
    assert await box.column("SELECT suppressed FROM messages ORDER BY id") == ["answered elsewhere", None]


async def test_a_webhook_that_comes_again_is_not_answered_again(box: World) -> None:
    """The lost box answered; Twilio delivers the message once more to the restored one, and its list is late."""
    await _prepare(box)
    copy = await _copy(box)
    sid, _ = await box.twilio.receive(CUSTOMER, SMS, QUESTION)
    await box.settle()
    assert box.sent() == [ANSWER]
    await box.stop()
    box.twilio.faults.add(Fault("list", "lag", seconds=100, times=None))

    await _restore(box, copy)
    await _pass(box, 0.5 * MINUTE)
    await box.say(QUESTION, sid=sid)
    await _pass(box, 15 * MINUTE)

    assert box.sent() == [ANSWER]
    assert await box.column("SELECT suppressed FROM messages") == ["answered elsewhere"]


async def test_a_restored_box_without_catch_up_asks_all_the_same(tmp_path: Path) -> None:
    """`twilio.catch_up_every = 0` does not leave it silent for ever."""
    async with _world(tmp_path, twilio={"catch_up_every": 0}) as world:
        await _prepare(world)
        copy = await _copy(world)
        await world.stop()

        await _restore(world, copy)
        await world.say(QUESTION)
        await _pass(world, 4 * MINUTE)

        assert world.sent() == [ANSWER]
        assert await world.cards() == []


async def test_without_twilio_a_restored_box_is_silent_and_says_so(box: World) -> None:
    """A card as long as the log cannot be read; then it answers and the card is gone."""
    await _prepare(box)
    copy = await _copy(box)
    await box.stop()
    box.twilio.faults.add(Fault("list", "error", times=None))

    await _restore(box, copy)
    await box.say(QUESTION)
    await _pass(box, 15 * MINUTE)
    assert box.sent() == []
    assert await box.cards() == ["restored", "unreachable"]
    box.twilio.faults.clear()
    await _pass(box, MINUTE)

    assert box.sent() == [ANSWER]
    assert await box.cards() == []


async def test_an_answer_counts_although_the_clock_was_ahead_of_twilios(box: World) -> None:
    """Our time of the message is an hour after Twilio's time of its answer: the log says by how much."""
    await _prepare(box)
    assert isinstance(box.clock, ManualClock)
    twilio_now = box.clock.now
    box.twilio.now = lambda: twilio_now() - 3_600_000
    await box.appliance.engine.worker.stop()
    await box.say(QUESTION)
    copy = await _copy(box)
    await box.stop()
    box.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": ANSWER}))

    await _restore(box, copy)
    await _pass(box, 15 * MINUTE)

    assert box.sent() == [ANSWER]


async def test_a_restoration_before_the_clock_is_set_counts_from_its_true_moment(box: World) -> None:
    """A board without a battery starts in 1970 on a damaged database; then the network tells the time."""
    await _prepare(box)
    clock = box.clock
    assert isinstance(clock, ManualClock)
    await box.appliance.engine.worker.stop()
    await box.say(QUESTION)
    copy = await _copy(box)
    await box.stop()
    box.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": ANSWER}))
    box.twilio.faults.add(Fault("list", "lag", seconds=100, times=None))
    clock.jump(-NOON / SECOND)
    box.twilio.now = lambda: clock.now() + NOON

    store = await restore(box.config, clock, copy)
    await store.close()
    await box.start()
    clock.jump(NOON / SECOND)
    box.twilio.now = clock.now
    await clock.advance(2, _nothing)  # it looks at the clock every second
    await _pass(box, 15 * MINUTE)

    assert box.sent() == [ANSWER]
    assert await box.column("SELECT suppressed FROM messages") == ["answered elsewhere"]


@pytest.mark.parametrize("age", [1, 3])
async def test_what_the_lost_box_did_is_not_done_again(box: World, age: int) -> None:
    """Hours after the copy: what was answered meanwhile is left alone, the rest is answered or, too old, a card."""
    await _prepare(box)
    copy = await _copy(box)
    await box.say(QUESTION)
    await _pass(box, MINUTE)
    await box.stop()
    await box.twilio.receive(OTHER, SMS, QUESTION, deliver=False)
    assert isinstance(box.clock, ManualClock)
    await box.clock.advance(age * 60 * MINUTE, _nothing)
    await _restore(box, copy)
    await _pass(box, 15 * MINUTE)

    assert box.sent() == [ANSWER]
    late = f"Desculpe a demora, ficamos sem conexão. {ANSWER}"
    assert box.sent(OTHER) == ([late] if age < 2 else [])
    assert await box.cards() == ([] if age < 2 else ["too_late"])
