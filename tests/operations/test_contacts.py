"""The owner's hand: two addresses linked, listed and unlinked, over the API and on the command line."""

from pathlib import Path
from typing import Any

import pytest

from tests.people.scene import NUMBER, QUESTION, SHORT, TOLD, USER_ID, in_doubt, say, shop
from tests.support.api_client import ApiClient, api_of
from tests.support.command_line import CommandLine, write_config
from tests.support.world import CUSTOMER, SMS, WHATSAPP, World


async def refused(api: ApiClient, path: str, one: str, other: str, **more: Any) -> str:
    """The code of the refusal, with its status."""
    status, answer = await api.post(f"contacts/{path}", {"address": one, "other": other} | more)
    return f"{status} {answer['error']['code']}"


async def test_linked_listed_and_unlinked(world: World, tmp_path: Path) -> None:
    """The command line says what it did and why two addresses are one."""
    box = CommandLine(write_config(tmp_path / "box.toml", world.config))
    await say(world, "Oi", NUMBER)
    await say(world, "Oi", USER_ID)

    assert (await box("contacts", "link", NUMBER, USER_ID)).stdout == f"{NUMBER} and {USER_ID} are one person.\n"
    listed = (await box.json("contacts", "list", USER_ID))["contacts"]
    assert [(each["address"], [link["evidence"] for link in each["links"]]) for each in listed] == [
        (NUMBER, ["by hand"]),
        (USER_ID, ["by hand"]),
    ]
    assert "by hand" in (await box("contacts", "list", NUMBER)).stdout
    unlinked = await box("contacts", "unlink", USER_ID, NUMBER)
    assert unlinked.stdout == f"{USER_ID} and {NUMBER} are not linked any more.\n"
    assert await world.column("SELECT undone_by FROM contact_links") == ["cli"]
    assert len((await box.json("contacts", "list", USER_ID))["contacts"]) == 1


async def test_what_is_refused(world: World) -> None:
    """Each in a sentence: nobody with that address, the same one twice, linked already, not linked, linked by others."""
    async with api_of(world) as api:
        await say(world, "Oi", NUMBER)
        assert await refused(api, "link", NUMBER, USER_ID) == "404 unknown_contact"
        assert await refused(api, "link", NUMBER, NUMBER) == "400 same_address"
        assert await refused(api, "link", NUMBER, USER_ID, organization="Nobody") == "404 unknown_organization"
        await say(world, "Oi", USER_ID, WaId=CUSTOMER[1:])
        assert await refused(api, "link", NUMBER, USER_ID) == "409 linked"
        await say(world, "Oi", SHORT, **TOLD)
        assert await refused(api, "unlink", NUMBER, SHORT) == "409 not_linked"
        status, answer = await api.call("GET", "contacts/links", params={"address": "whatsapp:+1"})
        assert (status, answer["error"]["code"]) == (404, "unknown_contact")


async def test_one_person_on_two_kinds_of_channel(world: World) -> None:
    """By SMS and on WhatsApp: no pair on one channel, so what there is is linked."""
    async with api_of(world) as api:
        await say(world, "Oi", NUMBER)
        await world.say("Oi", CUSTOMER, SMS)
        await world.settle()

        assert await api.post("contacts/link", {"address": NUMBER, "other": CUSTOMER}) == (201, {"linked": 1})
        listed = await api.get(f"contacts/links?address={CUSTOMER}")
        assert [each["address"] for each in listed["contacts"]] == [NUMBER, CUSTOMER]


async def test_nothing_is_unlinked_while_a_send_is_in_doubt(tmp_path: Path) -> None:
    """Twilio's log is read for both addresses at once: apart, neither might find what was sent."""
    async with shop(tmp_path) as world, api_of(world) as api:
        await say(world, QUESTION, NUMBER, **TOLD)
        await say(world, QUESTION, USER_ID)
        await in_doubt(world, (QUESTION, NUMBER, True))

        assert await refused(api, "unlink", NUMBER, USER_ID) == "409 in_doubt"


@pytest.mark.parametrize("times", [1, 3])
async def test_a_message_written_by_hand_joins_as_well(tmp_path: Path, times: int) -> None:
    """Whom Twilio called by the id is joined when the owner writes to that id first."""
    async with shop(tmp_path) as world, api_of(world) as api:
        world.twilio.identities.user_ids[NUMBER] = USER_ID.removeprefix("whatsapp:")
        for _ in range(times):
            await say(world, QUESTION, NUMBER)
        status, _ = await api.post("messages", {"from": WHATSAPP, "to": USER_ID, "body": "Pronto!"})
        await world.settle()

        assert (status, world.sent(USER_ID)) == (202, ["Pronto!"])
        assert await world.column("SELECT evidence FROM contact_links") == ["ExternalUserId"]
