"""Sending once: outcomes of one POST, doubt, and the checks of the unit of work that sets `sending`."""

from pathlib import Path

import pytest

from appliance.model import HOUR, MANUAL, MINUTE, SECOND, JobKind, channel_resource
from appliance.simulator.faults import Fault
from appliance.store import Tx
from tests.support.fake_ai import FakeAi
from tests.support.wire import callback
from tests.support.world import CUSTOMER, WHATSAPP, ManualClock, World

QUESTION = "Qual o horário?"
ON_WHATSAPP = f"whatsapp:{CUSTOMER}"
UNKNOWN_OUTCOMES = [
    Fault("create", "reset", accepted=True),
    Fault("create", "hang", accepted=True),
    Fault("create", "error", accepted=True, status=500),
    Fault("create", "error", accepted=True, status=503, code=20503),
    Fault("create", "error", accepted=True, status=429),
    Fault("create", "half_json"),
    Fault("create", "no_sid"),
]


def named(fault: Fault) -> str:
    return f"{fault.kind}-{fault.status}-{fault.code}"


async def states(world: World) -> list[str]:
    return await world.column("SELECT state FROM outbox ORDER BY id")


async def hold_back(world: World) -> None:
    """Twilio refuses connections, so that the draft is written and waits."""
    await world.twilio_line.cut()


@pytest.mark.parametrize("fault", UNKNOWN_OUTCOMES, ids=named)
async def test_an_unknown_outcome_is_doubt_and_not_resent(tmp_path: Path, fault: Fault) -> None:
    """The customer may have it already: one POST, whatever time passes, also over a restart; a callback settles it."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, twilio={"timeout": 300}) as world:
        world.twilio.faults.add(fault, Fault("callback", "lost"))
        await world.say(QUESTION)
        await world.until(lambda: not world.appliance.engine.worker.busy)
        await world.settle()
        await clock.advance(120, world.settle)
        await world.stop()
        await world.start()
        await world.settle()

        assert len(world.sent()) == 1
        assert await states(world) == ["doubt"]
        assert await world.cards() == ["doubt"]
        row = (await world.rows("SELECT * FROM outbox"))[0]
        sid = next(entry.sid for entry in world.twilio.ledger if not entry.inbound)
        await callback(world, f"{row['id']}.{row['attempt']}.{row['tag']}", sid, "delivered")
        assert await states(world) == ["delivered"]
        assert await world.dispositions() == ["answered"]


async def test_a_doubt_does_not_hold_the_next_answer_back(tmp_path: Path) -> None:
    """The lane is free: the customer's next question is answered when the account's pause of 5 s is over."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        world.twilio.faults.add(Fault("create", "reset"))
        await world.say(QUESTION)
        await world.settle()

        await world.say("E o endereço?")
        await clock.advance(4, world.settle)
        assert await states(world) == ["doubt", "ready"]
        await clock.advance(2, world.settle)

        assert await states(world) == ["doubt", "delivered"]


async def test_killed_while_sending_is_doubt(tmp_path: Path) -> None:
    """The process dies after `sending` was committed: nobody knows, so nothing is sent again."""
    async with World(tmp_path) as world:
        world.twilio.faults.add(Fault("create", "hang", accepted=True), Fault("callback", "lost"))
        await world.say(QUESTION)
        await world.until(world.sent)
        await world.crash()
        await world.start()
        await world.settle()

        assert len(world.sent()) == 1
        assert await states(world) == ["doubt"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("create", "error", status=429, code=20429, times=3),
        Fault("create", "error", status=429, code=20429, retry_after=1),
        Fault("create", "error", status=401, code=20003, times=2),
        Fault("create", "error", status=400, code=63007, times=2),
        Fault("create", "error", status=400, code=21611),
    ],
    ids=named,
)
async def test_what_was_surely_not_sent_is_sent_later(tmp_path: Path, fault: Fault) -> None:
    """Rate limit, rejected credentials, a sender's set-up, a full queue: the answer waits and then goes out once."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, queue={"max_attempts": 1}) as world:
        world.twilio.faults.add(fault)
        await world.say(QUESTION)
        await clock.advance(10 * MINUTE / SECOND, world.settle)

        assert len(world.sent()) == 1
        assert await states(world) == ["delivered"]
        assert await world.cards() == []


@pytest.mark.parametrize(("code", "out"), [(21211, False), (21610, True), (63016, False), (99999, False)])
async def test_a_refusal_is_final_and_a_card(world: World, code: int, out: bool) -> None:
    """Twilio says no to this message: failed, a card in plain words, a dead letter; 21610 also marks the opt-out."""
    world.twilio.faults.add(Fault("create", "error", status=400, code=code))

    await world.say(QUESTION)
    await world.settle()

    assert world.sent() == []
    assert await states(world) == ["failed"]
    assert await world.cards() == ["not_sent"]
    assert await world.dispositions() == ["dead"]
    assert await world.column("SELECT kind FROM message_queue WHERE status = 'dead'") == ["send_reply"]
    assert await world.column("SELECT opted_out_at IS NOT NULL FROM contacts") == [int(out)]


async def test_stop_between_draft_and_send_means_silence(tmp_path: Path) -> None:
    """The answer was written, then the customer left: it is checked when it is sent, so nothing goes out."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await hold_back(world)
        await world.say(QUESTION)
        await world.settle()
        assert await states(world) == ["ready"]

        await world.say("STOP")
        await world.twilio_line.mend()
        await clock.advance(60, world.settle)

        assert world.sent() == []
        assert await states(world) == ["suppressed"]
        assert await world.dispositions() == ["suppressed", "suppressed"]


async def test_a_closed_whatsapp_window_is_a_card(tmp_path: Path) -> None:
    """24 hours after the customer's message a free answer is not allowed any more."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await hold_back(world)
        await world.say(QUESTION, ON_WHATSAPP, WHATSAPP)
        await world.settle()
        a_day_ago = clock.now() - 24 * HOUR
        await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE contacts SET last_inbound_at = ?", a_day_ago))
        await world.twilio_line.mend()
        await clock.advance(60, world.settle)

        assert world.sent(ON_WHATSAPP) == []
        assert await states(world) == ["suppressed"]
        assert await world.cards() == ["not_sent"]


async def test_an_old_answer_is_a_card(tmp_path: Path) -> None:
    """Waiting ends by age: an answer older than reply_max_age is not sent."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, queue={"reply_max_age": HOUR}) as world:
        await hold_back(world)
        await world.say(QUESTION)
        await world.settle()
        await clock.advance(HOUR / SECOND, world.settle)
        await world.twilio_line.mend()
        await clock.advance(60, world.settle)

        assert world.sent() == []
        assert await states(world) == ["failed"]
        assert await world.dispositions() == ["dead"]
        assert await world.cards() == ["not_sent"]


async def test_the_loop_guard_ends_in_silence(tmp_path: Path) -> None:
    """Two bots talking to each other: after max_replies_per_hour nothing more is sent, until the hour is over."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, model=FakeAi(), conversations={"max_replies_per_hour": 3}) as world:
        for number in range(5):
            await world.say(f"beep {number}")
            await world.settle()
        assert len(world.sent()) == 3
        assert await states(world) == ["delivered"] * 3
        assert await world.dispositions() == ["answered"] * 3 + ["suppressed"] * 2
        assert await world.cards() == ["not_sent"]

        await clock.advance(HOUR / SECOND, world.settle)
        await world.say("beep again")
        await world.settle()
        assert len(world.sent()) == 4


async def test_a_message_sent_late_does_not_count_against_itself(tmp_path: Path) -> None:
    """The one reply an hour allows is refused a connection first: the second attempt is the same reply."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, conversations={"max_replies_per_hour": 1}) as world:
        await hold_back(world)
        await world.say(QUESTION)
        await clock.advance(2, world.settle)
        await world.twilio_line.mend()
        await clock.advance(60, world.settle)

        assert len(world.sent()) == 1
        assert await world.cards() == []


async def test_a_damaged_body_is_not_sent(tmp_path: Path) -> None:
    """The hash written with the draft no longer fits: a card, not nonsense to a customer."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await hold_back(world)
        await world.say(QUESTION)
        await world.settle()
        await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE outbox SET body = 'b' || body"))
        await world.twilio_line.mend()
        await clock.advance(60, world.settle)

        assert world.sent() == []
        assert await states(world) == ["failed"]


async def test_a_handoff_is_said_once_then_a_person_is_in_charge(world: World) -> None:
    """The handoff text goes out; what follows gets silence and a card."""
    await world.say("ATENDENTE")
    await world.settle()
    await world.say("Alguém aí?")
    await world.settle()

    assert len(world.sent()) == 1
    assert "equipe" in world.sent()[0]
    assert await world.column("SELECT status FROM conversations") == ["human"]
    assert await world.dispositions() == ["answered", "suppressed"]
    assert set(await world.cards()) == {"waiting"}


async def test_a_handoff_survives_a_newer_message(tmp_path: Path) -> None:
    """A message that arrived while the handoff was being decided does not take its one text away."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await hold_back(world)
        await world.say("ATENDENTE")
        await world.settle()
        # As if it had come between reading the live messages and writing the handoff.
        await world.appliance.store.write(
            lambda tx: tx.sql.run(
                "INSERT INTO messages (sid, organization_id, contact_id, conversation_id, body, media, message_type, "
                "parameters, source, received_at) SELECT 'SM2', organization_id, contact_id, conversation_id, 'e aí?', "
                "media, message_type, parameters, source, received_at FROM messages"
            )
        )
        await world.twilio_line.mend()
        await clock.advance(60, world.settle)

        assert len(world.sent()) == 1
        assert await world.dispositions() == ["answered", "suppressed"]


async def test_a_manual_message_passes_the_same_checks(tmp_path: Path) -> None:
    """An operator's message to somebody who opted out is not sent either."""
    async with World(tmp_path) as world:
        await world.say("STOP")
        await world.appliance.store.write(_draft_manual)
        world.appliance.engine.bell.ring()
        await world.settle()

        assert world.sent() == []
        assert await states(world) == ["suppressed"]


def _draft_manual(tx: Tx) -> None:
    outbox_id = tx.outbox.insert(
        organization_id=1, channel_id=1, contact_id=1, conversation_id=1, kind=MANUAL, body="x"
    )
    tx.jobs.enqueue(JobKind.SEND, resource=channel_resource(1), lane="manual", payload={"outbox": outbox_id})
