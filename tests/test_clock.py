"""A clock that stood still or was wrong, against what an earlier run wrote: nothing twice, nothing late, nothing stuck."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.model import JobKind
from appliance.simulator import Fault
from tests.support.shop import ANSWERED, Moody
from tests.support.world import CUSTOMER, WHATSAPP, ManualClock, World

NOON = 1_800_025_200_000
ANSWER = "Abrimos das 7h às 19h."
HOUR, YEAR = 3600.0, 365 * 86_400.0  # seconds


class Board:
    """A box without a battery for its clock, and a Twilio whose clock is right."""

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.world = world
        self.clock = clock
        world.twilio.now = clock.true

    async def power_cut(self, off: float, behind: float) -> None:
        """Off for so many seconds; the clock starts so far behind."""
        await self.world.crash()
        await self.clock.advance(off, _breathe)
        self.clock.jump(-behind)
        await self.world.start()

    async def leaves_a_draft(self) -> None:
        """An answer that was written and not handed over, since Twilio was out of reach until the process died."""
        await self.world.twilio_line.cut()
        await self.world.say("Qual o horário?")
        await self.pass_(20)
        await self.world.crash()
        await self.world.twilio_line.mend()

    async def is_set(self, behind: float) -> None:
        await self.clock.advance(20, _breathe)
        self.clock.jump(behind)
        await self.looks_at_its_clock(5)
        await self.pass_(60)

    async def looks_at_its_clock(self, seconds: float) -> None:
        """Let time pass while the workers may wait for a clock that is right."""
        await self.clock.advance(seconds, _breathe)
        await self.world.until(self.world.appliance.engine.reconciled.is_set)

    async def pass_(self, seconds: float) -> None:
        await self.clock.advance(seconds, self.world.settle)


async def _breathe() -> None:
    """Whoever waits for the time gets to run; unlike settle() this does not wait for the workers."""
    await asyncio.sleep(0.002)


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[Board]:
    clock = ManualClock(NOON)
    async with World(tmp_path, clock=clock, conversations={"reply_delay": 3000, "reply_delay_max": 12000}) as world:
        board = Board(world, clock)
        await world.teach("Horário", ANSWER)
        world.twilio.faults.add(Fault("callback", "lost", times=None))
        await board.pass_(60)
        yield board


@pytest.mark.parametrize("is_set", [True, False])
async def test_an_accepted_answer_is_found_by_a_board_that_woke_up_in_the_past(board: Board, is_set: bool) -> None:
    """Off for an hour after the POST, and back with the time of the cut, whether anybody sets the clock or not."""
    board.world.twilio.faults.add(Fault("create", "hang", accepted=True, seconds=1))
    await board.world.say("Qual o horário?")
    await board.pass_(5)
    await board.world.until(lambda: bool(board.world.sent()))

    await board.power_cut(HOUR, HOUR)
    if is_set:
        await board.is_set(HOUR)
    else:
        await board.looks_at_its_clock(150)
    await board.pass_(600)

    assert board.world.sent() == [ANSWER]
    assert await board.world.column("SELECT sid IS NOT NULL FROM outbox") == [1]
    assert await board.world.cards() == ([] if is_set else ["clock"])  # an hour behind Twilio's


@pytest.mark.parametrize("behind", [2 * HOUR, 3 * YEAR])
async def test_a_question_from_before_the_cut_is_answered_at_once(board: Board, behind: float) -> None:
    """The lane is neither late by what the clock was behind, nor ended by its age."""
    await board.world.say("Qual o horário?")

    await board.power_cut(60, behind)
    await board.is_set(behind)

    assert board.world.sent() == [ANSWER]
    assert await board.world.dispositions() == ["answered"]


async def test_an_answer_that_waited_for_twilio_is_sent_after_the_cut(board: Board) -> None:
    """Written before the cut and not handed over; the clock starts years behind."""
    await board.leaves_a_draft()

    await board.power_cut(60, 3 * YEAR)
    await board.is_set(3 * YEAR)
    await board.pass_(120)

    assert board.world.sent() == [ANSWER]


async def test_a_retry_that_a_clock_ahead_planned_is_not_waited_for(board: Board) -> None:
    """A day ahead until the cut: the lane is not stuck for a day."""
    board.clock.jump(24 * HOUR)
    await board.pass_(60)
    await board.world.say("Qual o horário?")

    await board.power_cut(60, 24 * HOUR)
    await board.looks_at_its_clock(150)
    await board.pass_(700)

    assert board.world.sent() == [ANSWER]


async def test_an_answer_that_a_clock_ahead_sent_is_found(board: Board) -> None:
    """Accepted by Twilio on a day that was not yet; after the cut the clock is right."""
    board.clock.jump(24 * HOUR)
    await board.pass_(60)
    board.world.twilio.faults.add(Fault("create", "hang", accepted=True, seconds=1))
    await board.world.say("Qual o horário?")
    await board.pass_(5)
    await board.world.until(lambda: bool(board.world.sent()))

    await board.power_cut(60, 24 * HOUR)
    await board.looks_at_its_clock(150)
    await board.pass_(600)

    assert board.world.sent() == [ANSWER]
    assert await board.world.column("SELECT sid IS NOT NULL FROM outbox") == [1]


@pytest.mark.parametrize("off", [420, 700, 1200])
@pytest.mark.parametrize("in_doubt", [True, False])
async def test_a_clock_that_was_minutes_ahead_until_the_cut_sends_nothing_twice(
    board: Board, off: float, in_doubt: bool
) -> None:
    """Six minutes fast, off for longer: no time in the database is one that was not yet."""
    board.clock.jump(360)
    await board.pass_(60)
    await board.world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
    await board.world.settle()
    kind = "reset" if in_doubt else "hang"
    board.world.twilio.faults.add(Fault("create", kind, accepted=True, seconds=1))
    await board.world.say("Qual o horário?")
    await board.pass_(5)
    await board.world.until(lambda: bool(board.world.sent()))

    await board.power_cut(off, 360)
    await board.pass_(600)

    assert board.world.sent() == [ANSWER]
    assert await board.world.column("SELECT sid IS NOT NULL FROM outbox") == [1]


@pytest.mark.parametrize("hours", [1, 6])
async def test_a_paused_machine_sends_nothing_twice(tmp_path: Path, hours: int) -> None:
    """The wall clock and Twilio's went on, the steady clock did not."""
    clock = ManualClock(NOON)
    async with World(tmp_path, clock=clock) as world:
        await world.teach("Horário", ANSWER)
        await clock.advance(60, world.settle)
        world.twilio.faults.add(Fault("callback", "lost", times=None), Fault("create", "reset", accepted=True))
        await world.say("Qual o horário?")
        await world.settle()

        clock.jump(hours * HOUR)
        await clock.advance(600, world.settle)

        assert world.sent() == [ANSWER]
        assert await world.column("SELECT sid IS NOT NULL FROM outbox") == [1]


@pytest.mark.parametrize("ahead", [20, 48])
async def test_a_clock_that_is_always_ahead_sends_nothing_twice(tmp_path: Path, ahead: int) -> None:
    """Twilio's log is read from the moment of the attempt on, by Twilio's clock."""
    clock = ManualClock(NOON)
    async with World(tmp_path, clock=clock) as world:
        world.twilio.now = lambda: clock.now() - int(ahead * HOUR * 1000)
        await world.teach("Horário", ANSWER)
        world.twilio.faults.add(Fault("callback", "lost", times=None), Fault("create", "reset", accepted=True))
        await world.say("Qual o horário?")
        await world.settle()

        await clock.advance(600, world.settle)

        assert world.sent() == [ANSWER]
        assert await world.column("SELECT sid IS NOT NULL FROM outbox") == [1]


async def test_what_waited_too_long_before_the_cut_is_too_old_after_it(board: Board) -> None:
    """Off for 25 hours: a clock that was behind makes an old question no younger."""
    await board.world.say("Qual o horário?")

    await board.power_cut(25 * HOUR, 26 * HOUR)  # behind the time of the cut: else it may answer before it is set
    await board.is_set(26 * HOUR)
    await board.pass_(60)

    assert board.world.sent() == []
    assert await board.world.cards() == ["could_not_answer"]


async def test_a_draft_of_before_the_cut_is_too_old_after_it(board: Board) -> None:
    """Written and not handed over; off for 25 hours."""
    await board.leaves_a_draft()

    await board.power_cut(25 * HOUR, 26 * HOUR)  # behind the time of the cut: else it may answer before it is set
    await board.is_set(26 * HOUR)
    await board.pass_(60)

    assert board.world.sent() == []
    assert await board.world.cards() == ["not_sent"]


@pytest.mark.parametrize("after", [120, 168, 172])
async def test_an_attempt_moves_back_with_the_clock_whenever_it_is_set(tmp_path: Path, after: float) -> None:
    """170 s fast, and set about so long after the attempt: its old time looks like a new one."""
    clock = ManualClock(NOON)
    async with World(tmp_path, clock=clock) as world:
        world.twilio.now = clock.true
        clock.jump(170)
        await clock.advance(60, world.settle)
        await world.teach("Horário", ANSWER)
        world.twilio.faults.add(Fault("callback", "lost", times=None), Fault("create", "reset", accepted=True))
        await world.say("Qual o horário?")
        await clock.advance(after, world.settle)
        clock.jump(-170)
        await clock.advance(600, world.settle)

        assert world.sent() == [ANSWER]
        assert await world.column("SELECT sid IS NOT NULL FROM outbox") == [1]


@pytest.mark.parametrize("hours", [25, -25])
async def test_the_window_of_who_waits_moves_with_the_clock(tmp_path: Path, hours: int) -> None:
    """An answer is ready when the clock is set: WhatsApp's 24 hours have not passed, nor is it too old."""
    clock, customer = ManualClock(NOON), f"whatsapp:{CUSTOMER}"
    async with World(tmp_path, clock=clock, responder=Moody(works=True)) as world:
        world.twilio.now = clock.true
        await world.twilio_line.cut()
        await world.say("Oi", customer, WHATSAPP)
        await world.settle()
        clock.jump(hours * HOUR)
        await clock.advance(30, world.settle)
        await world.twilio_line.mend()
        await clock.advance(60, world.settle)

        assert world.sent(customer) == [ANSWERED]


async def test_a_clock_that_was_ahead_leaves_no_card(board: Board) -> None:
    """A day ahead, set while it runs; a restart soon after waits for nothing."""
    board.clock.jump(24 * HOUR)
    await board.pass_(300)
    board.clock.jump(-24 * HOUR)
    await board.pass_(300)

    await board.world.stop()
    await board.world.start()
    await board.world.settle()

    assert await board.world.cards() == []


async def test_the_card_of_a_wrong_clock_is_closed_when_it_is_set(board: Board) -> None:
    """Behind for longer than the workers wait, then right."""
    await board.power_cut(60, 3 * YEAR)
    await board.pass_(150)
    assert await board.world.cards() == ["clock"]

    await board.is_set(3 * YEAR)

    assert await board.world.cards() == []


def test_the_steady_clock_goes_on() -> None:
    """In seconds, never back."""
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()
