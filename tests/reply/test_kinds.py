"""Twilio's other kinds of messages: what is text, what cannot be opened, and what wants no answer."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.model import JobKind, TextKey
from appliance.texts import TEXTS
from appliance.wire import Media
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World

GUEST = f"whatsapp:{CUSTOMER}"
CANNOT_OPEN = TEXTS["pt-BR"][TextKey.MEDIA_UNSUPPORTED]
DONT_KNOW = TEXTS["pt-BR"][TextKey.DONT_KNOW]
PLACE = {"MessageType": "location", "Latitude": "-23.55052", "Longitude": "-46.633308"}
AT_HOME = PLACE | {"Label": "Casa", "Address": "Rua das Flores, 10"}


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose model repeats what it was asked."""
    async with World(tmp_path, model=FakeAi()) as world:
        yield world


async def say(world: World, body: str = "", *, media: str = "", **extra: str) -> None:
    attached = [Media("", kind) for kind in media.split()]
    await world.say(body, GUEST, WHATSAPP, media=attached, extra=extra)
    await world.settle()


async def reasons(world: World) -> list[Any]:
    return await world.column("SELECT suppressed FROM messages ORDER BY id")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("Curtiu “Abrimos às 7h.”", "a reaction"),
        ("👍🏽", "only emoji"),
        ("🇧🇷 🎉!", "only emoji"),
        (" ", "nothing to read"),
    ],
)
async def test_what_wants_no_answer_gets_none(told: World, body: str, reason: str) -> None:
    """Nobody is paid for an answer to it, and the reason is stored."""
    await told.say(body)
    await told.settle()

    assert (told.sent(), await reasons(told)) == ([], [reason])
    assert told.model is not None
    assert told.model.requests == []


@pytest.mark.parametrize(
    ("extra", "media", "reason"),
    [
        ({"MessageType": "sticker"}, "image/webp", "a sticker"),
        ({"MessageType": "reaction"}, "", "a reaction"),
    ],
)
async def test_stickers_and_reactions_of_whatsapp_get_none(
    told: World, extra: dict[str, str], media: str, reason: str
) -> None:
    """Twilio names their kind."""
    await say(told, media=media, **extra)

    assert (told.sent(GUEST), await reasons(told)) == ([], [reason])


async def test_a_question_that_begins_like_a_reaction_is_answered(told: World) -> None:
    """And so is a question beside a reaction."""
    await told.say("Liked your cake, do you deliver?")
    await told.settle()
    await told.appliance.engine.worker.stop()
    await told.say("Liked “x”")
    await told.say("How much?")
    await told.stop()
    await told.start()
    await told.settle()

    assert told.sent() == ["You asked: Liked your cake, do you deliver?", "You asked: How much?"]


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        ({"MessageType": "button", "ButtonText": "Ver cardápio", "ButtonPayload": "menu-1"}, "Ver cardápio"),
        ({"MessageType": "interactive", "ListTitle": "Bolos", "ListId": "cakes"}, "Bolos"),
        ({"MessageType": "interactive", "ListId": "cakes"}, "cakes"),
        ({"ButtonPayload": "menu-1"}, "menu-1"),
        (AT_HOME, "(location: Casa, Rua das Flores, 10, -23.55052, -46.633308)"),
        (PLACE, "(location: -23.55052, -46.633308)"),
    ],
)
async def test_what_was_chosen_or_shown_is_text(told: World, extra: dict[str, str], text: str) -> None:
    """A button, a row of a list, a place: whoever answers sees it, and so does the history."""
    await say(told, **extra)

    assert told.sent(GUEST) == [f"You asked: {text}"]
    assert await told.column("SELECT body FROM messages") == [text]


async def test_a_buttons_words_are_beside_those_that_were_written(told: World) -> None:
    """Where Body says something it is what counts; a place is added to it."""
    await say(told, "Quero bolo", ButtonText="Ver cardápio")
    await say(told, "Entregam aqui?", **PLACE)

    assert told.sent(GUEST) == [
        "You asked: Quero bolo",
        "You asked: Entregam aqui? | (location: -23.55052, -46.633308)",
    ]


async def test_a_button_can_say_stop(told: World) -> None:
    """A template's button for leaving has the word in ButtonText alone."""
    await say(told, ButtonText="SAIR", MessageType="button")

    assert told.sent(GUEST) == [TEXTS["pt-BR"][TextKey.OPTED_OUT]]


@pytest.mark.parametrize("language", ["pt-BR", "en", "es"])
async def test_a_place_alone_is_no_topic_of_the_faq(tmp_path: Path, language: str) -> None:
    """Where the customer is does not ask where the shop is; the way to a person is told."""
    async with World(tmp_path, language=language) as world:
        await world.teach("Endereço, location, ubicación", "Rua das Flores, 10. Our location, nuestra ubicación.")
        await say(world, **AT_HOME)

        assert world.sent(GUEST) == [TEXTS[language][TextKey.DONT_KNOW]]  # type: ignore[index]


async def test_a_place_beside_a_question_leaves_it_its_answer(tmp_path: Path) -> None:
    """The FAQ answers what was asked."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, conversations={"reply_delay": 3000, "reply_delay_max": 9000}) as world:
        await world.teach("Entrega", "Entregamos até 5 km.")
        await world.say("Vocês entregam aqui?", GUEST, WHATSAPP)
        await world.say("", GUEST, WHATSAPP, extra=AT_HOME)
        await clock.advance(10, world.settle)

        assert world.sent(GUEST) == ["Entregamos até 5 km."]


@pytest.mark.parametrize(
    ("body", "media", "kind"),
    [
        ("", "text/vcard", "contacts"),
        ("Maria Silva", "text/vcard", "contacts"),
        ("Maria.vcf", "text/vcard", ""),
        ("👍", "image/jpeg", "image"),
        ("", "image/jpeg image/png application/pdf", "image"),
        ("", "image/webp image/jpeg", "image"),
        ("", "", "order"),
    ],
)
async def test_what_cannot_be_opened_is_said_once(told: World, body: str, media: str, kind: str) -> None:
    """A contact's card is a file; several in one message get one text, and all are stored."""
    await say(told, body, media=media, **({"MessageType": kind} if kind else {}))

    assert told.sent(GUEST) == [CANNOT_OPEN]
    assert len((await told.column("SELECT media FROM messages"))[0].split("image/")) - 1 == media.count("image/")


async def test_a_card_with_words_on_sms_is_a_question(told: World) -> None:
    """Only WhatsApp puts the contact's name into Body, and names the kind."""
    await told.say("Can you call her?", media=[Media("", "text/vcard")])
    await told.settle()

    assert told.sent() == ["You asked: Can you call her?"]


async def test_a_missed_sticker_gets_no_answer_and_a_missed_photo_does(tmp_path: Path) -> None:
    """Twilio's log does not tell what a message is; its media do."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await world.twilio.receive(GUEST, WHATSAPP, "", [Media("", "image/webp")], deliver=False)
        await world.twilio.receive(f"{GUEST}1", WHATSAPP, "", [Media("", "image/jpeg")], deliver=False)
        await clock.advance(60, world.settle)
        await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
        await clock.advance(30, world.settle)

        assert (world.sent(GUEST), world.sent(f"{GUEST}1")) == ([], [CANNOT_OPEN])
        assert await reasons(world) == ["a sticker", None]


async def test_a_late_webhook_brings_a_missed_place(tmp_path: Path) -> None:
    """The log has an empty Body; what the webhook tells after all stands in the history."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        sid, _ = await world.twilio.receive(GUEST, WHATSAPP, "", deliver=False)
        await clock.advance(60, world.settle)
        await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
        await clock.advance(30, world.settle)
        assert await world.column("SELECT body FROM messages") == [""]

        await world.say("", GUEST, WHATSAPP, sid=sid, extra=AT_HOME)

        assert await world.column("SELECT body FROM messages") == [
            "(location: Casa, Rua das Flores, 10, -23.55052, -46.633308)"
        ]


async def test_an_rcs_agent_without_digits_is_a_channel(world: World) -> None:
    """Its name is opaque: added, written to and answered from as it is."""
    agent, customer = "rcs:padaria_aurora_agent", "rcs:user_abc"
    world.twilio.owned = [SMS, WHATSAPP, agent]
    await world.appliance.store.write(lambda tx: tx.channels.insert(1, agent))
    await world.teach("Horário", "Das 7h às 19h.")

    await world.say("Qual o horário?", customer, agent)
    await world.settle()

    assert world.sent(customer) == ["Das 7h às 19h."]
