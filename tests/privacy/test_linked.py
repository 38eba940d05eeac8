"""A person with several addresses, of which one is forgotten: the others go on, and what was wanted still counts."""

from pathlib import Path

from tests.people.scene import ANSWER, NUMBER, OTHER_ID, USER_ID, join, people, say
from tests.privacy.scene import REAL, forget, states
from tests.support.api_client import api_of
from tests.support.world import WHATSAPP, World


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
