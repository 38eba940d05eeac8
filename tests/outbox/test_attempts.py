"""Every POST of a row is an attempt of its own: what Twilio says of any of them counts, whenever it says it."""

from pathlib import Path

import pytest

from appliance.clock import milliseconds
from appliance.model import HOUR, MAIN
from appliance.queue.circuit import access_of
from appliance.simulator import Fault
from appliance.wire import OutboundMessage, SendOutcome, TwilioMessageResult
from tests.outbox.scene import (
    ANSWER,
    GRACE,
    MINUTES,
    NEIGHBOUR,
    QUESTION,
    letters,
    pass_,
    posts,
    states,
    write_by_hand,
)
from tests.support.wire import callback
from tests.support.world import ManualClock, World

BEHIND = Fault("list", "lag", seconds=99_999, times=None)  # Twilio's list shows nothing of what was sent
ACCEPTED = Fault("create", "reset", accepted=True)


async def reference(world: World, row: int = 1, attempt: int = 1) -> str:
    statement = "SELECT tag FROM attempts WHERE outbox_id = ? AND number = ?"
    return f"{row}.{attempt}.{(await world.column(statement, row, attempt))[0]}"


def sid_of(world: World, number: int) -> str:
    """Of what Twilio accepted, in its order."""
    return [entry.sid for entry in world.twilio.ledger if not entry.inbound][number]


async def sids(world: World) -> list[str | None]:
    return await world.column("SELECT sid FROM outbox ORDER BY id")


def leave_alone(world: World) -> None:
    """For an hour nothing is sent by the account."""
    world.appliance.engine.circuits.get(access_of(MAIN)).parked(milliseconds(world.appliance.clock), HOUR)


async def ask(world: World, *faults: Fault) -> None:
    world.twilio.faults.add(*faults)
    await world.say(QUESTION)
    await pass_(world, 6)


async def test_attempts_keep_their_tags_and_times(doubtful: World) -> None:
    """Two POSTs, a quarter of an hour between them: each has its tag, its start and its end."""
    await ask(doubtful, Fault("create", "reset"))
    await pass_(doubtful, 5 * GRACE)

    rows = await doubtful.rows("SELECT * FROM attempts ORDER BY number")
    assert [row["number"] for row in rows] == [1, 2]
    assert len({row["tag"] for row in rows}) == 2
    assert all(row["started_at"] <= row["ended_at"] for row in rows)
    assert rows[1]["started_at"] - rows[0]["ended_at"] >= 4 * GRACE * 1_000
    assert [row["sid"] for row in rows] == [None, sid_of(doubtful, 0)]


async def test_equal_bodies_of_which_one_is_named_otherwise(doubtful: World) -> None:
    """Twilio has both answers and lists the second's only; the list gives it to the first. Then the callbacks name
    them rightly: a callback outranks the list's guess, and what it took away passes to the other row. Two messages,
    two sids, nothing is sent a third time and nobody is told of a double.
    """
    await ask(doubtful, ACCEPTED, ACCEPTED)
    await ask(doubtful)
    first, second = sid_of(doubtful, 0), sid_of(doubtful, 1)
    hidden = doubtful.twilio.ledger._entries.pop(first)
    await pass_(doubtful, 1.1 * GRACE)
    assert await sids(doubtful) == [second, None]

    assert await callback(doubtful, await reference(doubtful, 2), second, "read") == 204
    assert await callback(doubtful, await reference(doubtful, 1), first, "delivered") == 204
    doubtful.twilio.ledger._entries[first] = hidden
    await pass_(doubtful, 12 * GRACE)

    assert await sids(doubtful) == [first, second]
    assert await states(doubtful) == ["delivered", "read"]
    assert doubtful.sent() == [ANSWER] * 2
    assert await doubtful.cards() == []


async def test_equal_bodies_named_in_the_other_order(doubtful: World) -> None:
    """The callback that takes the guess away comes first: the guess passes on, and the next callback confirms it."""
    await ask(doubtful, ACCEPTED, ACCEPTED)
    await ask(doubtful)
    first, second = sid_of(doubtful, 0), sid_of(doubtful, 1)
    hidden = doubtful.twilio.ledger._entries.pop(first)
    await pass_(doubtful, 1.1 * GRACE)

    await callback(doubtful, await reference(doubtful, 1), first, "delivered")
    assert await sids(doubtful) == [first, second]
    await callback(doubtful, await reference(doubtful, 2), second, "read")
    doubtful.twilio.ledger._entries[first] = hidden
    await pass_(doubtful, 12 * GRACE)

    assert await states(doubtful) == ["delivered", "read"]
    assert len(doubtful.sent()) == 2
    assert await doubtful.cards() == []


async def test_what_a_callback_takes_away_passes_to_a_row_in_doubt(doubtful: World) -> None:
    """And not to an older one that was absent and given up: else the one in doubt would be sent again."""
    await ask(doubtful, Fault("create", "reset"), ACCEPTED, ACCEPTED)
    await ask(doubtful)
    await pass_(doubtful, 10)
    await ask(doubtful)
    given_up = "UPDATE outbox SET state = 'superseded' WHERE id = 1"
    assert await doubtful.appliance.store.write(lambda tx: tx.sql.run(given_up)) == 1
    second, third = sid_of(doubtful, 0), sid_of(doubtful, 1)
    doubtful.twilio.ledger._entries.pop(second)
    await pass_(doubtful, 1.1 * GRACE)
    assert await sids(doubtful) == [None, third, None]

    await callback(doubtful, await reference(doubtful, 2), second, "delivered")

    assert await sids(doubtful) == [None, second, third]


@pytest.mark.parametrize("crash", [False, True])
async def test_our_own_message_that_is_listed_after_the_row_is_ready_again(doubtful: World, *, crash: bool) -> None:
    """Long absent, so it was to be sent once more; then an hour of an open circuit, or a crash. By the time it would
    be POSTed the list shows it: it is bound, and one POST was made in all.
    """
    made = posts(doubtful)
    await ask(doubtful, BEHIND, ACCEPTED)
    leave_alone(doubtful)
    await pass_(doubtful, 4.5 * GRACE)
    assert await states(doubtful) == ["ready"]

    if crash:
        await doubtful.crash()
    doubtful.twilio.faults.clear()
    if crash:
        await doubtful.start()
    await pass_(doubtful, 61 * MINUTES)

    assert len(made) == 1
    assert await states(doubtful) == ["delivered"]
    assert await sids(doubtful) == [sid_of(doubtful, 0)]
    assert await doubtful.dispositions() == ["answered"]
    assert (await doubtful.cards(), await letters(doubtful)) == ([], [])


async def test_a_log_that_cannot_be_read_before_the_post_holds_it_back(doubtful: World) -> None:
    """An absence serves the POST directly after its read: the row waits, ready, until the log can be read again."""
    made = posts(doubtful)
    await ask(doubtful, Fault("create", "reset"))
    leave_alone(doubtful)
    await pass_(doubtful, 4.5 * GRACE)
    doubtful.twilio.faults.add(Fault("list", "error", times=None))
    await pass_(doubtful, 90 * MINUTES)
    assert (await states(doubtful), len(made)) == (["ready"], 1)

    doubtful.twilio.faults.clear()
    await pass_(doubtful, MINUTES)

    assert (doubtful.sent(), len(made)) == ([ANSWER], 2)


async def test_an_absence_that_the_last_read_does_not_prove_is_a_doubt_again(doubtful: World) -> None:
    """Two reads showed the neighbour's younger message; the one before the POST comes from a replica that is behind."""
    made = posts(doubtful)
    in_time = Fault("list", "lag", seconds=0, times=6)  # two reads, each by From and by both forms of To
    await ask(doubtful, Fault("create", "reset"), in_time, BEHIND)
    await pass_(doubtful, 2.5 * MINUTES)
    await write_by_hand(doubtful, "O bolo está pronto.", NEIGHBOUR)
    await pass_(doubtful, 4 * MINUTES)
    assert await doubtful.column("SELECT reason FROM outbox") == ["the log is behind"]
    assert (await states(doubtful), len(made)) == (["doubt"], 1)

    await pass_(doubtful, 2 * GRACE)

    assert doubtful.sent() == [ANSWER]


async def test_a_crash_at_the_second_post_keeps_the_first_ones_evidence(doubtful: World) -> None:
    """Twilio took the first and was hours behind; the process dies during the second, which Twilio never saw. The
    list shows the first one's message at last: it is the row's, though older than its last attempt.
    """
    await ask(doubtful, BEHIND, ACCEPTED, Fault("create", "hang"))
    assert isinstance(doubtful.clock, ManualClock)
    await doubtful.clock.advance(4 * GRACE, lambda: doubtful.until(lambda: True))
    await doubtful.until(lambda: _is_sending(doubtful))
    await doubtful.crash()
    doubtful.twilio.faults.clear()
    await doubtful.start()
    await pass_(doubtful, 12 * GRACE)

    assert len(doubtful.sent()) == 1
    assert await states(doubtful) == ["delivered"]
    assert await doubtful.column("SELECT number FROM attempts") == [1, 2]


async def _is_sending(world: World) -> bool:
    return await states(world) == ["sending"]


async def test_a_late_callback_of_a_superseded_attempt(doubtful: World) -> None:
    """Absent behind a newer answer, so its question is answered anew; before that is sent the callback names the old
    one: the new draft is withdrawn, the question belongs to what the customer has.
    """
    made = posts(doubtful)
    await ask(doubtful, BEHIND, ACCEPTED)
    await ask(doubtful)
    leave_alone(doubtful)
    await pass_(doubtful, 10.5 * GRACE)
    assert await states(doubtful) == ["superseded", "sent", "ready"]

    await callback(doubtful, await reference(doubtful), sid_of(doubtful, 0), "delivered")
    await pass_(doubtful, 70 * MINUTES)

    assert await states(doubtful) == ["delivered", "sent", "superseded"]
    assert await doubtful.column("SELECT reply_id FROM messages ORDER BY id") == [1, 2]
    assert (len(made), len(doubtful.sent())) == (2, 2)
    assert await doubtful.dispositions() == ["answered", "answered"]
    assert (await doubtful.cards(), await letters(doubtful)) == ([], [])


async def test_a_late_callback_of_a_superseded_attempt_that_was_answered_anew(doubtful: World) -> None:
    """The new answer was sent already: both rows have their sid, each question its answer."""
    await ask(doubtful, BEHIND, ACCEPTED)
    await ask(doubtful)
    await pass_(doubtful, 10.5 * GRACE)
    assert await states(doubtful) == ["superseded", "sent", "sent"]

    await callback(doubtful, await reference(doubtful), sid_of(doubtful, 0), "delivered")

    assert await states(doubtful) == ["delivered", "sent", "sent"]
    assert await doubtful.column("SELECT reply_id FROM messages ORDER BY id") == [3, 2]
    assert await doubtful.dispositions() == ["answered", "answered"]


async def test_a_superseded_attempt_that_failed_is_nobodys_dead_letter(doubtful: World) -> None:
    """Its question was answered anew: nothing is left to decide."""
    await ask(doubtful, BEHIND, ACCEPTED)
    await ask(doubtful)
    await pass_(doubtful, 10.5 * GRACE)

    await callback(doubtful, await reference(doubtful), sid_of(doubtful, 0), "undelivered")

    assert await states(doubtful) == ["failed", "sent", "sent"]
    assert (await doubtful.cards(), await letters(doubtful)) == ([], [])


@pytest.mark.parametrize("first_word", ["accepted", "failed"])
async def test_the_second_attempt_fails_after_the_first_was_accepted(doubtful: World, first_word: str) -> None:
    """A row is as good as its best message: answered, whichever of the two callbacks comes first."""
    await ask(doubtful, BEHIND, ACCEPTED, Fault("delivery", "stuck"), Fault("delivery", "stuck"))
    await pass_(doubtful, 4 * GRACE)
    first, second = sid_of(doubtful, 0), sid_of(doubtful, 1)
    told = [(1, first, "delivered", {}), (2, second, "undelivered", {"ErrorCode": "30003"})]

    for attempt, sid, status, more in told if first_word == "accepted" else reversed(told):
        await callback(doubtful, await reference(doubtful, 1, attempt), sid, status, **more)

    assert await doubtful.rows("SELECT state, sid, error_code FROM outbox") == [
        {"state": "delivered", "sid": first, "error_code": None}
    ]
    assert await doubtful.dispositions() == ["answered"]
    assert await letters(doubtful) == []
    assert "undelivered" not in await doubtful.cards()


async def test_an_opt_out_by_the_second_attempt_counts_although_the_first_arrived(doubtful: World) -> None:
    """What a code says of the contact does not hang on what becomes of the row."""
    await ask(doubtful, BEHIND, ACCEPTED, Fault("delivery", "stuck"), Fault("delivery", "stuck"))
    await pass_(doubtful, 4 * GRACE)

    await callback(doubtful, await reference(doubtful), sid_of(doubtful, 0), "delivered")
    await callback(doubtful, await reference(doubtful, 1, 2), sid_of(doubtful, 1), "failed", ErrorCode="21610")

    assert await states(doubtful) == ["delivered"]
    assert await doubtful.column("SELECT opted_out_sid FROM contacts") == ["21610"]


async def test_the_second_post_is_refused_while_a_callback_names_the_first(doubtful: World) -> None:
    """The job ends as dead, and yet the customer has the answer: no dead letter."""
    await ask(doubtful, BEHIND, ACCEPTED, Fault("delivery", "stuck"))
    sender = doubtful.sender

    async def send(message: OutboundMessage) -> TwilioMessageResult:
        await callback(doubtful, await reference(doubtful), sid_of(doubtful, 0), "delivered")
        return TwilioMessageResult(SendOutcome.REFUSED, code=21211, detail="no")

    sender.send = send  # type: ignore[method-assign]
    await pass_(doubtful, 4 * GRACE)

    assert await doubtful.column("SELECT number FROM attempts ORDER BY number") == [1, 2]
    assert await states(doubtful) == ["delivered"]
    assert (await letters(doubtful), await doubtful.cards()) == ([], [])


async def test_both_attempts_fail(doubtful: World) -> None:
    """Neither message arrived: nobody has answered, one dead letter says so."""
    await ask(doubtful, BEHIND, ACCEPTED, Fault("delivery", "stuck"), Fault("delivery", "stuck"))
    await pass_(doubtful, 4 * GRACE)

    for attempt, sid in ((1, sid_of(doubtful, 0)), (2, sid_of(doubtful, 1))):
        await callback(doubtful, await reference(doubtful, 1, attempt), sid, "undelivered", ErrorCode="30003")

    assert await doubtful.dispositions() == ["dead"]
    assert len(await letters(doubtful)) == 1
    assert "undelivered" in await doubtful.cards()


async def test_an_answer_of_a_parked_row_comes_late(doubtful: World) -> None:
    """Unclear, left to the owner; then Twilio names it: the dead letter and its card are gone, it is answered."""
    await ask(doubtful, Fault("list", "lag", seconds=40, times=None), ACCEPTED)
    own = doubtful.twilio.ledger._entries.pop(sid_of(doubtful, 0))
    await write_by_hand(doubtful, "Oi, aqui é a Ana.")
    await pass_(doubtful, 4.5 * GRACE)
    assert (await states(doubtful), len(await letters(doubtful))) == (["parked"], 1)

    await callback(doubtful, await reference(doubtful), own.sid, "delivered")

    assert await states(doubtful) == ["delivered"]
    assert await doubtful.dispositions() == ["answered"]
    assert (await doubtful.cards(), await letters(doubtful)) == ([], [])


@pytest.mark.parametrize(("callbacks", "state"), [("twice", "delivered"), ("lost", "doubt")])
async def test_a_third_crash_gives_up_the_job_and_not_the_answer(tmp_path: Path, callbacks: str, state: str) -> None:
    """The process died while it sent this alone: Twilio has it, or it is in doubt; no dead letter says anything else."""
    async with World(tmp_path, twilio={"catch_up_every": 0}) as world:
        world.twilio.faults.add(Fault("create", "hang", accepted=True), Fault("callback", callbacks))
        await world.say(QUESTION)
        await world.until(lambda: "delivered" in [entry.status for entry in world.twilio.ledger])
        await world.twilio.settle()
        guilty = "UPDATE message_queue SET crashes = 2, alone = 1 WHERE kind = 'send_reply' AND status = 'running'"
        assert await world.appliance.store.write(lambda tx: tx.sql.run(guilty)) == 1
        await world.crash()
        await world.start()
        await world.settle()

        assert (await states(world), await letters(world)) == ([state], [])
