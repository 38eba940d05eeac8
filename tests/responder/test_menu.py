"""What the FAQ does where it is not sure: what it offers, what it makes of the answer, and what it never shows."""

import pytest

from appliance.model import Language, TextKey
from appliance.ports import Reply, Turn
from appliance.responder.faq import decide
from appliance.texts import length, render
from tests.support.faq_scores import Base

SHOP = """
# Encadernação
Espiral ou capa dura, em dois dias.
# Cópias e impressões
Preto e branco R$ 0,40 a folha, colorida R$ 1,80.
# Cartão de visita
Mil cartões por R$ 120.
# Conexão
A senha está no balcão.
Também: wifi, rede sem fio
# Horário
Das 9h às 18h.
# Mesa para festas
Alugamos por R$ 30.
# Mesa para escritório
Vendemos por R$ 300.
"""
MENU = ("Encadernação", "Cópias e impressões", "Cartão de visita")


@pytest.fixture(scope="module")
def shop() -> Base:
    return Base(SHOP, name="Gráfica")


def shown(base: Base, titles: tuple[str, ...]) -> list[Turn]:
    """The menu was the last thing we said."""
    return [Turn("user", "?"), Turn("assistant", render(TextKey.MENU, base.organization, titles))]


def test_where_no_topic_answers_likely_ones_are_offered(shop: Base) -> None:
    """Up to three titles as the owner wrote them, and the source says which."""
    reply = decide(shop.dialogue("encadernam uma apostila grossa?"))

    assert (reply.key, reply.text, reply.unknown) == (TextKey.MENU, "", False)
    assert reply.options[0] == "Encadernação"
    assert len(reply.options) <= 3
    assert reply.source == f"menu: {', '.join(reply.options)}"


def test_two_topics_that_say_the_same_are_both_offered(shop: Base) -> None:
    """ "Mesa" alone is about either table."""
    assert set(decide(shop.dialogue("quanto custa a mesa?")).options) == {"Mesa para festas", "Mesa para escritório"}


@pytest.mark.parametrize("question", ["tem peixe fresco?", "quem é o presidente?", "??", "4", "nenhuma dessas"])
def test_what_is_about_nothing_gets_no_menu(shop: Base, question: str) -> None:
    """ "Don't know", which also offers a person."""
    assert decide(shop.dialogue(question, menu=MENU)).key == TextKey.DONT_KNOW


def test_a_burst_with_one_answer_offers_nothing(shop: Base) -> None:
    """What is sure is answered; where nothing is, one menu covers the burst."""
    known = decide(shop.dialogue("encadernam apostila grossa?", "qual o horário?"))
    unsure = decide(shop.dialogue("encadernam apostila grossa?", "imprimem trabalho urgente colorido?"))

    assert (known.source, known.key) == ("Horário", None)
    assert unsure.key == TextKey.MENU
    assert {"Encadernação", "Cópias e impressões"} <= set(unsure.options)


@pytest.mark.parametrize(
    ("questions", "source"),
    [
        (["2"], "Cópias e impressões"),
        (["a segunda por favor"], "Cópias e impressões"),
        (["2 obrigado"], "Cópias e impressões"),
        (["um, obrigado"], "Encadernação"),
        (["3", "1"], "Cartão de visita, Encadernação"),
        (["2", "obrigada!"], "Cópias e impressões"),
        (["oi", "2"], "Cópias e impressões"),
        (["2", "e qual o horário?"], "Cópias e impressões, Horário"),
        (["2", "vendem peixe?"], "Cópias e impressões"),
        (["impressões"], "Cópias e impressões"),
        (["cartão"], "Cartão de visita"),
        (["qual o horário?"], "Horário"),
    ],
)
def test_the_answer_to_a_menu(shop: Base, questions: list[str], source: str) -> None:
    """Its number, the word for it or the title, beside whatever else the burst says; a question is a question."""
    reply = decide(shop.dialogue(*questions, menu=MENU, turns=shown(shop, MENU)))

    assert (reply.source, reply.key) == (source, None)


@pytest.mark.parametrize(
    ("questions", "key"),
    [
        (["2", "quero falar com um atendente"], TextKey.HANDOFF),
        (["atendente"], TextKey.HANDOFF),
        (["nenhuma delas"], TextKey.DONT_KNOW),
        (["none of these"], TextKey.DONT_KNOW),
        (["0"], TextKey.DONT_KNOW),
        (["4"], TextKey.DONT_KNOW),
        (["obrigado"], None),
    ],
)
def test_what_chooses_nothing(shop: Base, questions: list[str], key: TextKey | None) -> None:
    """A wish for a person goes before a choice; a refusal without a question is not known, thanks need no reply."""
    reply = decide(shop.dialogue(*questions, menu=MENU, turns=shown(shop, MENU), first=False))

    assert (reply.key, reply.text) == (key, "")


def test_without_a_menu_a_number_is_as_ever(shop: Base) -> None:
    """Nothing was offered, so nothing is chosen."""
    assert decide(shop.dialogue("1")).key == TextKey.DONT_KNOW
    assert decide(shop.dialogue("obrigado", "1")).key == TextKey.DONT_KNOW


def test_a_topic_that_is_gone_is_not_chosen(shop: Base) -> None:
    """It was removed or renamed since: the number is a question like any other, the others still stand."""
    menu = ("Faixas", "Horário")

    assert decide(shop.dialogue("1", menu=menu)).key == TextKey.DONT_KNOW
    assert decide(shop.dialogue("2", menu=menu)).source == "Horário"


def test_what_was_just_refused_is_not_offered_again(shop: Base) -> None:
    """Who asks on after a menu wanted none of its titles; without them "don't know" is near, and a person with it."""
    question = "encadernam uma apostila grossa?"
    first = decide(shop.dialogue(question))
    again = decide(shop.dialogue(question, menu=first.options, turns=shown(shop, first.options), first=False))
    later = decide(
        shop.dialogue(question, menu=first.options, turns=[Turn("assistant", "Das 9h às 18h.")], first=False)
    )

    assert not set(again.options) & set(first.options)
    assert later.options == first.options


@pytest.mark.parametrize("question", ["tem wifi?", "qual a senha da rede sem fio?", "wi-fi"])
def test_another_name_is_found_like_the_title_and_never_shown(shop: Base, question: str) -> None:
    """Answered or offered, the customer reads the topic's text or its title."""
    reply = decide(shop.dialogue(question))

    assert reply.source.removeprefix("menu: ") == "Conexão"
    for said in (reply.text, *reply.options):
        assert "wifi" not in said
        assert "sem fio" not in said


def test_several_names_are_not_one_long_title() -> None:
    """A name that says two things does not take away what another says alone, nor does their number."""
    base = Base("# Rede\nSenha no caixa.\nAlso: wifi, cartão presente, vale, internet, net\n# Pagar\nCartão e Pix.")

    assert decide(base.dialogue("tem internet?")).source == "Rede"
    assert decide(base.dialogue("aceitam cartão?")).source == "Pagar"


@pytest.mark.parametrize("language", ["pt-BR", "en", "es"])
def test_a_menu_is_one_message(language: Language) -> None:
    """Three titles of 200 characters, emoji among them, still make one Twilio message with a line each."""
    base = Base("\n".join(f"# {letter * 180} 🎂 bolo\nx{letter}" for letter in "abc"), language)
    reply = decide(base.dialogue("bolo?"))
    body = render(TextKey.MENU, base.organization, reply.options)

    assert len(reply.options) == 3
    assert length(body) <= 1_600
    assert [line[:3] for line in body.splitlines()[1:]] == ["1) ", "2) ", "3) "]


@pytest.mark.parametrize(
    "hostile", ["?" * 800, "a?" * 800, "🙏" * 1600, "1\n" * 800, "2️⃣" * 500, "\ud800", "encadernação " * 120]
)
def test_hostile_text_is_answered_all_the_same(shop: Base, hostile: str) -> None:
    """Nothing a customer types breaks the decision, with a menu open or without."""
    for menu in ((), MENU):
        assert isinstance(decide(shop.dialogue(hostile, menu=menu)), Reply)
