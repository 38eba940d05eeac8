"""What joins two addresses to one person: Twilio's word and the owner's; never that they look alike."""

from pathlib import Path
from typing import Any

import pytest

from appliance.model import JobKind
from appliance.simulator import without_ninth_digit
from appliance.simulator.identities import changed
from tests.people.scene import ANSWER, NUMBER, OTHER_ID, QUESTION, SHORT, TOLD, USER_ID, join, pass_, people, say, shop
from tests.support.world import CUSTOMER, SMS, WHATSAPP, World

BARE = USER_ID.removeprefix("whatsapp:")
# Who writes first, who second, and what the webhooks of the two say besides.
TOLD_BY = {
    "an id beside the number, then the id alone": ((NUMBER, TOLD), (USER_ID, {})),
    "the id alone, then the number with it": ((USER_ID, {}), (NUMBER, TOLD)),
    "an id with its prefix": ((NUMBER, {"ExternalUserId": USER_ID}), (USER_ID, {})),
    "a number beside the id": ((USER_ID, {"WaId": CUSTOMER[1:]}), (NUMBER, {})),
    "WaId with the ninth digit that From lacks": ((SHORT, {"WaId": CUSTOMER[1:]}), (NUMBER, {})),
    "one id beside two forms of a number": ((SHORT, TOLD), (NUMBER, TOLD)),
    "another id": ((USER_ID, {}), (OTHER_ID, changed(BARE, OTHER_ID.removeprefix("whatsapp:")))),
    "another id, told by the old one": ((USER_ID, changed(BARE, OTHER_ID.removeprefix("whatsapp:"))), (OTHER_ID, {})),
    "another number": ((USER_ID, {}), (NUMBER, changed(BARE, "BR.9", CUSTOMER[1:]))),
}


@pytest.mark.parametrize("case", TOLD_BY)
async def test_what_twilio_says_joins(world: World, case: str) -> None:
    """Whoever of the two comes first: one person, whose two addresses keep their own conversation and lane."""
    (one, first), (other, second) = TOLD_BY[case]
    await say(world, "Oi", one, **first)
    await say(world, "Oi", other, **second)

    assert await people(world) == [[one, other]]
    assert await world.column("SELECT session_key FROM conversations ORDER BY id") == [f"2|{one}", f"2|{other}"]


async def test_a_word_of_another_id_is_no_question(world: World) -> None:
    """WhatsApp's system message is stored and not answered."""
    await say(world, "Oi", USER_ID)
    before = len(world.sent(USER_ID))
    await say(world, "User A changed from B to C", USER_ID, **changed(BARE, "BR.9"))

    assert len(world.sent(USER_ID)) == before
    assert await world.column("SELECT suppressed FROM messages WHERE message_type = 'system'") == ["nothing to read"]


async def test_likeness_alone_joins_nobody(world: World) -> None:
    """A number with and without its ninth digit, and by SMS: three people until somebody says otherwise."""
    await say(world, "Oi", NUMBER)
    await say(world, "Oi", SHORT, WaId=SHORT.removeprefix("whatsapp:+"))
    await world.say("Oi", CUSTOMER, SMS)
    await world.settle()

    assert await people(world) == [[NUMBER], [SHORT], [CUSTOMER]]


NONSENSE: list[dict[str, str]] = [
    {"ExternalUserId": "BR." + "x" * 129},
    {"ExternalUserId": "whatsapp:whatsapp:BR.1"},
    {"ExternalUserId": "BR.1'; DROP TABLE contacts"},
    {"WaId": "0"},
    {"WaId": "anonymous"},
    {"MessageType": "system", "ChannelMetadata": '{"data": {"system": ["user_changed_user_id"]}}'},
    {"MessageType": "system", "ChannelMetadata": '{"data": {"system": {"type": {}, "user_id": {}}}}'},
    {"MessageType": "system", "ChannelMetadata": "[" * 5_000},
    {"MessageType": "system", "ChannelMetadata": '{"data": ' * 2_000},
    {"MessageType": "text", **{k: v for k, v in changed("BR.1", "BR.2").items() if k == "ChannelMetadata"}},
]


@pytest.mark.parametrize("extra", NONSENSE)
async def test_what_is_no_address_is_no_evidence(world: World, extra: dict[str, str]) -> None:
    """The message is stored all the same."""
    await say(world, "Oi", NUMBER, **extra)

    assert await world.column("SELECT count(*) FROM messages") == [1]
    assert await world.column("SELECT address FROM contact_aliases") == []


async def test_the_to_of_a_callback_is_evidence(world: World) -> None:
    """Twilio tells of our answer under the number's other form: who writes by that is the same person."""
    world.twilio.canonical = without_ninth_digit
    await say(world, "Oi", NUMBER)
    assert await world.rows("SELECT address, evidence FROM contact_aliases") == [
        {"address": SHORT, "evidence": "To of a callback"}
    ]

    await say(world, "Oi", SHORT)

    assert await people(world) == [[NUMBER, SHORT]]


async def test_a_late_webhook_brings_its_evidence(tmp_path: Path) -> None:
    """Twilio's log has no ids: what catch-up stored is joined when its webhook comes after all."""
    async with shop(tmp_path) as world:
        await say(world, QUESTION, USER_ID)
        sid, _ = await world.twilio.receive(NUMBER, WHATSAPP, QUESTION, deliver=False)
        await pass_(world, 60)
        await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
        await pass_(world, 30)
        assert await people(world) == [[USER_ID], [NUMBER]]

        await world.say(QUESTION, NUMBER, WHATSAPP, sid=sid, extra=TOLD)
        await world.settle()

        assert await people(world) == [[USER_ID, NUMBER]]
        assert (world.sent(USER_ID), world.sent(NUMBER)) == ([ANSWER], [ANSWER])


async def test_another_channel_is_another_matter(world: World) -> None:
    """An id is told on one channel: a contact with that address on another one is not joined."""
    await say(world, "Oi", USER_ID)
    await world.appliance.store.write(lambda tx: tx.channels.insert(1, "whatsapp:+551140000009"))
    world.twilio.owned = [*world.twilio.owned, "whatsapp:+551140000009"]
    await world.say("Oi", NUMBER, "whatsapp:+551140000009", extra=TOLD)
    await world.settle()

    assert await people(world) == [[USER_ID], [NUMBER]]


async def test_what_the_owner_undid_stays_undone(world: World) -> None:
    """Neither the same evidence nor the other way round joins them again; the owner may. Three in a row fall apart into
    what still holds together.
    """
    await say(world, "Oi", NUMBER, **TOLD)
    await say(world, "Oi", USER_ID)
    await join(world, USER_ID, OTHER_ID)
    assert await people(world) == [[NUMBER, USER_ID, OTHER_ID]]

    def undo(tx: Any) -> None:
        tx.links.undo(tx.links.of(1)[0], "ana")

    await world.appliance.store.write(undo)
    await say(world, "Oi", NUMBER, **TOLD)
    await say(world, "Oi", USER_ID, WaId=CUSTOMER[1:])

    assert await people(world) == [[NUMBER], [USER_ID, OTHER_ID]]
    await join(world, NUMBER, USER_ID)
    assert await people(world) == [[NUMBER, USER_ID, OTHER_ID]]
    assert await world.column("SELECT undone_by FROM contact_links ORDER BY id") == ["ana", "", ""]
