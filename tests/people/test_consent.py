"""Consent and WhatsApp's window of a person with several addresses."""

from pathlib import Path
from typing import Any

from appliance.model import JobKind
from appliance.operations.messages import ManualMessage, submit
from appliance.people import identity
from appliance.store.links import BY_HAND
from tests.people.scene import ANSWER, NUMBER, QUESTION, USER_ID, join, pass_, say, shop
from tests.support.world import CUSTOMER, SMS, WHATSAPP, World

GONE = "Pronto, você não receberá mais mensagens nossas por aqui. Para voltar, responda VOLTAR."
BACK = "Pronto, voltamos a conversar. Como posso ajudar?"
REMINDER = "Você pediu para não receber mensagens. Para ser atendido, responda VOLTAR."
HOURS = 3600.0


async def out(world: World) -> list[bool]:
    """Whether each contact counts as out, as a person."""

    def unit(tx: Any) -> list[bool]:
        return [tx.contacts.as_person(contact).opted_out_at is not None for contact in tx.contacts.page_of_the_box()]

    return await world.appliance.store.read(unit)


async def unlink(world: World) -> None:
    await world.appliance.store.write(lambda tx: tx.links.undo(tx.links.of(1)[0], "ana"))


async def send(world: World, to: str) -> None:
    message = ManualMessage(WHATSAPP, to, "Seu pedido chegou.", None, "api")
    await world.appliance.store.write(lambda tx: submit(tx, message, world.config))
    world.appliance.engine.bell.ring()
    await world.settle()


async def test_who_leaves_by_one_address_has_left_by_the_other(tmp_path: Path) -> None:
    """SAIR by the number is confirmed there and silences the id; the reminder comes once for both; VOLTAR by the id ends
    it for both.
    """
    async with shop(tmp_path) as world:
        await join(world)
        await say(world, "SAIR", NUMBER)
        assert await out(world) == [True, True]
        await say(world, QUESTION, USER_ID)
        await say(world, QUESTION, NUMBER)
        await send(world, USER_ID)
        assert (world.sent(NUMBER), world.sent(USER_ID)) == ([GONE], [REMINDER])

        await say(world, "VOLTAR", USER_ID)
        await say(world, QUESTION, NUMBER)

        assert await out(world) == [False, False]
        assert (world.sent(NUMBER), world.sent(USER_ID)) == ([GONE, ANSWER], [REMINDER, BACK])


async def test_a_draft_to_the_other_address_is_withheld(tmp_path: Path) -> None:
    """The answer to the number waits for its turn when the id says SAIR, and when the two become one person."""
    async with shop(tmp_path) as world:
        await say(world, "SAIR", USER_ID)
        await world.appliance.store.write(lambda tx: tx.jobs.enqueue(JobKind.REPLY, lane=f"2|{NUMBER}", run_at=2**52))
        await say(world, QUESTION, NUMBER)
        await join(world)
        await world.appliance.store.write(
            lambda tx: tx.sql.run(
                "UPDATE message_queue SET run_at = 0, payload = ? WHERE lane = ?", '{"conversation": 2}', f"2|{NUMBER}"
            )
        )
        world.appliance.engine.bell.ring()
        await world.settle()

        assert world.sent(NUMBER) == []
        assert await world.column("SELECT reason FROM outbox WHERE kind = 'answer'") == ["opted out"]


async def test_undone_each_address_has_its_own_word(tmp_path: Path) -> None:
    """The number left and the id came back: apart again, the number has left and the id has not. What the id says a
    second time is its own word too.
    """
    async with shop(tmp_path) as world:
        await join(world)
        await say(world, "SAIR", NUMBER)
        await say(world, "VOLTAR", USER_ID)
        assert await out(world) == [False, False]
        await unlink(world)
        assert await out(world) == [True, False]

        await join(world)
        assert await out(world) == [False, False]
        await say(world, "SAIR", NUMBER)
        await say(world, "SAIR", USER_ID)
        await unlink(world)

        assert await out(world) == [True, True]
        assert world.sent(USER_ID) == [BACK]


async def test_consent_follows_the_kind_of_channel(tmp_path: Path) -> None:
    """By the owner's hand one person by SMS, on WhatsApp and on a second number of WhatsApp: SAIR on WhatsApp holds on
    both, and says nothing about SMS.
    """
    second = "whatsapp:+551140000009"
    async with shop(tmp_path) as world:
        await world.appliance.store.write(lambda tx: tx.channels.insert(1, second))
        world.twilio.owned = [*world.twilio.owned, second]

        def unit(tx: Any) -> None:
            sms, here, there = (identity.meet(tx, n, a) for n, a in ((1, CUSTOMER), (2, NUMBER), (3, NUMBER)))
            assert identity.join(tx, sms.id, here.id, BY_HAND)
            assert identity.join(tx, here.id, there.id, BY_HAND)

        await world.appliance.store.write(unit)
        await say(world, "SAIR", NUMBER)
        await world.say(QUESTION, NUMBER, second)
        await world.say(QUESTION, CUSTOMER, SMS)
        await world.settle()

        assert await out(world) == [False, True, True]
        assert (world.sent(NUMBER), world.sent()) == ([GONE, REMINDER], [ANSWER])


async def test_a_missed_word_is_overtaken_by_a_later_one_of_the_other_address(tmp_path: Path) -> None:
    """SAIR by the number was missed, VOLTAR by the id came in after it: nobody has left. Both missed: the last counts."""
    async with shop(tmp_path) as world:
        await join(world)
        await say(world, QUESTION, NUMBER)
        await world.twilio.receive(NUMBER, WHATSAPP, "SAIR", deliver=False)
        await pass_(world, 5)
        await say(world, "VOLTAR", USER_ID)
        await pass_(world, 60)
        await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
        await pass_(world, 30)
        assert await out(world) == [False, False]

        for address, word in ((NUMBER, "SAIR"), (USER_ID, "VOLTAR"), (NUMBER, "VOLTAR"), (USER_ID, "SAIR")):
            await world.twilio.receive(address, WHATSAPP, word, deliver=False)
            await pass_(world, 5)
        await pass_(world, 60)
        await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
        await pass_(world, 30)

        assert await out(world) == [True, True]


async def test_whatsapps_window_is_the_persons(tmp_path: Path) -> None:
    """The number wrote two days ago, the id just now: the number may be written to. Twilio's word that it is closed
    closes it for both.
    """
    async with shop(tmp_path) as world:
        world.twilio.identities.user_ids[NUMBER] = USER_ID.removeprefix("whatsapp:")
        await say(world, QUESTION, NUMBER)
        await pass_(world, 48 * HOURS)
        await send(world, NUMBER)
        assert world.sent(NUMBER) == [ANSWER]
        await say(world, QUESTION, USER_ID)
        await send(world, NUMBER)
        assert world.sent(NUMBER) == [ANSWER, "Seu pedido chegou."]

        await world.appliance.store.write(lambda tx: tx.contacts.window_closed(1))
        await send(world, USER_ID)

        assert world.sent(USER_ID) == [ANSWER]
        assert (await world.column("SELECT reason FROM outbox ORDER BY id"))[-1] == "window closed"
