"""The offline responder against a table of natural questions and the sample bakery's knowledge."""

from pathlib import Path

import pytest

import appliance
from appliance.model import Language, TextKey
from appliance.operations.markdown import parse
from appliance.ports import Dialogue, Reply, Responder, Turn
from appliance.responder.faq import Faq
from appliance.responder.idea import MAX_IDEAS, ideas_of
from appliance.responder.matching import THRESHOLD, matches
from appliance.texts import length, render
from tests.support.bakery_questions import (
    ABROAD,
    ADDRESS,
    ANSWERABLE,
    CAKES,
    HOURS,
    KNOWN_MISSES,
    PARKING,
    PAYMENT,
    PHONE,
    UNANSWERABLE,
)
from tests.support.faq_questions import KNOWN_MISSES as TABLE_MISSES
from tests.support.faq_questions import TABLES, Table
from tests.support.faq_scores import Base

BAKERY = Path(appliance.__file__).with_name("samples") / "bakery.md"


@pytest.fixture(scope="module")
def bakery() -> Base:
    return Base(BAKERY.read_text(encoding="utf-8"))


async def reply(dialogue: Dialogue) -> Reply:
    responder: Responder = Faq()
    return await responder.respond(dialogue, timeout=1.0)


async def source_of(base: Base, question: str) -> str | None:
    """The topic a whole dialogue was answered from, None for anything else."""
    answer = await reply(base.dialogue(question))
    return answer.source if answer.text else None


def topic_of(base: Base, question: str) -> str | None:
    found = matches(question, base.dialogue(question))
    return found[0].topic.title if found and found[0].answers else None


async def test_bakery_questions(bakery: Base) -> None:
    """Every question of the table gets its topic, or no topic, except the misses named above."""
    table = [*ANSWERABLE, *((question, None) for question in UNANSWERABLE)]
    got = {question: await source_of(bakery, question) for question, _ in table}
    wrong = {question: (expected, got[question]) for question, expected in table if got[question] != expected}
    print(f"\nfaq score: {len(table) - len(wrong)}/{len(table)}")
    for question, (expected, found) in wrong.items():
        print(f"  {question!r}: expected {expected}, got {found}")
    assert set(wrong) == KNOWN_MISSES


def test_the_table_is_large_enough() -> None:
    """At least sixty questions, about half of them without an answer, over at least fifteen topics."""
    assert len(ANSWERABLE) + len(UNANSWERABLE) >= 60
    assert abs(len(ANSWERABLE) - len(UNANSWERABLE)) <= 10
    assert len({topic for _, topic in ANSWERABLE}) >= 15


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_other_businesses(table: Table) -> None:
    """Four in five questions of a business get their topic, all without one are refused, a wrong topic is rare."""
    base = Base(table.markdown, table.language, table.business)
    got = {question: await source_of(base, question) for question in table.questions}
    wrong = {question: found for question, found in got.items() if found != table.questions[question]}
    found = len(table.answerable.keys() - wrong.keys())
    print(f"\nfaq: {table.name} {len(got) - len(wrong)}/{len(got)}, answerable {found}/{len(table.answerable)}")
    assert found / len(table.answerable) >= 0.8
    assert not wrong.keys() & set(table.unanswerable)
    assert sum(topic is not None for topic in wrong.values()) <= 1
    assert set(wrong) == TABLE_MISSES.get(table.name, set())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_other_tables_are_large_enough(table: Table) -> None:
    """Each has a dozen questions of either kind, and each answer is a topic of its base."""
    assert len(table.answerable) >= 12
    assert len(table.unanswerable) >= 12
    assert set(table.answerable.values()) <= {entry.title for entry in parse(table.markdown)}


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("qual o horário?", "Expediente"),
        ("qual o telefone?", "Fale conosco"),
        ("qual o valor?", "Valores"),
        ("qual o preço?", "Tabela de preços"),
        ("qual o preço da gasolina?", None),
        ("onde fica o shopping?", None),
        ("quanto custa?", "Valores"),
        ("fazem reviçao?", "Revisão"),
        ("fazem revsião?", "Revisão"),
        ("tem carvão?", None),
    ],
)
def test_what_a_word_is_worth(question: str, topic: str | None) -> None:
    """A title about the same beats a word in passing, the same word beats another; a slip still finds its word."""
    base = Base("""
# Expediente
De terça a sábado.
# Fale conosco
Ligue no horário comercial: 4002-8922.
# Valores
De 10 a 20 reais.
# Tabela de preços
Peça a tabela. Aceitamos cartão.
# Revisão
Fazemos revisão completa.
""")

    assert topic_of(base, question) == topic


@pytest.mark.parametrize(("markdown", "speaks", "question", "topic"), ABROAD)
async def test_other_languages(markdown: str, speaks: Language, question: str, topic: str | None) -> None:
    """English and Spanish questions find their topics too."""
    assert await source_of(Base(markdown, speaks, "Bakery"), question) == topic


def keys(answer: Reply) -> tuple[TextKey | None, bool]:
    return answer.key, bool(answer.text)


@pytest.mark.parametrize(
    ("questions", "first", "expected"),
    [
        (["oi"], True, TextKey.GREETING),
        (["Olá, boa tarde! Tudo bem?"], True, TextKey.GREETING),
        (["oi", "gostaria de uma informação"], True, TextKey.GREETING),
        (["oi", "obrigado"], True, TextKey.GREETING),
        (["oi"], False, TextKey.GREETING),
        (["ok"], True, None),
        (["Muito obrigada pela ajuda! 🙏"], False, None),
        (["👍"], False, None),
        ([""], False, None),
        (["bom dia, obrigado"], False, None),
        (["ATENDENTE"], True, TextKey.HANDOFF),
        (["vcs abrem domingo?", "quero falar com um atendente"], False, TextKey.HANDOFF),
        (["quantas pessoas cabem na piscina?"], False, TextKey.MENU),
        (["ok?"], False, TextKey.DONT_KNOW),
        (["??"], False, TextKey.DONT_KNOW),
    ],
)
async def test_courtesy(bakery: Base, questions: list[str], first: bool, expected: TextKey | None) -> None:
    """Greetings greet, thanks end, a wish for a person is passed on, the rest is not known."""
    assert keys(await reply(bakery.dialogue(*questions, first=first))) == (expected, False)


async def test_a_greeting_right_after_the_greeting_needs_no_reply(bakery: Base) -> None:
    """ "Oi" and, a while later, "tudo bem?" are greeted once."""
    turns = [Turn("user", "oi"), Turn("assistant", render(TextKey.GREETING, bakery.organization))]

    answer = await reply(bakery.dialogue("tudo bem?", first=False, turns=turns))

    assert keys(answer) == (None, False)


@pytest.mark.parametrize(("streak", "expected"), [(0, TextKey.DONT_KNOW), (1, TextKey.DONT_KNOW), (2, TextKey.HANDOFF)])
async def test_what_is_not_known_is_said_twice_then_handed_over(bakery: Base, streak: int, expected: TextKey) -> None:
    """The third unknown question in a row goes to a person."""
    assert keys(await reply(bakery.dialogue("tem piscina?", first=False, streak=streak))) == (expected, False)


async def test_a_greeting_before_a_question_does_not_greet(bakery: Base) -> None:
    """The question is answered with its topic's text."""
    answer = await reply(bakery.dialogue("Oi, bom dia!", "vcs abrem domingo?"))

    assert answer.key is None
    assert answer.source == HOURS
    assert answer.text.startswith("Abrimos de segunda")


@pytest.mark.parametrize(
    ("questions", "source"),
    [
        (["vcs abrem domingo?", "e aceita cartão de crédito?"], f"{HOURS}, {PAYMENT}"),
        (["Tem estacionamento? Qual o endereço?"], f"{PARKING}, {ADDRESS}"),
        (["abrem domingo?", "domingo vcs abrem??"], HOURS),
        (["tem piscina?", "tem estacionamento?"], PARKING),
        (["quais os sabores", "de recheio do bolo"], CAKES),
    ],
)
async def test_one_reply_covers_a_burst(bakery: Base, questions: list[str], source: str) -> None:
    """All answerable questions, each topic once; "don't know" only if none is answerable."""
    answer = await reply(bakery.dialogue(*questions))

    assert answer.source == source
    assert length(answer.text) <= 1_600


async def test_a_long_answer_is_cut_to_one_message() -> None:
    """Two long topics still make one Twilio message."""
    base = Base("# Pães\n" + "Temos pão. " * 120 + "\n# Bolos\n" + "Temos bolo. " * 120)

    answer = await reply(base.dialogue("tem pães?", "tem bolos?"))

    assert answer.source == "Pães, Bolos"
    assert 800 < length(answer.text) <= 1_600


def test_scores_are_explained(bakery: Base) -> None:
    """Every proposed topic comes with its score, best first, for `knowledge test`."""
    found = matches("tem bolo de aniversário?", bakery.dialogue("tem bolo de aniversário?"))

    assert found[0].topic.title == CAKES
    assert found[0].score == 1.0
    assert [match.answers for match in found] == sorted((match.answers for match in found), reverse=True)
    assert any(match.score < THRESHOLD and not match.answers for match in found)


async def test_the_name_of_the_business_is_not_missed(bakery: Base) -> None:
    """ "O telefone da padaria" needs no topic that says "padaria"."""
    assert await source_of(bakery, "qual o telefone da padaria aurora?") == PHONE


@pytest.mark.parametrize(
    "hostile",
    ['" OR 1=1 --', "NEAR(a b)", "título:* AND", "\ud800", "\x00", "?" * 1600, "a?" * 800, "🙏" * 800, "ÿ́" * 500],
)
async def test_hostile_text_is_only_text(bakery: Base, hostile: str) -> None:
    """Nothing a customer types breaks the search or the decision."""
    await reply(bakery.dialogue(hostile))


def test_a_question_has_few_ideas(bakery: Base) -> None:
    """However many words a message has, each topic is compared with a few."""
    endless = " ".join(f"palavra{number} preço horário endereço" for number in range(500))

    assert len(ideas_of(endless, bakery.organization)) == MAX_IDEAS


async def test_closing_holds_nothing() -> None:
    """The responder can be closed and still answers: it has no state."""
    responder = Faq()
    await responder.close()
