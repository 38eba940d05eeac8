"""Which of a menu's options a message chooses, in three languages and as people type."""

import pytest

from appliance.language.choice import chosen

MENU = (("Formas de pagamento",), ("Pix", "chave"), ("Bolos de festa", "torta", "aniversário"))
SECOND = [
    "2",
    "2)",
    "2.",
    "(2)",
    "nº 2",
    "n° 2",
    "No. 2",
    "opção 2",
    "a opção 2",
    "a 2",
    "#2",
    "2️⃣",
    "２",
    "②",
    "2 por favor",
    "2 obrigado",
    "2, obrigada!",
    "quero a 2",
    "pode ser o 2",
    "oi, a 2",
    "dois",
    "duas",
    "o dois",
    "a segunda",
    "segundo",
    "o segundo por favor",
    "2º",
    "2ª",
    "é a segunda",
    "seria a 2",
    "two",
    "number two",
    "option 2",
    "second",
    "the second",
    "the second one",
    "second one please",
    "2nd",
    "I'd like the second one",
    "2 thanks",
    "dos",
    "el dos",
    "el segundo",
    "la segunda",
    "opción 2",
    "la 2",
    "la segunda por favor",
    "2 gracias",
    "quiero la segunda",
]
NO_CHOICE = [
    "0",
    "4",
    "12",
    "22",
    "2x",
    "-",
    "?",
    "nenhuma",
    "nenhuma delas",
    "nenhuma das 3",
    "none of these",
    "ninguna de estas",
    "não é o 2",
    "oi",
    "obrigado",
    "ok",
    "sim",
    "não",
    "tem 2 bolos?",
    "quero 2 bolos e 3 pães",
    "2 horas",
    "às 2",
    "qual o preço do pix?",
    "bolos e pix",
    "quero outra coisa",
    "1 quilo",
]


@pytest.mark.parametrize("message", SECOND)
def test_the_second(message: str) -> None:
    """Its number or the word for it, in courtesy, chooses the second of three."""
    assert chosen(message, MENU, "pt-BR") == (1,)


@pytest.mark.parametrize("message", NO_CHOICE)
def test_what_is_no_choice(message: str) -> None:
    """Numbers that were not offered, refusals, questions with numbers in them, anything that says more."""
    assert chosen(message, MENU, "pt-BR") == ()


@pytest.mark.parametrize(
    ("message", "indices"),
    [
        ("1", (0,)),
        ("um", (0,)),
        ("uma", (0,)),
        ("one", (0,)),
        ("first", (0,)),
        ("uno", (0,)),
        ("la primera", (0,)),
        ("o primeiro", (0,)),
        ("três", (2,)),
        ("a terceira", (2,)),
        ("the third one", (2,)),
        ("la tercera", (2,)),
        ("última", (2,)),
        ("the last one", (2,)),
        ("la última", (2,)),
        ("1 e 3", (0, 2)),
        ("3, 1", (2, 0)),
        ("todas", (0, 1, 2)),
        ("all", (0, 1, 2)),
        ("formas de pagamento", (0,)),
        ("FORMAS DE PAGAMENTO!", (0,)),
        ("pagamento", (0,)),
        ("pagamentos por favor", (0,)),
        ("bolo", (2,)),
        ("a de bolos", (2,)),
        ("chave", (1,)),
        ("torta", (2,)),
    ],
)
def test_numbers_words_and_titles(message: str, indices: tuple[int, ...]) -> None:
    """Each number has its words; a title, a clear part of it or another name for it chooses too."""
    assert chosen(message, MENU, "pt-BR") == indices


@pytest.mark.parametrize(
    ("message", "indices"),
    [("sim", (0,)), ("yes please", (0,)), ("sí", (0,)), ("isso mesmo", (0,)), ("não", ()), ("2", ())],
)
def test_where_one_title_was_offered_yes_will_do(message: str, indices: tuple[int, ...]) -> None:
    """With several, yes says nothing."""
    assert chosen(message, [("Pix",)], "pt-BR") == indices


def test_a_word_of_two_titles_chooses_none() -> None:
    """ "Entrega" between "Taxa de entrega" and "Prazo de entrega" is asked anew; the whole title is not."""
    menu = [("Taxa de entrega",), ("Prazo de entrega",), ("Entrega",)]

    assert chosen("entregas", menu[:2], "pt-BR") == ()
    assert chosen("prazo", menu, "pt-BR") == (1,)
    assert chosen("entrega", menu, "pt-BR") == (2,)


@pytest.mark.parametrize(
    "hostile", ["", " ", "1" * 1600, "1 " * 800, "?" * 800, "2️⃣" * 533, "\x00", "🙏" * 1600, "\ud800"]
)
def test_hostile_text_is_no_choice_or_one(hostile: str) -> None:
    """Whatever is typed: no fault, and never an option that there is not."""
    assert set(chosen(hostile, MENU, "pt-BR")) <= {0, 1, 2}


@pytest.mark.parametrize("said", ["no es eso", "não é entrega", "sem entrega", "not this"])
def test_a_refusal_of_the_only_option_chooses_nothing(said: str) -> None:
    """Also where it names the option."""
    assert chosen(said, [("Entrega",)], "pt-BR") == ()


def test_a_number_that_is_refused_is_not_chosen() -> None:
    """ "no 2" is number two, "no es la 2" is not, and a title may have such a word in it."""
    options = [("Entrega",), ("Bolos",), ("Wi-Fi no salão",)]

    assert [chosen(said, options, "es") for said in ("no 2", "no es la 2", "wi-fi no salão")] == [(1,), (), (2,)]
