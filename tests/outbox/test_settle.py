"""Sends whose outcome is unknown are settled by Twilio's log: bound, sent once more, or shown to a person."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from appliance.outbox.doubt import Finding, judge

from appliance.model import JobKind, OutboxMessage, OutboxState
from appliance.simulator import Fault
from appliance.wire import LoggedMessage, LogRead
from tests.support.wire import callback
from tests.support.world import CUSTOMER, SMS, ManualClock, World

NOW = 1_800_000_000_000
MINUTES = 60.0


@pytest.fixture
async def doubtful(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose time is moved by hand and whose Twilio never calls back."""
    async with World(tmp_path, clock=ManualClock()) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        world.twilio.faults.add(Fault("callback", "lost", times=None))
        yield world


async def _pass(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def test_a_send_that_twilio_accepted_is_bound_and_not_sent_again(doubtful: World) -> None:
    """The connection broke after Twilio had the message: after the grace the log shows it, and that is all."""
    doubtful.twilio.faults.add(Fault("create", "reset", accepted=True))
    await doubtful.say("Qual o horário?")
    await doubtful.settle()
    assert await doubtful.column("SELECT state FROM outbox") == ["doubt"]

    await _pass(doubtful, 4 * MINUTES)

    assert await doubtful.column("SELECT sid IS NOT NULL FROM outbox") == [1]
    assert doubtful.sent() == ["Abrimos das 7h às 19h."]
    assert await doubtful.dispositions() == ["answered"]
    assert await doubtful.cards() == []


async def test_a_send_that_is_absent_from_the_log_is_sent_once_more(doubtful: World) -> None:
    """The connection broke before Twilio read it: nothing before the grace, then exactly one answer."""
    doubtful.twilio.faults.add(Fault("create", "reset"))
    await doubtful.say("Qual o horário?")
    await _pass(doubtful, 2 * MINUTES)
    assert doubtful.sent() == []

    await _pass(doubtful, 2 * MINUTES)

    assert doubtful.sent() == ["Abrimos das 7h às 19h."]
    assert await doubtful.dispositions() == ["answered"]


async def test_what_was_surely_not_sent_is_no_attempt(doubtful: World) -> None:
    """Refused by rate, refused again, then in doubt and absent: still sent once more."""
    busy = Fault("create", "error", status=429, code=20429, times=3)
    doubtful.twilio.faults.add(busy, Fault("create", "reset"))
    await doubtful.say("Qual o horário?")
    await _pass(doubtful, MINUTES)
    assert await doubtful.column("SELECT state FROM outbox") == ["doubt"]

    await _pass(doubtful, 4 * MINUTES)

    assert doubtful.sent() == ["Abrimos das 7h às 19h."]
    assert await doubtful.cards() == []


async def test_an_unreadable_log_proves_nothing(doubtful: World) -> None:
    """While the list answers with errors nothing is sent again; when it can be read, it is settled."""
    doubtful.twilio.faults.add(Fault("create", "reset"), Fault("list", "error", times=None))
    await doubtful.say("Qual o horário?")
    await _pass(doubtful, 10 * MINUTES)
    assert doubtful.sent() == []

    doubtful.twilio.faults.clear()
    await _pass(doubtful, 2 * MINUTES)

    assert doubtful.sent() == ["Abrimos das 7h às 19h."]


async def test_a_new_conversation_is_answered_although_the_lane_was_lent_to_a_closed_one(tmp_path: Path) -> None:
    """A send in doubt frees the lane, so its conversation may expire; when it is sent once more, the next one waits."""
    minute = 60_000
    conversations = {"idle_after": minute, "expire_after": 2 * minute}
    async with World(tmp_path, clock=ManualClock(), conversations=conversations) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        world.twilio.faults.add(Fault("callback", "lost", times=None), Fault("create", "reset"))
        await world.say("Qual o horário?")
        await _pass(world, 2 * MINUTES)
        await world.appliance.engine.schedule.tick(JobKind.EXPIRED)
        world.twilio.faults.add(Fault("create", "error", status=429, code=20429, times=None))
        await _pass(world, 2 * MINUTES)
        assert await world.column("SELECT state FROM outbox") == ["ready"]
        await world.say("Qual o horário amanhã?")
        world.twilio.faults.clear()
        await _pass(world, 2 * MINUTES)

        assert await world.column("SELECT status FROM conversations ORDER BY id") == ["closed", "progress"]
        assert await world.dispositions() == ["answered", "answered"]


async def test_a_question_that_waits_lets_the_older_answer_go_first(tmp_path: Path) -> None:
    """The log shows nothing of an answer while a newer question still gathers its burst: one answer to both."""
    minute = {"reply_delay": 60_000, "reply_delay_max": 60_000}
    async with World(tmp_path, clock=ManualClock(), conversations=minute) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        world.twilio.faults.add(Fault("callback", "lost", times=None), Fault("create", "reset"))
        await world.say("Qual o horário?")
        await _pass(world, 3.8 * MINUTES)
        assert await world.column("SELECT state FROM outbox") == ["doubt"]
        await world.say("E no domingo, qual o horário?")
        await _pass(world, 5 * MINUTES)

        assert world.sent() == ["Abrimos das 7h às 19h."]
        assert await world.dispositions() == ["answered", "answered"]
        assert await world.cards() == []


async def test_a_late_list_within_the_grace_is_waited_for(doubtful: World) -> None:
    """The list shows the message only after 150 s: still one."""
    doubtful.twilio.faults.add(Fault("create", "reset", accepted=True), Fault("list", "lag", seconds=150, times=None))
    await doubtful.say("Qual o horário?")

    await _pass(doubtful, 6 * MINUTES)

    assert doubtful.sent() == ["Abrimos das 7h às 19h."]
    assert await doubtful.dispositions() == ["answered"]


async def test_equal_answers_share_what_twilio_has_of_them(doubtful: World) -> None:
    """Only the second of two equal answers arrived. The log gives its sid to the first; its late callback names the
    second. The customer gets two, our books name two, and nobody is told of a third.
    """
    doubtful.twilio.faults.add(Fault("create", "reset"), Fault("create", "reset", accepted=True))
    for _ in range(2):
        await doubtful.say("Qual o horário?")
        await doubtful.settle()
    tag = (await doubtful.column("SELECT tag FROM outbox ORDER BY id"))[1]
    await _pass(doubtful, 4 * MINUTES)
    sids = await doubtful.column("SELECT sid FROM outbox ORDER BY id")
    assert await doubtful.column("SELECT attempt FROM outbox ORDER BY id") == [1, 2]

    assert await callback(doubtful, f"2.1.{tag}", sids[0], "delivered") == 204

    assert doubtful.sent() == ["Abrimos das 7h às 19h."] * 2
    assert await doubtful.column("SELECT sid FROM outbox ORDER BY id") == sids
    assert await doubtful.column("SELECT state FROM outbox ORDER BY id") == ["delivered", "sent"]
    assert await doubtful.cards() == []


async def test_an_unknown_message_to_the_customer_parks(doubtful: World) -> None:
    """Somebody wrote to the customer by hand meanwhile: a person decides, nothing is sent."""
    doubtful.twilio.faults.add(Fault("create", "reset"))
    await doubtful.say("Qual o horário?")
    await doubtful.settle()
    await _pass(doubtful, 1 * MINUTES)
    from multidict import MultiDict

    doubtful.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": "Oi, aqui é a Ana."}))

    await _pass(doubtful, 4 * MINUTES)

    assert await doubtful.column("SELECT state FROM outbox") == ["parked"]
    assert doubtful.sent() == ["Oi, aqui é a Ana."]
    assert await doubtful.cards() == ["doubt"]


@pytest.mark.parametrize("hours", [-24, 24])
async def test_a_clock_that_is_set_hides_no_send(doubtful: World, hours: int) -> None:
    """The attempt keeps its distance to Twilio's log: what was accepted is found there."""
    assert isinstance(doubtful.clock, ManualClock)
    wrong = doubtful.clock
    doubtful.twilio.now = wrong.true
    doubtful.twilio.faults.add(Fault("create", "reset", accepted=True))
    await doubtful.say("Qual o horário?")
    await doubtful.settle()

    wrong.jump(hours * 3600.0)
    await _pass(doubtful, 5 * MINUTES)

    assert await doubtful.column("SELECT sid IS NOT NULL FROM outbox") == [1]
    assert doubtful.sent() == ["Abrimos das 7h às 19h."]


def _row(row_id: int, body: str, at: int = NOW) -> OutboxMessage:
    return OutboxMessage(
        row_id, 1, 1, 1, 1, "answer", body, OutboxState.DOUBT, 1, "t", at, sending_at=at, sender=SMS, recipient=CUSTOMER
    )


def _logged(sid: str, body: str, at: int = NOW, direction: str = "outbound-api") -> LoggedMessage:
    return LoggedMessage(sid, direction, SMS, CUSTOMER, body, "sent", None, at)


@pytest.mark.parametrize(
    ("rows", "logged", "known", "expected"),
    [
        ([_row(1, "a")], [], set(), [(1, Finding.ABSENT, None)]),
        ([_row(1, "a")], [_logged("S1", "a")], set(), [(1, Finding.SENT, "S1")]),
        ([_row(1, "a")], [_logged("S1", "a")], {"S1"}, [(1, Finding.ABSENT, None)]),
        ([_row(1, "a")], [_logged("S1", "a", direction="inbound")], set(), [(1, Finding.ABSENT, None)]),
        ([_row(1, "a")], [_logged("S1", "a", NOW - 600_000)], set(), [(1, Finding.ABSENT, None)]),
        ([_row(1, "a")], [_logged("S1", "b")], set(), [(1, Finding.UNCLEAR, None)]),
        ([_row(1, "a")], [_logged("S1", "")], set(), [(1, Finding.UNCLEAR, None)]),
        (
            [_row(1, "a"), _row(2, "a")],
            [_logged("S1", "a")],
            set(),
            [(1, Finding.SENT, "S1"), (2, Finding.ABSENT, None)],
        ),
        (
            [_row(1, "a"), _row(2, "a", NOW + 9_000)],
            [_logged("S1", "a"), _logged("S2", "a", NOW + 9_000)],
            set(),
            [(1, Finding.SENT, "S1"), (2, Finding.SENT, "S2")],
        ),
        (
            [_row(1, "sim"), _row(2, "acho que sim")],
            [_logged("S1", "Sent from your Twilio trial account - acho que sim")],
            set(),
            [(1, Finding.ABSENT, None), (2, Finding.SENT, "S1")],
        ),
        ([_row(1, "sim")], [_logged("S1", "acho que sim")], set(), [(1, Finding.UNCLEAR, None)]),
        ([_row(1, "a")], [_logged("S1", "a", direction="outbound-reply")], set(), [(1, Finding.UNCLEAR, None)]),
        ([_row(1, "a")], [_logged("S1", "b", direction="outbound-call")], set(), [(1, Finding.UNCLEAR, None)]),
        (
            [_row(1, "b"), _row(2, "a", NOW + 1_200_000)],
            [_logged("S1", "a"), _logged("S2", "b")],
            set(),
            [(1, Finding.SENT, "S2"), (2, Finding.UNCLEAR, None)],
        ),
        (
            [_row(1, "a"), _row(2, "a")],
            [_logged(sid, "Sent from your Twilio trial account - a") for sid in ("S1", "S2")],
            set(),
            [(1, Finding.SENT, "S1"), (2, Finding.SENT, "S2")],
        ),
    ],
)
def test_judgement(
    rows: list[OutboxMessage], logged: list[LoggedMessage], known: set[str], expected: list[tuple[int, Finding, str]]
) -> None:
    """k in doubt and m unbound of one body: the oldest are bound; anything else unbound makes the rest unclear."""
    verdicts = judge(rows, LogRead(tuple(logged), NOW, 0), known)

    assert [(v.row.id, v.finding, v.logged and v.logged.sid) for v in verdicts] == expected
