"""Home: the verdict, what needs the owner with one thing to do, the day in figures, who was in touch lately."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.handover import charge
from appliance.links import link
from appliance.model import Handover, JobKind
from appliance.operations import pauses
from appliance.operations.organizations import Registration, register_organization
from appliance.store import Tx
from appliance.store.cards import ACCOUNT, BOX, CardKind, channel, conversation, reply
from appliance.wire import Fault, Trouble
from tests.support.visitor import Visitor
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World

THEIRS = "+551140000009"  # the second organization's channel
HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}\"'&amp;"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A shop that reads English."""
    async with World(tmp_path, language="en") as running:
        yield running


def heading(page: str) -> str:
    """The verdict, without its markup."""
    found = re.search(r"<h1>(.*?)</h1>", page)
    assert found is not None
    return re.sub(r"<[^>]*>", "", found[1])


async def test_the_first_steps_tell_what_is_so(world: World) -> None:
    """Before the first message: each step is done when it is; the first message ends them."""
    twilio = world.appliance.engine.adapters.links.get(link.of_account("main"))
    await world.settle()
    async with Visitor(world) as visitor:
        twilio.heard(Trouble(Fault.CREDENTIALS, "20003"), world.appliance.clock.now())
        shown = await visitor.get("/")
        assert heading(shown).startswith("Almost there.")
        assert 'class="step now" id="step-keys"' in shown and 'action="/topics"' in shown
        twilio.heard(None, world.appliance.clock.now())
        assert 'class="step done" id="step-keys"' in await visitor.get("/")
        await visitor.post("/go-live/check")
        assert 'class="step done" id="step-address"' in await visitor.get("/")
        await world.say("oi")
        await world.settle()
        assert "Almost there" not in await visitor.get("/")


async def test_a_waiting_customer_is_told_with_their_words(world: World) -> None:
    """By name, with what they wrote, and where to answer; the figures count them; nothing says that all were answered."""
    await world.teach("Entrega", "Entregamos todo dia.")
    await world.say("entrega", "+5511988880001")
    await world.settle()
    async with Visitor(world) as visitor:
        assert heading(await visitor.get("/")) == "Everyone was answered."
        await world.say("I want to talk to a person", extra={"ProfileName": "João Pedro"})
        await world.settle()
        shown = await visitor.get("/")

    assert heading(shown) == "All is well. 1 person is waiting for you."
    assert "João Pedro waits for a person" in shown and "“I want to talk to a person”" in shown
    assert 'class="btn primary" href="/conversations/2">Reply' in shown
    assert "2 messages today, " in shown and "(1) Home" in shown
    assert CUSTOMER not in shown.replace("/conversations", "")


async def test_a_question_that_nobody_knew_can_be_answered_and_taught(world: World) -> None:
    """Where a person was promised for it; the question goes along to the page that teaches it."""
    await world.say("Do you bake without sugar & salt?", extra={"ProfileName": "Dona Neide"})
    await world.settle()

    def promise(tx: Tx) -> None:
        found = tx.conversations.get(1)
        assert found is not None
        charge.begin(tx, found, "…7777", Handover.UNKNOWN)

    await world.appliance.store.write(promise)
    async with Visitor(world) as visitor:
        shown = await visitor.get("/")

    assert "Could not answer Dona Neide" in shown and "“Do you bake without sugar &amp; salt?”" in shown
    assert 'href="/conversations/1">Reply' in shown
    assert 'href="/topics/new?question=Do+you+bake+without+sugar+%26+salt%3F">Teach it' in shown


async def test_a_pause_is_told_first(tmp_path: Path) -> None:
    """With its end, who waits for it, and who made it."""
    async with World(tmp_path, clock=ManualClock(), language="en") as world, Visitor(world) as visitor:
        await world.say("oi")
        await world.settle()
        now = world.appliance.clock.now()
        await world.appliance.store.write(lambda tx: pauses.pause(tx, 1, now + 1_200_000, "marta@example.com"))
        await world.say("good morning", "+5511988880001")
        await world.settle()
        shown = await visitor.get("/")

    assert heading(shown) == "Answers are paused until 05:20."
    assert "1 person has written since. They will be answered then" in shown
    assert "Paused by marta@example.com at 05:00" in shown


async def two(world: World) -> None:
    """A second organization, each with a customer who waits for a person."""
    world.twilio.owned = [*world.twilio.owned, THEIRS]
    second = Registration("Florista", [THEIRS], "f@example.com")
    await world.appliance.store.write(lambda tx: register_organization(tx, second))
    await world.say("I want to talk to a person", CUSTOMER, SMS, extra={"ProfileName": "Cliente Um"})
    await world.say("I want to talk to a person", "+5511955554444", THEIRS, extra={"ProfileName": "Cliente Dois"})
    await world.settle()


async def test_faults_of_the_box_are_told_in_plain_words_to_everybody(world: World) -> None:
    """Who does not see the box gets the sentence and no card; a fault of another account, or of another's number, is
    nobody's business.
    """
    await two(world)
    store = world.appliance.store
    async with Visitor(world) as visitor, Visitor(world, "admin@example.com", admin=True) as admin:
        await store.write(lambda tx: tx.cards.open(CardKind.TWILIO, channel(3), 2, why="no funds", account="main"))
        assert heading(await visitor.get("/")) == "All is well. 1 person is waiting for you."
        await store.write(lambda tx: tx.cards.open(CardKind.CREDENTIALS, ACCOUNT, None, account="main"))
        await store.write(lambda tx: tx.cards.open(CardKind.BACKUP, BOX, None, said="the disk has too little space"))
        plain, seen = await visitor.get("/"), await admin.get("/")
        await store.write(lambda tx: tx.cards.close(CardKind.CREDENTIALS, ACCOUNT))
        after = await visitor.get("/")

    assert heading(plain).startswith("Nobody has been answered since")
    assert "Twilio refuses our credentials" not in plain and "/go-live" not in plain and "/engine" not in plain
    assert heading(seen) == heading(plain) and 'href="/go-live"' in seen and 'href="/engine"' in seen
    assert heading(after) == "All is well. 1 person is waiting for you."


async def test_one_organization_sees_nothing_of_the_other(world: World) -> None:
    """Neither cards, words, figures nor who was in touch."""
    await two(world)
    async with Visitor(world) as visitor:
        shown = await visitor.get("/")
        for path in ("/engine", "/go-live", "/engine/report"):
            await visitor.get(path, 404)
        for path in ("/engine/dead-letters/retry", "/engine/doubts/look", "/go-live/check"):
            await visitor.post(path, 404)

    assert "Cliente Um" in shown and "Cliente Dois" not in shown
    assert "1 message today, " in shown and "Florista" not in shown


async def test_cards_have_an_end(world: World) -> None:
    """The gravest come first; how many more there are is told, with the way to all."""
    await world.say("oi")
    await world.settle()

    def many(tx: Tx) -> None:
        for number in range(30):
            tx.cards.open(CardKind.SENT_TWICE, reply(1_000 + number), 1, who="…1234")
        tx.cards.open(CardKind.NOT_SENT, reply(1), 1, who="…1234", code=30006)
        for number in range(30):
            tx.cards.open(CardKind.OPTED_OUT, conversation(1_000 + number), 1, who="…1234")

    await world.appliance.store.write(many)
    async with Visitor(world) as visitor:
        shown, whole = await visitor.get("/"), await visitor.get("/?cards=all")

    assert heading(shown) == "61 things need a look."
    assert len(re.findall(r'id="card-[0-9]+"', shown)) == 8 and "And 53 more." in shown
    assert shown.index("was not sent") < shown.index("wrote again")
    assert len(re.findall(r'id="card-[0-9]+"', whole)) == 61 and 'id="cards-more" data-live></div>' in whole


async def test_hostile_words_stay_words(world: World) -> None:
    """In a name, a message, a card and a topic: no element, no expression."""
    await world.teach(HOSTILE, HOSTILE)
    await world.say(f"I want to talk to a person {HOSTILE}", to=WHATSAPP, extra={"ProfileName": HOSTILE})
    await world.settle()
    links = world.appliance.engine.adapters.links
    links.get(link.of_account("main")).heard(Trouble(Fault.SERVER, HOSTILE), world.appliance.clock.now())
    await world.appliance.store.write(
        lambda tx: (
            tx.cards.open(CardKind.BACKUP, BOX, None, said=HOSTILE),
            tx.cards.open(CardKind.ORPHAN, BOX, None, number=HOSTILE),
            tx.jobs.bury(JobKind.SEND, None, HOSTILE, None),
        )
    )
    await world.twilio.receive("+5511988880001", HOSTILE, HOSTILE)
    await world.settle()
    async with Visitor(world) as visitor:
        for path in ("/", "/engine", "/go-live"):
            shown = await visitor.get(path)
            assert "<img" not in shown and "49" not in re.sub(r"[0-9:.+-]{3,}|d=\"[^\"]*\"", "", shown), path


def user_id(tx: Tx, visitor: Visitor) -> int:
    user = tx.users.named(visitor.email)
    assert user is not None
    return user.id


@pytest.mark.parametrize("language", ["en", "pt-BR"])
async def test_the_day_has_a_table_behind_each_chart(world: World, language: str) -> None:
    """Hour by hour, and what became of the answers, in words."""
    await world.teach("Entrega", "Entregamos todo dia.")
    for number in range(3):
        await world.say("entrega", f"+551198888000{number}")
    await world.settle()
    async with Visitor(world) as visitor:
        await world.appliance.store.write(lambda tx: tx.users.update(user_id(tx, visitor), language=language))
        shown = await visitor.get("/")

    assert shown.count("<table>") == 2 and shown.count('<svg role="img" aria-label="') == 3
    assert '<td class="num">3</td><td class="num">3</td>' in shown
    assert "<b>3</b>" in shown and "style=" not in shown
