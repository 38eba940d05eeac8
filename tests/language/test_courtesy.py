"""What needs no model: greetings, thanks, the wish for a person."""

import pytest

from appliance.language.courtesy import asks_for_person, is_greeting, is_thanks


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
