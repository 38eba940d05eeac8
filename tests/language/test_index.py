"""The shelf's index: what looks like a question by its letters and families, and what a question costs."""

from importlib import resources

import pytest

from appliance.language.index import Index, _grams
from appliance.language.text import fold
from appliance.language.thesaurus import families
from appliance.model import Topic

TOPICS = (
    Topic(1, "Encadernação", "Espiral ou capa dura, em dois dias."),
    Topic(2, "Guarda-volumes", "Fica na recepção, sem custo."),
    Topic(3, "Conexão", "A senha está no balcão.", ("wifi", "rede sem fio")),
)


def best(question: str) -> str:
    found = Index(TOPICS, "pt-BR").alike(question)
    return found[0][0].title if found else ""


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("vcs encardenam?", "Encadernação"),
        ("ENCADERNAÇOES", "Encadernação"),
        ("capadura", "Encadernação"),
        ("onde deixo minhas malas", "Guarda-volumes"),
        ("tem wiffi", "Conexão"),
        ("redesemfio", "Conexão"),
        ("xyzw", ""),
        ("", ""),
    ],
)
def test_slips_families_and_other_names(question: str, title: str) -> None:
    """A slip, an inflection, words written as one, a word of the same family, another name; nothing for nothing."""
    assert best(question) == title


def test_a_likeness_is_a_share() -> None:
    """From 0 to 1, most like first; what the question says besides makes it less."""
    index = Index(TOPICS, "pt-BR")
    alone = index.alike("encadernação")
    among = index.alike("encadernação submarina dos ornitorrincos")

    assert [likeness for _, likeness in alone] == sorted((likeness for _, likeness in alone), reverse=True)
    assert 0 < among[0][1] < alone[0][1] <= 1
    assert among[0][0].title == "Encadernação"


def test_the_weights_are_made_once_and_not_before_a_question() -> None:
    """A shelf costs nothing until somebody asks."""
    index = Index(TOPICS, "pt-BR")
    assert "spaces" not in vars(index)
    index.alike("oi")
    made = vars(index)["spaces"]
    index.alike("tchau")

    assert index.spaces is made


def test_a_question_reads_few_postings() -> None:
    """With 500 topics it looks at a small part of what is held, and no more than 300 characters are compared."""
    topics = tuple(
        Topic(number, f"Assunto {number:03x}", " ".join(f"{number * place % 9973:04x}" for place in range(1, 60)))
        for number in range(500)
    )
    index = Index(topics, "pt-BR")
    postings = index.spaces[0].postings
    held = sum(len(numbers) for numbers, _ in postings.values())
    asked = set(_grams(("tem o assunto 0ff?",)))
    read = sum(len(postings[gram][0]) for gram in asked & postings.keys())

    assert read < 0.1 * held
    assert set(index.alike("q" * 300)) == set(index.alike("q" * 300 + " assunto 0ff" * 100))


def test_hostile_topics_and_questions() -> None:
    """Empty words, huge titles, emoji and half characters are weighed like any text."""
    topics = (Topic(1, "🙏" * 200, "x"), Topic(2, "ÿ́" * 100, "\ud800"), Topic(3, "t" * 200, "z" * 16_000, ("a" * 60,)))
    index = Index(topics, "en")

    for question in ("?" * 800, "🙏" * 1600, "\ud800", "t" * 1600, "ÿ́" * 500):
        assert all(0 < likeness <= 1.0001 for _, likeness in index.alike(question))
    assert Index((), "es").alike("hola") == []


def test_a_family_holds_in_every_language() -> None:
    """A suitcase is luggage in all three."""
    assert families(("malas",), "pt-BR") & families(("luggage",), "en") & families(("equipaje",), "es")
    assert families(("xyzzy",), "en") == frozenset()


def test_every_line_of_the_families_has_three_languages() -> None:
    """And no word that could never be found."""
    lines = (resources.files("appliance.language") / "families.txt").read_text("utf-8").splitlines()

    assert len(lines) > 100
    for line in lines:
        assert [bool(words.split()) for words in line.split("|")] == [True] * 3, line
        assert line == fold(line), line
