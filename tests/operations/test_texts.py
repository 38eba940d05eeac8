"""Fixed texts in an organization's own wording: what may stand in them, and that each is one message."""

import pytest

from appliance.errors import RequestError
from appliance.model import Language, Organization, TextKey
from appliance.operations import texts
from appliance.operations.markdown import MAX_TITLE
from appliance.operations.texts import LANGUAGES, LONGEST, Text
from appliance.store import Tx
from appliance.texts import MAX_LENGTH, TEXTS, length, render
from tests.support.world import World

EVERY = [(language, key) for language in LANGUAGES for key in TextKey]
REFUSED = {
    "": "empty",
    " \n\t ": "empty",
    "{organization} {contact}": "empty",
    "\u200b\u200d": "empty",
    "\u0301": "empty",
    "Oi {name}": "bad_placeholder",
    "Oi {": "bad_placeholder",
    "Oi }": "bad_placeholder",
    "Oi {{organization}}": "bad_placeholder",
    "Oi {organization!r}": "bad_placeholder",
    "Oi {organization.__class__}": "bad_placeholder",
    "Oi {0}": "bad_placeholder",
    "Oi\x00": None,  # which is taken out, as of every body
    "Oi\x1b[2J": "bad_text",
    "Oi\x85!": "bad_text",
    "Oi \u202eemoc": "bad_text",
    "Oi \ue000": "bad_text",
    "x" * (MAX_LENGTH + 1): "too_long",
    "👍" * (MAX_LENGTH // 2 + 1): "too_long",
    "{organization}" * 200 + "!": "too_long",
    "x" * MAX_LENGTH: None,
    "Oi 👩\u200d👩\u200d👧!\r\nAté já.": None,
}


async def put(world: World, body: str, key: str = "unavailable", language: str = "pt-BR") -> None:
    def work(tx: Tx) -> None:
        organization = tx.organizations.get(1)
        assert organization is not None
        texts.put(tx, organization, language, key, body)

    await world.appliance.store.write(work)


async def shown(world: World, organization_id: int = 1, language: str = "pt-BR") -> dict[str, Text]:
    def work(tx: Tx) -> list[Text]:
        organization = tx.organizations.get(organization_id)
        assert organization is not None
        return texts.page(tx, organization, language)

    return {text.key: text for text in await world.appliance.store.read(work)}


async def test_what_may_stand_in_a_text(world: World) -> None:
    """Words, lines, emoji and two placeholders; nothing that breaks a message or a terminal, or cannot be filled."""
    for body, code in REFUSED.items():
        if code is None:
            await put(world, body)
            continue
        with pytest.raises(RequestError) as refused:
            await put(world, body)
        assert refused.value.code == code, body
    assert (await shown(world))["unavailable"].shown == "Oi 👩\u200d👩\u200d👧!\nAté já."


async def test_what_stands_beside_it_has_room(world: World) -> None:
    """The longest menu holds three of the longest titles; the longest apology for a delay leaves room for an answer."""
    await put(world, "x" * LONGEST[TextKey.MENU], "menu")
    await put(world, "x" * LONGEST[TextKey.LATE], "late")
    organization = (await world.appliance.store.read(lambda tx: tx.organizations.get(1))) or pytest.fail()

    menu = render(TextKey.MENU, organization, ["y" * MAX_TITLE] * 3)

    assert length(menu) == MAX_LENGTH
    assert menu.endswith("y" * MAX_TITLE)
    assert length(render(TextKey.LATE, organization)) < MAX_LENGTH // 4
    for key in ("menu", "late"):
        with pytest.raises(RequestError, match="too long"):
            await put(world, "x" * (LONGEST[TextKey(key)] + 1), key)


@pytest.mark.parametrize(("language", "key"), EVERY)
def test_every_text_of_its_own_is_one_message(language: Language, key: TextKey) -> None:
    """Whatever the organization is called; its own wording wins, in its own language."""
    own: dict[str, str] = {key: f"Aqui {{organization}}, {{contact}}: {'x' * 1_500}"}
    organization = Organization(1, "Padaria " * 100, language, "UTC", contact="+55", texts=own)

    text = render(key, organization)

    assert text.startswith("Aqui Padaria Padaria")
    assert 0 < length(text) <= MAX_LENGTH


async def test_only_the_present_language_speaks(world: World) -> None:
    """A text of another language is kept and shown there, and used when the organization changes its language."""
    await put(world, "Cerrado. {organization}", "away", "es")
    await put(world, "Fechado.", "away")

    def speak(tx: Tx, language: str) -> str:
        tx.organizations.update(1, language=language)
        organization = tx.organizations.get(1)
        assert organization is not None
        return render(TextKey.AWAY, organization)

    said = {
        language: await world.appliance.store.write(lambda tx, language=language: speak(tx, language))  # type: ignore[misc]
        for language in LANGUAGES
    }
    assert said == {"pt-BR": "Fechado.", "en": TEXTS["en"][TextKey.AWAY], "es": "Cerrado. Padaria Aurora"}
    assert (await shown(world, language="es"))["away"].is_own


async def test_the_original_again(world: World) -> None:
    """By a reset, and by writing it as it was."""
    for back in (None, TEXTS["pt-BR"][TextKey.AWAY]):
        await put(world, "Fechado.", "away")
        assert (await shown(world))["away"].is_own
        if back is not None:
            await put(world, back, "away")
        else:
            await world.appliance.store.write(lambda tx: tx.texts.reset(1, "pt-BR", "away"))
        found = (await shown(world))["away"]
        assert (found.is_own, found.body) == (False, found.original)
