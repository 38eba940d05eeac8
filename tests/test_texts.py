"""The texts customers read and the shape of every outgoing text."""

import re
import unicodedata
from string import Formatter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.inbox import keywords
from appliance.language.courtesy import asks_for_person
from appliance.model import Language, Organization, TextKey
from appliance.texts import MAX_LENGTH, TEXTS, fit, length, normalise, render, strip_markup
from appliance.wire import InboundMessage

TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included
LANGUAGES: tuple[Language, ...] = ("pt-BR", "en", "es")
EVERY_TEXT = [(speaks, key) for speaks in LANGUAGES for key in TextKey]


def organization(speaks: Language = "pt-BR", name: str = "Padaria", contact: str = "") -> Organization:
    return Organization(1, name, speaks, "America/Sao_Paulo", contact=contact)


def test_the_table_is_complete() -> None:
    """Three languages, every key, no other placeholder than the two known."""
    assert tuple(TEXTS) == LANGUAGES
    assert all(set(TEXTS[speaks]) == set(TextKey) for speaks in LANGUAGES)
    fields = {name for texts in TEXTS.values() for text in texts.values() for _, name, _, _ in Formatter().parse(text)}
    assert fields == {None, "organization", "contact"}


@pytest.mark.parametrize(("speaks", "key"), EVERY_TEXT)
@pytest.mark.parametrize("contact", ["", "+55 11 4002-8922"])
def test_every_text_is_one_clean_message(speaks: Language, key: TextKey, contact: str) -> None:
    """No unfilled placeholder, no double or outer space, short enough to be read."""
    text = render(key, organization(speaks, contact=contact))

    assert not re.search(r"[{}]|\s\s|^\s|\s$", text)
    assert 0 < length(text) <= 320
    assert text.endswith("+55 11 4002-8922") == (bool(contact) and "{contact}" in TEXTS[speaks][key])


@pytest.mark.parametrize(("speaks", "key"), EVERY_TEXT)
def test_every_keyword_that_a_text_names_works(speaks: Language, key: TextKey) -> None:
    """What a customer is told to reply does what was promised, on SMS and on WhatsApp."""
    for keyword in re.findall(r"\b[A-Z]{4,}\b", TEXTS[speaks][key]):
        if key in (TextKey.OPTED_OUT, TextKey.OPTED_OUT_REMINDER):
            for prefix in ("", "whatsapp:"):
                message = InboundMessage("SM1", "AC1", f"{prefix}+5511999990000", f"{prefix}+551140028922", keyword)
                judged = keywords.read(message, opted_out=True, reminded_at=None, now=0)
                assert judged.change == keywords.Change.IN
        else:
            assert asks_for_person(keyword)


@pytest.mark.parametrize("name", ["{contact}", "{organization}", "A {0} {x} }{", "%s \\1 \\g<1>", "{{a}}"])
def test_a_name_with_braces_is_literal(name: str) -> None:
    """An organization's name is never read as a template."""
    assert name in render(TextKey.GREETING, organization(name=name, contact="+55"))


def test_a_hostile_name_still_makes_one_message() -> None:
    """A huge name with line breaks cannot break the message."""
    text = render(TextKey.GREETING, organization(name="Padaria\n\n  Nova " * 500))

    assert length(text) <= MAX_LENGTH
    assert "\n" not in text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("  olá \r\n tudo\rbem \n", "olá \n tudo\nbem"),
        ("pa\u0303o", "pão"),
        ("a\x00b", "ab"),
        ("a\ud83db", "ab"),
        ("\x00 \ud800 x", "x"),
        ("👍", "👍"),
    ],
)
def test_normalise(body: str, expected: str) -> None:
    """Stripped, composed, LF, nothing that cannot be sent."""
    assert normalise(body) == expected


@given(TEXT)
@example("a\x00\u0303")
@example("\r\x00\n")
@example(" \x00 a")
def test_normalise_is_idempotent_and_sendable(body: str) -> None:
    """The normal form stays, can be encoded and holds no control that Twilio or SQLite would trip over."""
    once = normalise(body)

    assert normalise(once) == once
    assert "\x00" not in once
    assert "\r" not in once
    assert once.encode() is not None
    assert unicodedata.is_normalized("NFC", once)


@given(TEXT, st.integers(min_value=0, max_value=60))
@example("👍" * 100, 41)
@example("e\u0301" * 100, 40)
@example("x\u0316" * 100, 40)
@example("\u0316" * 100, 40)
@example("👩\u200d👩\u200d👧" * 10, 20)
def test_fit_never_exceeds_its_limit(body: str, limit: int) -> None:
    """Whatever comes in, one normalised message of at most the limit comes out, and stays as it is."""
    fitted = fit(body, limit)

    assert len(fitted.encode("utf-16-le")) // 2 == length(fitted) <= limit
    assert normalise(fitted) == fitted
    assert fit(fitted, limit) == fitted


@given(st.text(max_size=1_600).filter(lambda body: length(body) <= MAX_LENGTH))
def test_fit_leaves_what_fits(body: str) -> None:
    """Text that fits is only normalised."""
    assert fit(body) == normalise(body)


@pytest.mark.parametrize(
    ("body", "limit", "expected"),
    [
        ("Um. Dois. Tres quatro.", 12, "Um. Dois."),
        ("Um. Dois. Tres quatro.", 9, "Um. Dois."),
        ("Um. Dois. Tres quatro.", 8, "Um..."),
        ("a linha um\na linha dois", 14, "a linha um"),
        ("R$ 1.234,00 e mais um pouco", 14, "R$ 1.234,00..."),
        ("palavra comprida demais", 18, "palavra..."),
        ("semespaconenhum", 10, "semespa..."),
        ("👍👍👍👍👍👍", 8, "👍👍..."),
        ("aaaaae\u0301\u0316bbbb", 9, "aaaaa..."),
        ("aaaa👩\u200d👧bbbbb", 10, "aaaa..."),
        ("abcdef", 3, "abc"),
        ("abcdef", 0, ""),
    ],
)
def test_fit_cuts_at_a_sentence_else_a_word(body: str, limit: int, expected: str) -> None:
    """A sentence's end in the second half, else a word's, else a visible character's."""
    assert fit(body, limit) == expected


def test_length_counts_utf16_units() -> None:
    """An emoji outside the basic plane is two."""
    assert length("aé👍") == 4


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("# Título\ntexto", "Título\ntexto"),
        ("**negrito** e __também__", "negrito e também"),
        ("veja [o site](https://a.example/x)", "veja o site: https://a.example/x"),
        ("![foto](https://a.example/f.jpg)", "foto: https://a.example/f.jpg"),
        ("* um\n+ dois\n- três", "- um\n- dois\n- três"),
        ("```python\nx = 1\n```\nfim", "x = 1\nfim"),
        ("2 ** 3 ** 4, nome__com__traços, #tag, [não] (link)", "2 ** 3 ** 4, nome__com__traços, #tag, [não] (link)"),
        ("* **um**: dois", "- um: dois"),
        ("texto simples", "texto simples"),
    ],
)
def test_strip_markup(markup: str, plain: str) -> None:
    """Markdown becomes what SMS and WhatsApp show, plain text stays."""
    assert strip_markup(markup) == plain


@given(TEXT)
def test_strip_markup_never_grows_much(text: str) -> None:
    """Any text passes, and only a link may trade its brackets for a colon and a space."""
    assert len(strip_markup(text)) <= len(text)


@pytest.mark.parametrize(
    "unit", ["**", "[", "![", "[a](", "__", "* ", "# ", "`", "```", "**a", "[a](b", "\n", " ", "\t*"]
)
def test_strip_markup_is_linear(unit: str) -> None:
    """A hundred thousand characters of half-open markup pass; a pattern that backtracks would not come back."""
    assert len(strip_markup(unit * (100_000 // len(unit)))) <= 100_000
