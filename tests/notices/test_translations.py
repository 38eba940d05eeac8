"""The catalogue of translations: complete, compiled, and with the same facts as the English sentences."""

import gettext
import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from appliance import errors, pulse
from appliance.diagnosis import words
from appliance.model import MAIN
from appliance.notices import page, reasons
from appliance.notices.sentences import Reader, told
from appliance.notices.translation import DOMAIN, LOCALES, translated
from appliance.operations import lines, verdict
from appliance.store.cards import CardKind
from tests.notices.constants import constants

FILES = sorted(LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
BY_LANGUAGE = pytest.mark.parametrize("path", FILES, ids=lambda path: path.parts[-3])
STATUS = [*constants(verdict), *constants(lines)]
PAIRS = [reasons.WAITING, *(each for each in STATUS if isinstance(each, tuple))]  # one, several
OWNER = Reader("pt-BR", "America/Sao_Paulo", 1_790_000_000_000)


def read(path: Path) -> dict[str, str]:
    """English to translation; the two forms of a plural as two."""
    found: dict[str, str] = {}
    with path.open("rb") as file:
        catalog = read_po(file, abort_invalid=True)
    assert not catalog.obsolete
    for message in catalog:
        if message.id:
            assert not message.fuzzy
            english = [message.id] if isinstance(message.id, str) else message.id
            other = [message.string] if isinstance(message.string, str) else message.string or []
            found |= {each: str(said) for each, said in zip(english, other, strict=True)}
    return found


def fields(text: str) -> set[str]:
    """The facts that a sentence needs."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_owners_languages_are_there() -> None:
    """Brazilian Portuguese; English is the code's."""
    assert [path.parts[-3] for path in FILES] == ["pt_BR"]


@BY_LANGUAGE
def test_it_has_exactly_what_can_be_shown(path: Path) -> None:
    """Every sentence of the cards, their reasons and the page, of `status` and of `check`; nothing that was once shown."""
    single = {*reasons.sentences(), *page.sentences(), *words.sentences()}
    single.update(each for each in STATUS if isinstance(each, str))
    assert set(read(path)) == single.union(*PAIRS)


@BY_LANGUAGE
def test_everything_is_translated(path: Path) -> None:
    """None is empty, each has the facts that the English has, and its full stop where the English has it."""
    for english, other in read(path).items():
        assert other.strip(), english
        assert fields(other) == fields(english), english
        assert other.endswith(".") == english.endswith("."), english
        assert other.startswith(" ") == english.startswith(" "), english


@BY_LANGUAGE
def test_the_compiled_one_is_made_of_it(path: Path) -> None:
    """What the product reads says what the translators wrote, and nothing else; else `make words` was forgotten."""
    with path.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    written = read(path)

    for english in set(written).difference(*PAIRS):
        assert compiled.gettext(english) == written[english]
    for one, several in PAIRS:
        assert compiled.ngettext(one, several, 1) == written[one]
        assert compiled.ngettext(one, several, 2) == written[several]
    known = set(vars(compiled)["_catalog"]) - {"", *((one, form) for one, _ in PAIRS for form in (0, 1))}
    assert known == set(written).difference(*PAIRS)


def test_why_it_is_not_ready_is_known() -> None:
    """In the words in which the pulse and the store have it; what stands in parentheses is SQLite's."""
    stored = [
        errors.StorageFullError(),
        errors.StorageBusyError(),
        errors.StorageBrokenError("The storage failed (x)."),
    ]
    ours = [
        pulse.STOPPING,
        pulse.WORKERS,
        pulse.STORE,
        *(str(error).rstrip(".").removesuffix(" (x)") for error in stored),
    ]

    assert list(verdict.REASONS) == ours
    assert verdict.verdict(verdict.State(True, None, reason="The storage failed (SQLITE_IOERR)."), OWNER).sentence == (
        "Não está pronto: não foi possível gravar no disco (SQLITE_IOERR)."
    )


def test_the_constants_of_a_module() -> None:
    """Control: names that are imported or private are none, a dictionary has its values, two are a pair where counted."""
    assert set(STATUS) >= {verdict.CALM, verdict.PEOPLE, lines.MORE, lines.TODAY, lines.FATES["live"], *verdict.REASONS}
    assert not set(STATUS) & {MAIN, "d", "answered", verdict.Kind.CALM}


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("internal error (TypeError)", "erro interno (TypeError)"),
        ("no answer in time (api.twilio.com:443)", "não houve resposta a tempo (api.twilio.com:443)"),
        (
            "the customer asked for no more messages (STOP)",
            "o cliente pediu para não receber mais mensagens (STOP)",
        ),
        ("HTTP 401: no such {key} (x)", "HTTP 401: no such {key} (x)"),
        ("", ""),
    ],
)
def test_a_reason_keeps_what_others_said(words: str, shown: str) -> None:
    """What stands in parentheses behind a known reason stays as it is, and so does what nobody knows."""
    assert translated(words, "pt-BR") == shown
    assert translated(words, "en") == translated(words, "es") == words


def card(kind: CardKind, facts: str) -> dict[str, object]:
    return {"kind": kind, "text": "", "facts": facts, "opened_at": OWNER.now}


def test_a_card_reads_well_in_portuguese() -> None:
    """Its facts, its reason, Twilio's code and who waits, in one language."""
    asked = told(card(CardKind.WAITING, '{"who": "…4321", "why": "asks for a person"}'), OWNER)
    lost = told(card(CardKind.NOT_SENT, '{"who": "…4321", "code": 30006}'), OWNER)
    full = told(card(CardKind.BACKUP, '{"said": "the disk has too little space for another copy."}'), OWNER)
    nobody = told(card(CardKind.COULD_NOT_ANSWER, '{"who": "", "why": "internal error (KeyError)"}'), OWNER)
    off = told(card(CardKind.TWILIO, '{"account": "filial", "code": 30002}'), OWNER, waiting=2)

    assert (asked.title, asked.text) == (
        "…4321 espera por uma pessoa",
        "O cliente pede para falar com uma pessoa, e ninguém respondeu ainda.",
    )
    assert lost.text == (
        "O motivo: o número do cliente é um telefone fixo ou não pode ser alcançado (erro 30006 da Twilio)."
    )
    assert full.text == "O motivo: falta espaço no disco para mais uma cópia."
    assert (nobody.title, nobody.text) == (
        "Não foi possível responder a um cliente",
        "A resposta falhou: erro interno (KeyError).",
    )
    assert off.title == "filial: A Twilio não aceita nossas mensagens"
    assert off.text == (
        "O motivo: a conta da Twilio está suspensa (erro 30002 da Twilio). 2 clientes esperam resposta."
    )


def test_other_words_with_braces_are_no_facts() -> None:
    """A reason may be another program's; what it has in braces is shown as it is."""
    shown = told(card(CardKind.COULD_NOT_ANSWER, '{"who": "…4321", "why": "odd {thing} {0} {"}'), OWNER)

    assert shown.text == "A resposta falhou: odd {thing} {0} {."


def test_the_wheel_has_the_compiled_ones() -> None:
    """What is installed speaks the owner's language: nothing keeps them out of the package's data."""
    ignored = (LOCALES.parents[2] / ".gitignore").read_text("utf-8").split()  # hatchling leaves out what git does

    assert all(path.with_suffix(".mo").exists() for path in FILES)
    assert not [line for line in ignored if line.endswith((".mo", ".po", "locale/"))]
