"""What everyday words mean alike, and how customers type them."""

import pytest

from appliance.language.spelling import is_slip, spell_out
from appliance.language.synonyms import _CONCEPTS, ABSORBED, MAX_TERMS, WEAK, essence, find, is_weak, terms
from appliance.language.text import fold, words
from appliance.language.words import MAX_SEARCH_TERMS, concepts, is_telling, search_terms
from appliance.model import Language

LANGUAGES: tuple[Language, ...] = ("pt-BR", "en", "es")


def test_weak_words() -> None:
    """What any business is asked is told from what this question is about."""
    assert (is_weak("custa", "pt-BR"), is_weak("bolo", "pt-BR"), is_weak("10", "en")) == (True, False, True)
    assert (is_telling("bolo", "pt-BR"), is_telling("custa", "pt-BR"), is_telling("qual", "pt-BR")) == (
        True,
        False,
        False,
    )


def test_search_terms_are_bounded() -> None:
    """A message that names everything is still a short query, its own words first."""
    own = [f"palavra{chr(97 + number)}" for number in range(20)]
    everything = " ".join(own + [phrase for table in _CONCEPTS["pt-BR"].values() for phrase in table.split(",")])

    assert len(search_terms(everything, "pt-BR")) == MAX_SEARCH_TERMS
    assert search_terms(f"endereco {own[0]}", "pt-BR")[:2] == ("ender*", "palav*")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("pt-BR", "onde vcs ficam?", {"address"}),
        ("pt-BR", "Como eu faço pra chegar aí", {"address"}),
        ("pt-BR", "quero marcar um horário", {"booking"}),
        ("pt-BR", "qual o horário?", {"hours"}),
        ("pt-BR", "quanto custa?", {"price"}),
        ("pt-BR", "a partir de R$ 60", {"price"}),
        ("pt-BR", "vaga de emprego", {"job"}),
        ("pt-BR", "vagas para carros", {"parking"}),
        ("pt-BR", "onde deixo o meu carro", {"parking"}),
        ("pt-BR", "carro novo", set()),
        ("pt-BR", "fecha q hrs no fds", {"hours"}),
        ("en", "how do I get there?", {"address"}),
        ("en", "gift cards", {"gift"}),
        ("es", "¿a qué hora cierran?", {"hours"}),
        ("es", "¿cuánto cuesta?", {"price"}),
    ],
)
def test_concepts(language: Language, text: str, expected: set[str]) -> None:
    """Everyday words name what they are about, the longest phrase decides."""
    assert concepts(text, language) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_of_concepts(language: Language) -> None:
    """All languages know the same concepts; every phrase is folded and found again; search terms are few."""
    assert _CONCEPTS[language].keys() == _CONCEPTS["en"].keys() >= {*ABSORBED, *ABSORBED.values(), *WEAK}
    for concept, table in _CONCEPTS[language].items():
        assert 0 < len(terms(concept, language)) <= MAX_TERMS
        for phrase in table.split(","):
            plain = words(phrase)
            assert " ".join(plain) == " ".join(phrase.replace("*", "").split())
            assert [mention.concept for mention in find(plain, language)] == [concept], phrase


def test_what_is_cancelled_is_not_booked() -> None:
    """ "Cancel my appointment" is about one thing."""
    assert essence(["cancel", "booking", "price"]) == {"cancel", "price"}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("vcs abrem hj", "voces abrem hoje"), ("qto ta", "quanto esta"), ("fds", "fim semana"), ("bolo", "bolo")],
)
def test_abbreviations(typed: str, expected: str) -> None:
    """What thumbs leave out is spelled out."""
    assert " ".join(spell_out(words(typed), "pt-BR")) == expected


@pytest.mark.parametrize(
    ("typed", "meant", "expected"),
    [
        ("serivço", "serviço", True),
        ("estacionanento", "estacionamento", True),
        ("pagamennto", "pagamento", True),
        ("agendameto", "agendamento", True),
        ("contrato", "contato", False),
        ("carvão", "cartão", False),
        ("correia", "correio", False),
        ("entrada", "entrega", False),
        ("bolo", "bloo", False),
        ("cartão", "cartão", False),
    ],
)
def test_slips(typed: str, meant: str, expected: bool) -> None:
    """One slip in a long word is understood, another word that looks alike is not."""
    assert is_slip(fold(typed), fold(meant)) is expected
    assert is_slip(fold(meant), fold(typed)) is expected
