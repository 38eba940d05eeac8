"""A person with several addresses, of which one is forgotten: the others go on, and what was wanted still counts."""

from pathlib import Path

from appliance.opening import restore
from appliance.simulator import Fault
from appliance.simulator.identities import changed
from appliance.store import Tx, backup
from tests.outbox.scene import pass_
from tests.people.scene import ANSWER, NUMBER, OTHER_ID, USER_ID, join, people, say
from tests.privacy.scene import REAL, catch_up, forget, states, traces
from tests.support.api_client import api_of
from tests.support.world import WHATSAPP, World

MINUTE = 60.0


async def test_who_wanted_no_messages_wants_none_by_the_other_address(tmp_path: Path) -> None:
    """The word was said by the address that is forgotten; the export of the other tells it before."""
    async with World(tmp_path, account=REAL) as world:
        await world.teach("Horário", ANSWER)
        await say(world, "oi")
        await say(world, "oi", USER_ID)
        await join(world)
        await say(world, "SAIR")
        async with api_of(world) as api:
            _, exported = await api.post("contacts/export", {"address": USER_ID})
        (contact,) = exported["person"]["contacts"]
        said = len(world.sent(USER_ID))

        await forget(world, NUMBER)
        await world.settle()
        async with api_of(world) as api:
            await api.post("messages", {"from": WHATSAPP, "to": USER_ID, "body": "Promoção"})
        await world.settle()

        assert await states(world) == ["done"]
        assert contact["consent"]["may_be_written_to"] is False
        assert "Promoção" not in world.sent(USER_ID)[said:]
        assert await world.column("SELECT state FROM outbox ORDER BY id DESC LIMIT 1") == ["suppressed"]


async def test_those_who_were_one_person_by_it_alone_are_two(tmp_path: Path) -> None:
    """Nobody stays joined by a link that is not there."""
    async with World(tmp_path, account=REAL) as world:
        for address in (NUMBER, USER_ID, OTHER_ID):
            await say(world, "oi", address)
        await join(world, NUMBER, USER_ID)
        await join(world, NUMBER, OTHER_ID)

        await forget(world, NUMBER)
        await world.settle()

        assert [USER_ID] in await people(world)
        assert [OTHER_ID] in await people(world)
        assert await world.column("SELECT count(*) FROM contacts WHERE person_id IS NOT NULL") == [0]
        assert await world.column("SELECT count(*) FROM contact_links") == [0]


def bare(address: str) -> str:
    return address.removeprefix("whatsapp:")


async def both(world: World) -> None:
    """One person by two addresses, who is forgotten by one of them: of that one nothing is left."""
    await say(world, "oi", USER_ID)
    await pass_(world, 1)
    await forget(world, USER_ID)
    await pass_(world, MINUTE)
    assert await states(world) == ["done"]


async def aliases(world: World) -> list[str]:
    return await world.column("SELECT address FROM contact_aliases ORDER BY address")


async def test_a_late_webhook_does_not_bring_the_address_back(clockwork: World) -> None:
    """Its message is from before, and came by Twilio's log; what else it says is kept. A new message may name it."""
    sid, _ = await clockwork.twilio.receive(NUMBER, WHATSAPP, "Qual o horário?", deliver=False)
    await pass_(clockwork, MINUTE)
    await catch_up(clockwork)
    await both(clockwork)
    late = changed(bare(OTHER_ID), bare(USER_ID)) | {"ExternalUserId": bare(USER_ID), "ProfileName": "Zuleika"}

    assert (await clockwork.twilio.receive(NUMBER, WHATSAPP, "Qual o horário?", sid=sid, extra=late))[1] == 200

    assert await aliases(clockwork) == [OTHER_ID]
    assert traces(clockwork.appliance.store.directory, [bare(USER_ID)]) == {}
    assert await clockwork.column("SELECT profile_name FROM contacts WHERE address = ?", NUMBER) == ["Zuleika"]
    await say(clockwork, "Qual o horário?", ExternalUserId=bare(USER_ID))
    assert await aliases(clockwork) == [USER_ID, OTHER_ID]


async def test_a_late_callback_does_not_bring_the_address_back(clockwork: World) -> None:
    """Twilio tells of an older message under the forgotten address; the status counts, the address is not kept."""
    clockwork.twilio.faults.add(Fault("callback", "lost", times=None))
    await say(clockwork, "Qual o horário?")
    (row,) = await clockwork.rows("SELECT id, sid, tag FROM outbox")
    await both(clockwork)
    told = {"MessageSid": row["sid"], "MessageStatus": "delivered", "From": WHATSAPP, "AccountSid": REAL}

    url = f"{clockwork.address}/twilio/status?o={row['id']}.1.{row['tag']}"
    answer = await clockwork.twilio._webhooks.call(url, told | {"To": USER_ID})

    assert (answer.status, await aliases(clockwork)) == (204, [])
    assert await clockwork.column("SELECT state FROM outbox WHERE id = ?", row["id"]) == ["delivered"]
    assert await clockwork.column("SELECT note FROM delivery_events WHERE status = 'delivered'") == ["differing To"]
    assert traces(clockwork.appliance.store.directory, [bare(USER_ID)]) == {}


async def test_a_copy_in_which_it_was_an_alias_alone(clockwork: World) -> None:
    """Whoever has the address wrote by it after the copy was taken, and was forgotten then."""
    directory = clockwork.appliance.store.directory
    await clockwork.appliance.store.write(_note)
    copy = backup.keep_one(directory, clockwork.clock.now())  # type: ignore[union-attr]
    await pass_(clockwork, MINUTE)
    await both(clockwork)
    await clockwork.stop()

    store = await restore(clockwork.config, clockwork.clock, copy)  # type: ignore[arg-type]
    found = await store.read(lambda tx: [row[0] for row in tx.sql.all("SELECT address FROM contact_aliases")])
    await store.close()

    assert found == [OTHER_ID]


def _note(tx: Tx) -> None:
    contact = tx.contacts.ensure(2, NUMBER)
    for address in (USER_ID, OTHER_ID):
        tx.links.note(contact.id, address, "ExternalUserId")
