"""The loop guard before a responder is asked: whom the answer would not reach, nobody pays a model for."""

from pathlib import Path

from appliance.model import HOUR, SECOND
from appliance.operations.messages import ManualMessage, submit
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, SMS, ManualClock, World


async def beep(world: World, times: int) -> None:
    """Another robot writes and waits for the answer."""
    for number in range(times):
        await world.say(f"beep {number}")
        await world.settle()


async def by_hand(world: World, number: int) -> None:
    """A person writes to the customer."""
    message = ManualMessage(SMS, CUSTOMER, f"by hand {number}", None, "api")
    await world.appliance.store.write(lambda tx: submit(tx, message, world.config))
    world.appliance.engine.bell.ring()
    await world.settle()


async def test_a_model_is_paid_for_what_is_sent_alone(tmp_path: Path) -> None:
    """26 messages of one contact: 20 calls for 20 sends; the rest is silence, a reason and one card."""
    model = FakeAi()
    async with World(tmp_path, clock=ManualClock(), model=model) as world:
        await beep(world, 26)

        assert len(model.requests) == 20
        assert len(world.sent()) == 20
        assert await world.dispositions() == ["answered"] * 20 + ["suppressed"] * 6
        assert await world.column("SELECT DISTINCT suppressed FROM messages WHERE reply_id IS NULL") == ["loop guard"]
        (card,) = await world.rows("SELECT kind, times FROM cards WHERE closed_at IS NULL")
        assert (card["kind"], card["times"]) == ("not_sent", 6)
        assert await world.told() == ["An answer to …7777 was not sent. The reason: more than 20 replies in an hour."]
        assert await world.column("SELECT count(*) FROM message_queue WHERE status IN ('ready', 'dead')") == [0]


async def test_after_its_hour_the_model_is_asked_again(tmp_path: Path) -> None:
    """The guard looks back one hour, not further, however much it held back meanwhile."""
    clock, model = ManualClock(), FakeAi()
    async with World(tmp_path, clock=clock, model=model, conversations={"max_replies_per_hour": 2}) as world:
        await beep(world, 12)
        assert (len(model.requests), len(world.sent())) == (2, 2)

        await clock.advance(HOUR / SECOND, world.settle)
        await beep(world, 1)

        assert (len(model.requests), len(world.sent())) == (3, 3)


async def test_no_limit_asks_for_each(tmp_path: Path) -> None:
    """`max_replies_per_hour = 0`: no guard before the model either."""
    model = FakeAi()
    async with World(tmp_path, clock=ManualClock(), model=model, conversations={"max_replies_per_hour": 0}) as world:
        await beep(world, 26)

        assert (len(model.requests), len(world.sent())) == (26, 26)


async def test_a_person_may_write_as_often_as_they_like(tmp_path: Path) -> None:
    """Manual messages count towards the limit, as at the send, and are never held back by it."""
    model = FakeAi()
    async with World(tmp_path, clock=ManualClock(), model=model, conversations={"max_replies_per_hour": 3}) as world:
        await beep(world, 1)
        for number in range(4):
            await by_hand(world, number)
        await beep(world, 1)

        assert world.sent() == ["You asked: beep 0", *(f"by hand {number}" for number in range(4))]
        assert len(model.requests) == 1


async def test_the_sending_unit_still_looks(tmp_path: Path) -> None:
    """The hour fills while a draft waits for a connection: what was allowed when it was asked for is not any more."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, model=FakeAi(), conversations={"max_replies_per_hour": 1}) as world:
        await world.twilio_line.cut()
        await world.say("Oi")
        await world.settle()
        await world.appliance.store.write(
            lambda tx: tx.sql.run(
                "INSERT INTO outbox (organization_id, channel_id, contact_id, kind, body, body_hash, state, created_at, "
                "sending_at, sid) VALUES (1, 1, 1, 'manual', 'x', x'00', 'sent', ?, ?, 'SM1')",
                tx.now,
                tx.now,
            )
        )
        await world.twilio_line.mend()
        await clock.advance(60, world.settle)

        assert world.sent() == []
        assert await world.column("SELECT state FROM outbox WHERE kind = 'answer'") == ["suppressed"]
        assert await world.cards() == ["not_sent"]
