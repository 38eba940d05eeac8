"""What is withdrawn is told where nothing else would say it."""

from pathlib import Path

from appliance.operations.messages import ManualMessage, submit
from appliance.outbox import delivery
from appliance.ports import TooMuchError
from appliance.simulator import Fault
from appliance.store import Tx
from tests.outbox.scene import MINUTES, QUESTION, letters, pass_, states, unheard
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, SMS, World


async def test_an_operators_words_do_not_vanish(tmp_path: Path) -> None:
    """In doubt, absent, and a newer answer reached the customer: a dead letter with a card."""
    async with unheard(tmp_path) as world:
        await world.say(QUESTION)
        await pass_(world, 6)
        world.twilio.faults.add(Fault("create", "reset"))
        await world.appliance.store.write(lambda tx: _manual(world, tx))
        world.appliance.engine.bell.ring()
        await pass_(world, 10)
        await world.say(QUESTION)
        await pass_(world, 40 * MINUTES)

        assert (await states(world))[1] == "superseded"
        assert await world.cards() == ["not_sent"]
        assert len(await letters(world)) == 1


def _manual(world: World, tx: Tx) -> None:
    submit(tx, ManualMessage(SMS, CUSTOMER, "Pronto!", None, "ana"), world.config)


async def test_a_log_that_is_too_long_ends_in_a_letter(tmp_path: Path) -> None:
    """The channel's read has more than a read may take, for ever: a person decides."""
    async with unheard(tmp_path) as world:
        world.twilio.faults.add(Fault("create", "reset"))
        await world.say(QUESTION)
        await pass_(world, 6)

        async def endless(*_: object, **__: object) -> None:
            raise TooMuchError("more than 20000 messages")

        world.log.sent = endless  # type: ignore[method-assign, assignment]
        await pass_(world, 20 * MINUTES)

        assert await states(world) == ["parked"]
        assert len(await letters(world)) == 1


async def test_what_is_ready_again_goes_before_an_answer_that_was_being_composed(tmp_path: Path) -> None:
    """An older answer turns out not to have been sent while a model thinks: the lane's next turn is its own."""
    model = FakeAi()
    async with World(tmp_path, model=model) as world:
        world.twilio.faults.add(Fault("create", "reset"))
        world.twilio.faults.add(Fault("callback", "lost", times=None))
        await world.say("first")
        await world.until(lambda: _are(world, "doubt"))
        model.delay = 0.5
        await world.say("second")
        await world.until(lambda: len(model.requests) == 2)
        await world.appliance.store.write(lambda tx: _resend(world, tx))
        await world.until(world.sent)

        turns = "SELECT json_extract(payload, '$.outbox') FROM message_queue WHERE kind = 'send_reply' ORDER BY id"
        assert await world.column(turns) == [1, 1, 2]


async def _are(world: World, *wanted: str) -> bool:
    return await states(world) == [*wanted]


def _resend(world: World, tx: Tx) -> None:
    (row,) = tx.outbox.in_doubt_in_the_box()
    delivery.resend(tx, row, world.config)
