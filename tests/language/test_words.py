"""What a question is about, and how it is found in a text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.language.courtesy import asks_for_person, is_greeting, is_thanks
from appliance.language.spelling import spell_out
from appliance.language.synonyms import _CONCEPTS
from appliance.language.text import bare, words
from appliance.language.words import MAX_SEARCH_TERMS, Vocabulary, concepts, content_words, search_terms
from appliance.model import Language

TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included
LANGUAGES: tuple[Language, ...] = ("pt-BR", "en", "es")


@given(TEXT, st.sampled_from(LANGUAGES))
def test_every_rule_takes_any_text(text: str, language: Language) -> None:
    """Hostile text raises nowhere, and what is searched for is bounded and plain."""
    terms = search_terms(text, language)

    assert len(terms) <= MAX_SEARCH_TERMS
    assert all(re.fullmatch(r"[^\W_]+\*?", term) for term in terms)
    assert {is_greeting(text, language), is_thanks(text), asks_for_person(text)} <= {True, False}
    assert set(content_words(text, language)) <= set(spell_out(words(bare(text)), language))
    assert concepts(text, language) <= _CONCEPTS[language].keys()


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Oi, tudo bem? Queria saber se vocês entregam no Centro, por favor", "pt-BR", ("entregam", "centro")),
        ("Hi! Could you please tell me about parking?", "en", ("parking",)),
        ("Hola, ¿tienen pan sin gluten?", "es", ("pan", "gluten")),
        ("bolo, BOLO e Bolos", "pt-BR", ("bolo", "bolos")),
    ],
)
def test_content_words(text: str, language: Language, expected: tuple[str, ...]) -> None:
    """Courtesy and stop-words go, each other word stays once."""
    assert content_words(text, language) == expected


@pytest.mark.parametrize(
    ("language", "asked", "text", "expected"),
    [
        ("pt-BR", "entregam", "Entrega", True),
        ("pt-BR", "abre", "abrimos", True),
        ("pt-BR", "pagar", "pagamento", True),
        ("pt-BR", "cartões", "cartão", True),
        ("pt-BR", "pão", "pães", True),
        ("pt-BR", "integral", "integrais", True),
        ("pt-BR", "vegana", "veganos", True),
        ("pt-BR", "alérgica", "alergias", True),
        ("pt-BR", "estacionar", "estacionamento", True),
        ("pt-BR", "bola", "bolos", False),
        ("pt-BR", "carta", "cartão", False),
        ("pt-BR", "casa", "casamento", False),
        ("pt-BR", "pix", "pizza", False),
        ("en", "deliver", "delivery", True),
        ("en", "opening", "open", True),
        ("en", "cookies", "cookie", True),
        ("en", "allergy", "allergies", True),
        ("es", "abren", "abrimos", True),
        ("es", "tarjetas", "tarjeta", True),
        ("es", "pasteles", "pastel", True),
        ("es", "pan", "pantalla", False),
    ],
)
def test_vocabulary(language: Language, asked: str, text: str, expected: bool) -> None:
    """Inflections of a word are found, other words that begin alike are not."""
    assert bool(Vocabulary.of(text, language).count(words(asked)[0])) is expected


def test_vocabulary_counts() -> None:
    """Every inflection in the text counts once."""
    assert Vocabulary.of("Abrimos às 7. Aos domingos abre às 9; abrem todos.", "pt-BR").count("abrir") == 3


def test_a_blob_is_cheap() -> None:
    """A word of a hundred thousand letters is compared by its beginning."""
    blob = "x" * 100_000

    assert Vocabulary.of(blob, "pt-BR").count(blob) == 1
    assert search_terms(blob, "pt-BR") == ("xxxxx*",)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("tem tapioca?", ("tapio*",)),
        ("tem wifi?", ("wifi*", "inter*", "fi*", "senha*")),
        ("tem pães?", ("pa*",)),
        ("tem 3 tv?", ("3", "tv")),
        ('" OR "', ("or",)),
        ("oi, tudo bem?", ()),
        ("aeaeae aaaaa", ("aeaea*", "aaaaa*")),
    ],
)
def test_search_terms(question: str, expected: tuple[str, ...]) -> None:
    """Stems become prefixes, very short words stay whole, courtesy is not searched for, concepts bring their words."""
    assert search_terms(question, "pt-BR") == expected
