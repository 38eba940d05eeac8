"""Going live: the line to paste, whether anything arrives, why it is refused, and what is seen from outside."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.inbox.refused import facts_of
from appliance.operations.organizations import Registration, register_organization
from appliance.store.cards import ACCOUNT, CardKind
from appliance.wire import RETRIES, SANDBOX, Misfit, MisfitKind
from tests.support.visitor import Visitor
from tests.support.world import SMS, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A shop that reads English."""
    async with World(tmp_path, language="en") as running:
        yield running


async def test_what_to_paste_and_that_it_arrives(world: World) -> None:
    """The exact line for each number, waiting for the first message; with it, live."""
    async with Visitor(world) as visitor:
        shown = await visitor.get("/go-live")
        assert f"{world.address}/twilio/messages{RETRIES.replace('&', '&amp;')}</code>" in shown
        assert "<b>+55 11 4000-0000</b>" in shown and "<b>+55 11 4000-0001</b>" in shown
        assert 'data-copy="webhook"' in shown and f'href="sms:{SMS}"' in shown and "https://wa.me/551140000001" in shown
        assert "Waiting for the first message…" in shown and 'class="step now" id="step-address"' in shown
        await world.say("oi")
        await world.settle()
        live = await visitor.get("/go-live")

    assert "Waiting for the first message…" not in live and "Messages arrive and are answered." in live
    assert 'class="step done" id="step-address"' in live and 'class="step done" id="step-paste"' in live


async def test_the_check_says_what_is_so(world: World) -> None:
    """As `check --online`: the account, each webhook, the way in, the model, the backups; kept with its time."""
    async with Visitor(world) as visitor:
        assert "checked at" not in await visitor.get("/go-live")
        assert await visitor.post("/go-live/check") == "/go-live"
        shown = await visitor.get("/go-live")

    for told in (
        "Twilio accepts the login.",
        f"Webhook {SMS}",
        "checked at",
        "It leads here, by POST",
        "appliance backup",
    ):
        assert told in shown, told
    assert 'class="step done" id="step-address"' in shown


async def test_a_refused_signature_is_explained(world: World) -> None:
    """What was signed, what is known here, and what to change; nothing is called live meanwhile."""
    signed = "http://answers.example/twilio/messages"
    misfit = Misfit(MisfitKind.URL, url=signed, public_url="http://answers.example")
    about = facts_of("main", misfit, world.config)
    await world.say("oi")
    await world.settle()
    await world.appliance.store.write(lambda tx: tx.cards.open(CardKind.SIGNATURE, ACCOUNT, None, more=3, **about))
    async with Visitor(world) as visitor:
        shown = await visitor.get("/go-live")

    assert "A message came, and its signature does not fit" in shown and f"<code>{signed}</code>" in shown
    assert "set server.public_url to http://answers.example" in shown
    assert "Messages arrive and are answered." not in shown and 'class="step off"' in shown


async def test_the_sandbox_has_its_own_place(world: World) -> None:
    """Its webhook is set elsewhere in the console."""
    second = Registration("Teste", [SANDBOX], "t@example.com")
    await world.appliance.store.write(lambda tx: register_organization(tx, second))
    async with Visitor(world, admin=True) as visitor:
        assert "Sandbox settings" in await visitor.get("/go-live")


async def test_without_a_public_url_it_says_what_to_set(tmp_path: Path) -> None:
    """Nothing to paste before there is an address that Twilio can call."""
    elsewhere = {"api_url": "https://nobody.invalid"}
    async with World(tmp_path, language="en", twilio=elsewhere) as world, Visitor(world) as visitor:
        shown = await visitor.get("/go-live")

    assert "server.public_url" in shown and 'id="webhook"' not in shown
