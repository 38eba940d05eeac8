"""`docs/cards.md`, in each language, and what a card's words may be."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from appliance.cli import main
from appliance.notices.catalogue import CATALOGUE
from appliance.notices.page import GROUPS, PAGES, SAMPLES, page
from appliance.notices.reasons import REASONS
from appliance.notices.translation import translation
from appliance.store.cards import CardKind

DOCS = Path(__file__).parents[2] / "docs"
COMMAND = re.compile(r"appliance ((?:[a-z][a-z-]+ ?)+)((?:--[a-z]+)?)")
SHOWN = {**SAMPLES, "organization": "Padaria Central"}


@pytest.mark.parametrize("language", PAGES)
def test_the_page_is_what_the_code_makes(language: str) -> None:
    """Else `make words` was forgotten."""
    assert (DOCS / PAGES[language]).read_text("utf-8") == page(language)


@pytest.mark.parametrize("language", PAGES)
def test_a_search_finds_every_sentence(language: str) -> None:
    """Whatever stands on a card between its facts stands on the page: titles, texts, what to do, reasons."""
    written = page(language)
    said = [text for kind in CATALOGUE.values() for text in (kind.title, kind.text, kind.itself, kind.todo)]
    said += [reason for reasons in REASONS.values() for reason in reasons]

    for text in said:
        for part in re.split(r"\{\w+\}", translation(language).gettext(text)):
            assert part in written


def test_every_card_has_its_words_and_its_place() -> None:
    """Each kind is in the catalogue, and each of the catalogue in one group of the page."""
    placed = [name for names in GROUPS.values() for name in names]

    assert {name.partition(".")[0] for name in CATALOGUE} == set(CardKind)
    assert sorted(placed) == sorted(CATALOGUE)


@pytest.mark.parametrize("language", PAGES)
def test_cards_are_short(language: str) -> None:
    """A title fits into a line of a phone's notice; a text has at most two sentences, and all are whole ones."""
    say = translation(language).gettext
    for kind in CATALOGUE.values():
        title, text = say(kind.title).format_map(SHOWN), say(kind.text)

        assert len(title) <= 60, title
        assert not title.endswith(".")
        assert len(re.findall(r"\.(?= |$)", text)) <= 2, text
        assert all(say(part).endswith(".") for part in (kind.text, kind.itself, kind.todo))
        assert not say(kind.closes).endswith(".")


def commands() -> Iterator[str]:
    for language in PAGES:
        for kind in CATALOGUE.values():
            yield from (found[0] for found in COMMAND.finditer(translation(language).gettext(kind.todo)))


def test_the_commands_exist() -> None:
    """What a card says to type is a command, with the option that it names."""
    named = set(commands())

    assert named
    for text in named:
        command: click.Command = main
        words = text.split()[1:]
        while words and isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words[0])
            assert found is not None, text
            command, words = found, words[1:]
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert [word for word in words if word.startswith("--") and word not in options] == []
