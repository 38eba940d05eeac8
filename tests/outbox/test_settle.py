"""Sends whose outcome is unknown are settled by Twilio's log: bound, sent once more, or shown to a person."""

from pathlib import Path

import pytest

from appliance.model import JobKind
from appliance.simulator import Fault
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


async def test_a_send_that_twilio_accepted_is_bound_and_not_sent_again(doubtful: World) -> None:
    """The connection broke after Twilio had the message: after the grace the log shows it, and that is all."""
    doubtful.twilio.faults.add(Fault("create", "reset", accepted=True))
    await doubtful.say(QUESTION)
    await doubtful.settle()
    assert await doubtful.column("SELECT state FROM outbox") == ["doubt"]

    await pass_(doubtful, 4 * MINUTES)

    assert await doubtful.column("SELECT sid IS NOT NULL FROM outbox") == [1]
    assert doubtful.sent() == [ANSWER]
    assert await doubtful.dispositions() == ["answered"]
    assert await doubtful.cards() == []


async def test_a_send_that_is_absent_from_the_log_is_sent_once_more(doubtful: World) -> None:
    """The connection broke before Twilio read it. On a quiet channel nothing tells how far the log is behind: nothing
    before four times the grace, then exactly one answer.
    """
    doubtful.twilio.faults.add(Fault("create", "reset"))
    await doubtful.say(QUESTION)
    await pass_(doubtful, 4 * GRACE - 2)
    assert doubtful.sent() == []
    assert await states(doubtful) == ["doubt"]

    await pass_(doubtful, 4)

    assert doubtful.sent() == [ANSWER]
    assert await doubtful.dispositions() == ["answered"]
    assert await doubtful.cards() == []


async def test_a_younger_message_of_the_channel_shortens_the_wait(doubtful: World) -> None:
    """The log shows what the neighbour got more than two minutes later: two reads, a grace apart, are enough."""
    doubtful.twilio.faults.add(Fault("create", "reset"))
    await doubtful.say(QUESTION)
    await pass_(doubtful, 2.5 * MINUTES)
    await write_by_hand(doubtful, "O bolo está pronto.", NEIGHBOUR)
    await pass_(doubtful, 3.4 * MINUTES)
    assert doubtful.sent() == []

    await pass_(doubtful, 0.2 * MINUTES)

    assert doubtful.sent() == [ANSWER]


async def test_a_message_hardly_younger_shortens_nothing(doubtful: World) -> None:
    """Clocks and wires may differ by two minutes: what the neighbour got within them tells nothing."""
    doubtful.twilio.faults.add(Fault("create", "reset"))
    await doubtful.say(QUESTION)
    await pass_(doubtful, 1.9 * MINUTES)
    await write_by_hand(doubtful, "O bolo está pronto.", NEIGHBOUR)
    await pass_(doubtful, 9 * MINUTES)
    assert doubtful.sent() == []

    await pass_(doubtful, 2 * MINUTES)

    assert doubtful.sent() == [ANSWER]


async def test_a_log_that_lacks_what_we_know_proves_nothing_for_long(doubtful: World) -> None:
    """The customer's next answer has a sid, and the log does not show even that: ten times the grace."""
    doubtful.twilio.faults.add(Fault("create", "reset"), Fault("list", "lag", seconds=9_999, times=None))
    await doubtful.say(QUESTION)
    await pass_(doubtful, 10)
    await doubtful.say("E o endereço?")
    await pass_(doubtful, 10 * GRACE - 20)
    assert (await states(doubtful))[0] == "doubt"

    await pass_(doubtful, 30)

    assert (await states(doubtful))[0] == "superseded"


async def test_a_doubt_of_long_ago_prolongs_no_other(doubtful: World) -> None:
    """Yesterday an answer was withdrawn and others were sent, which a read of today does not ask for: the next doubt
    waits for four times the grace, like the first.
    """
    doubtful.twilio.faults.add(Fault("create", "reset"))
    await doubtful.say(QUESTION)
    await pass_(doubtful, 10)
    await doubtful.say("Que horas abre?")
    await pass_(doubtful, 5 * GRACE)
    assert await states(doubtful) == ["superseded", "sent", "sent"]
    await pass_(doubtful, 60 * MINUTES)

    doubtful.twilio.faults.add(Fault("create", "reset"))
    await doubtful.say(QUESTION)
    await pass_(doubtful, 4 * GRACE + 10)

    assert len(doubtful.sent()) == 3
    assert (await states(doubtful))[-1] == "sent"


async def test_absent_however_often_it_was_tried(doubtful: World) -> None:
    """Five attempts came to nothing: the sixth is made all the same, and nothing is parked."""
    made = posts(doubtful)
    doubtful.twilio.faults.add(Fault("create", "reset", times=5))
    await doubtful.say(QUESTION)
    await doubtful.settle()

    for attempt in range(1, 6):
        assert (len(made), await states(doubtful)) == (attempt, ["doubt"]), attempt
        await pass_(doubtful, 4 * GRACE + 150)

    assert doubtful.sent() == [ANSWER]
    assert await doubtful.column("SELECT number FROM attempts") == [1, 2, 3, 4, 5, 6]
    assert (await letters(doubtful), await doubtful.cards()) == ([], [])


async def test_what_was_surely_not_sent_is_no_attempt(doubtful: World) -> None:
    """Refused by rate, refused again, then in doubt and absent: one attempt is on record, and it is sent once more."""
    busy = Fault("create", "error", status=429, code=20429, times=3)
    doubtful.twilio.faults.add(busy, Fault("create", "reset"))
    await doubtful.say(QUESTION)
    await pass_(doubtful, MINUTES)
    assert await states(doubtful) == ["doubt"]
    assert await doubtful.column("SELECT number FROM attempts") == [1]

    await pass_(doubtful, 4 * GRACE)

    assert doubtful.sent() == [ANSWER]
    assert await doubtful.cards() == []


async def test_an_unreadable_log_proves_nothing(doubtful: World) -> None:
    """While the list answers with errors nothing is sent again; when it can be read, it is settled."""
    doubtful.twilio.faults.add(Fault("create", "reset"), Fault("list", "error", times=None))
    await doubtful.say(QUESTION)
    await pass_(doubtful, 20 * MINUTES)
    assert doubtful.sent() == []

    doubtful.twilio.faults.clear()
    await pass_(doubtful, 2 * MINUTES)

    assert doubtful.sent() == [ANSWER]


async def test_a_new_conversation_is_answered_although_the_lane_was_lent_to_a_closed_one(tmp_path: Path) -> None:
    """A send in doubt frees the lane, so its conversation may expire; when it is sent once more, the next one waits."""
    minute = 60_000
    conversations = {"idle_after": minute, "expire_after": 2 * minute}
    async with World(tmp_path, clock=ManualClock(), conversations=conversations) as world:
        await world.teach("Horário", ANSWER)
        world.twilio.faults.add(Fault("callback", "lost", times=None), Fault("create", "reset"))
        await world.say(QUESTION)
        await pass_(world, 2 * MINUTES)
        await world.appliance.engine.schedule.tick(JobKind.EXPIRED)
        world.twilio.faults.add(Fault("create", "error", status=429, code=20429, times=None))
        await pass_(world, 11 * MINUTES)
        assert await states(world) == ["ready"]
        await world.say("Qual o horário amanhã?")
        world.twilio.faults.clear()
        await pass_(world, 2 * MINUTES)

        assert await world.column("SELECT status FROM conversations ORDER BY id") == ["closed", "progress"]
        assert await world.dispositions() == ["answered", "answered"]


async def test_a_question_that_waits_lets_the_older_answer_go_first(tmp_path: Path) -> None:
    """The log shows nothing of an answer while a newer question still gathers its burst: one answer to both."""
    minute = {"reply_delay": 60_000, "reply_delay_max": 60_000}
    async with World(tmp_path, clock=ManualClock(), conversations=minute) as world:
        await world.teach("Horário", ANSWER)
        world.twilio.faults.add(Fault("callback", "lost", times=None), Fault("create", "reset"))
        await world.say(QUESTION)
        await pass_(world, 12.8 * MINUTES)
        assert await world.column("SELECT state FROM outbox") == ["doubt"]
        await world.say("E no domingo, qual o horário?")
        await pass_(world, 5 * MINUTES)

        assert world.sent() == [ANSWER]
        assert await world.dispositions() == ["answered", "answered"]
        assert await world.cards() == []


async def test_a_late_list_within_the_grace_is_waited_for(doubtful: World) -> None:
    """The list shows the message only after 150 s: still one."""
    doubtful.twilio.faults.add(Fault("create", "reset", accepted=True), Fault("list", "lag", seconds=150, times=None))
    await doubtful.say(QUESTION)

    await pass_(doubtful, 6 * MINUTES)

    assert doubtful.sent() == [ANSWER]
    assert await doubtful.dispositions() == ["answered"]


async def test_equal_answers_share_what_twilio_has_of_them(doubtful: World) -> None:
    """Only the second of two equal answers arrived. The log gives its sid to the first; its late callback names the
    second. The customer gets two, our books name two, and nobody is told of a third.
    """
    doubtful.twilio.faults.add(Fault("create", "reset"), Fault("create", "reset", accepted=True))
    for _ in range(2):
        await doubtful.say(QUESTION)
        await pass_(doubtful, 6)
    tag = (await doubtful.column("SELECT tag FROM outbox ORDER BY id"))[1]
    await pass_(doubtful, 13 * MINUTES)
    sids = await doubtful.column("SELECT sid FROM outbox ORDER BY id")
    assert await doubtful.column("SELECT attempt FROM outbox ORDER BY id") == [1, 2]

    assert await callback(doubtful, f"2.1.{tag}", sids[0], "delivered") == 204

    assert doubtful.sent() == [ANSWER] * 2
    assert await doubtful.column("SELECT sid FROM outbox ORDER BY id") == sids
    assert await doubtful.column("SELECT state FROM outbox ORDER BY id") == ["delivered", "sent"]
    assert await doubtful.cards() == []


async def test_an_unknown_message_at_the_time_of_an_attempt_parks(doubtful: World) -> None:
    """Something else went to the customer within two minutes of the POST: it may be ours in another form. A person
    decides, nothing is sent, and there is a dead letter to decide on.
    """
    doubtful.twilio.faults.add(Fault("create", "reset"))
    await doubtful.say(QUESTION)
    await pass_(doubtful, 1 * MINUTES)
    await write_by_hand(doubtful, "Oi, aqui é a Ana.")

    await pass_(doubtful, 13 * MINUTES)

    assert await states(doubtful) == ["parked"]
    assert doubtful.sent() == ["Oi, aqui é a Ana."]
    assert await doubtful.cards() == ["doubt"]
    assert [error.split(":")[0] for error in await letters(doubtful)] == ["not sure it arrived"]
    assert await doubtful.dispositions() == ["dead"]


async def test_a_person_who_wrote_later_has_answered(doubtful: World) -> None:
    """Outside every attempt's window an unknown message is a person's: the question counts as answered, nothing is
    sent, nothing is left to the owner.
    """
    doubtful.twilio.faults.add(Fault("create", "reset"))
    await doubtful.say(QUESTION)
    await pass_(doubtful, 3 * MINUTES)
    await write_by_hand(doubtful, "Oi, aqui é a Ana: das 7h às 19h.")

    await pass_(doubtful, 13 * MINUTES)

    assert await states(doubtful) == ["superseded"]
    assert doubtful.sent() == ["Oi, aqui é a Ana: das 7h às 19h."]
    assert await doubtful.column("SELECT suppressed FROM messages") == ["answered elsewhere"]
    assert await doubtful.dispositions() == ["answered"]
    assert (await doubtful.cards(), await letters(doubtful)) == ([], [])


async def test_a_newer_answer_of_ours_makes_an_absent_one_stale(doubtful: World) -> None:
    """The customer asked again and was answered before the log proved anything: the old question is answered anew,
    behind it, and nothing is left to the owner.
    """
    doubtful.twilio.faults.add(Fault("create", "reset"))
    await doubtful.say(QUESTION)
    await pass_(doubtful, 10)
    await doubtful.say("Que horas abre?")
    await pass_(doubtful, 13 * MINUTES)

    assert await states(doubtful) == ["superseded", "sent", "sent"]
    assert doubtful.sent() == [ANSWER, ANSWER]
    assert await doubtful.dispositions() == ["answered", "answered"]
    assert (await doubtful.cards(), await letters(doubtful)) == ([], [])


@pytest.mark.parametrize("hours", [-24, 24])
async def test_a_clock_that_is_set_hides_no_send(doubtful: World, hours: int) -> None:
    """The attempt keeps its distance to Twilio's log: what was accepted is found there."""
    assert isinstance(doubtful.clock, ManualClock)
    wrong = doubtful.clock
    doubtful.twilio.now = wrong.true
    doubtful.twilio.faults.add(Fault("create", "reset", accepted=True))
    await doubtful.say(QUESTION)
    await doubtful.settle()

    wrong.jump(hours * 3600.0)
    await pass_(doubtful, 5 * MINUTES)

    assert await doubtful.column("SELECT sid IS NOT NULL FROM outbox") == [1]
    assert doubtful.sent() == [ANSWER]
