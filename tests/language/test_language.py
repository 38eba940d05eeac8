"""What is read from a customer's words without a model."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.language.spelling import spell_out
from appliance.language.synonyms import _CONCEPTS
from appliance.language.words import (
    MAX_SEARCH_TERMS,
    Vocabulary,
    asks_for_person,
    bare,
    concepts,
    content_words,
    fold,
    is_greeting,
    is_thanks,
    search_terms,
    words,
)
from appliance.model import Language

TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included
LANGUAGES: tuple[Language, ...] = ("pt-BR", "en", "es")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Pão", "pao"), ("GLÚTEN", "gluten"), ("Straße", "strasse"), ("ﬁm", "fim"), ("", ""), ("já às 7ª", "ja as 7a")],
)
def test_fold(text: str, expected: str) -> None:
    """Case, accents and compatibility forms do not matter."""
    assert fold(text) == expected


@given(TEXT)
def test_fold_is_idempotent(text: str) -> None:
    """Folding folded text changes nothing."""
    assert fold(fold(text)) == fold(text)


def test_fold_is_idempotent_for_every_character() -> None:
    """Also for the rare characters that random text never holds."""
    everything = " ".join(map(chr, range(0x110000)))

    assert fold(fold(everything)) == fold(everything)


@given(TEXT)
def test_words_hold_no_syntax(text: str) -> None:
    """Words are non-empty runs of letters and digits that survive being read again and stored."""
    found = words(text)

    assert all(re.fullmatch(r"[^\W_]+", word) for word in found)
    assert words(" ".join(found)) == found
    assert "".join(found).encode() is not None


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
    ("text", "expected"),
    [(" STOP. ", "stop"), ("«Sair»!!", "sair"), ("não", "nao"), ("stop all", "stop all"), ("a-b", "a-b"), ("👍", "")],
)
def test_bare(text: str, expected: str) -> None:
    """Outer punctuation and space go, inner stay."""
    assert bare(text) == expected


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
    "text",
    [
        *[
            "oi",
            "Olá!!",
            "Oiiiii",
            "boa noite, tudo bem com vocês?",
            "Bom dia 😊",
            "tem alguém aí?",
            "hello",
            "Hi there",
        ],
        *["hey, how are you?", "¡Hola! ¿Qué tal?", "buenos días"],
    ],
)
def test_greetings(text: str) -> None:
    """A greeting in any of the languages greets."""
    assert is_greeting(text, "pt-BR")


@pytest.mark.parametrize(
    "text", ["oi, vcs entregam?", "bom dia, qual o preço?", "obrigado", "", "👋", "oito bolos", "dia"]
)
def test_not_greetings(text: str) -> None:
    """A question besides, or nothing that greets, is no greeting."""
    assert not is_greeting(text, "pt-BR")


@pytest.mark.parametrize(
    "text",
    [
        *[
            "ok",
            "Ok.",
            "obrigado",
            "Muito obrigada!",
            "valeu 👍",
            "beleza",
            "blz",
            "tá bom, obrigado",
            "👍",
            "🙏🏽❤️",
            "",
            " ",
        ],
        *["não, obrigado", "Obrigado pela ajuda, bom dia", "entendi, obrigada", "tchau", "perfeito, até amanhã", "..."],
        *["thanks", "Ok thank you so much!", "great, thanks", "bye", "gracias", "muchas gracias", "listo", "vale"],
    ],
)
def test_thanks(text: str) -> None:
    """Thanks, agreement, goodbyes, emoji and emptiness need no reply."""
    assert is_thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "oi",
        "ok?",
        "obrigado, e a entrega?",
        "ok quero um bolo",
        "1",
        "sim",
        "não",
        "certo seria trocar",
        "?",
        "show de horror",
    ],
)
def test_not_thanks(text: str) -> None:
    """Whatever may want an answer is not passed over."""
    assert not is_thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        *["ATENDENTE", "atendente.", "Humano", "PESSOA", "agent", "Persona", "Atendente, por favor", "oi, atendente"],
        *[
            "quero falar com um atendente",
            "posso falar com uma pessoa?",
            "Gostaria de falar com alguém",
            "quero atendente",
        ],
        *[
            "preciso de um atendente humano",
            "tem como falar com o gerente",
            "me passa pra um atendente",
            "atendimento humano",
        ],
        *[
            "quero uma pessoa de verdade",
            "não quero falar com robô",
            "chama um atendente por favor",
            "quero um humano!",
        ],
        *["can I talk to a human", "I want to speak with a real person", "human please", "let me speak to someone"],
        *[
            "I want an agent",
            "I don't want to talk to a bot",
            "quiero hablar con una persona",
            "¿puedo hablar con un asesor?",
        ],
        *["necesito un agente", "quiero hablar con alguien"],
    ],
)
def test_asks_for_person(text: str) -> None:
    """Keywords as the whole message and plain sentences ask for a person."""
    assert asks_for_person(text)


@pytest.mark.parametrize(
    "text",
    [
        *[
            "quantas pessoas cabem na mesa?",
            "bolo para uma pessoa",
            "quanto é por pessoa?",
            "quero bolo pra 10 pessoas",
        ],
        *[
            "tem alguém aí?",
            "preciso de alguém para carregar o bolo",
            "quero falar sobre a entrega",
            "o atendente foi ótimo",
        ],
        *[
            "how many people per table?",
            "price per person",
            "cuánto cuesta por persona",
            "creme humano é bom",
            "",
            "👤",
        ],
    ],
)
def test_does_not_ask_for_person(text: str) -> None:
    """A person merely mentioned is not a person asked for."""
    assert not asks_for_person(text)


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
