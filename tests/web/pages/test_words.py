"""Every text of the pages has its Portuguese, with the same values in it; and none is left of texts that went."""

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

WEB = Path(__file__).parents[3] / "appliance" / "web"
PO = WEB / "locale" / "pt_BR" / "LC_MESSAGES" / "pages.po"
KEYWORDS = {"t": None, "h": None, "n": (1, 2)}
SHORTER = {"This card stays as long as what it tells of: it closes {when}."}  # when, is told in English
HOW = [("pages/**.py", "python"), ("templates/**.html", "jinja2")]


def said() -> set[str | tuple[str, str]]:
    """In templates and in code; what only looks like a call has no text."""
    found = extract_from_dir(str(WEB), method_map=HOW, keywords=KEYWORDS)
    return {tuple(each[2]) if isinstance(each[2], tuple) else each[2] for each in found}  # type: ignore[misc]


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file)


def entries(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def first(message: Message) -> str:
    """The singular."""
    return message.id if isinstance(message.id, str) else message.id[0]


def strings(catalogue: Catalog) -> dict[str, list[str]]:
    return {first(m): [m.string] if isinstance(m.string, str) else list(m.string or ()) for m in entries(catalogue)}


def names(text: str | None) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text or "") if name}


def test_each_text_is_translated(catalogue: Catalog) -> None:
    """None is missing, fuzzy or empty."""
    missing = []
    for text in said():
        message = catalogue.get(text)
        whole = message is not None and not message.fuzzy
        strings = (
            message.string
            if message is not None and isinstance(message.string, tuple)
            else (message and message.string,)
        )
        if not whole or not all(strings) or (isinstance(text, tuple) != (message is not None and message.pluralizable)):
            missing.append(text)

    assert sorted(map(str, missing)) == []


def test_none_is_left_of_texts_that_went(catalogue: Catalog) -> None:
    """What no page says any more is not translated."""
    spoken = {text[0] if isinstance(text, tuple) else text for text in said()}
    dynamic = set(re.findall(r'"([^"\n]+)"', (WEB / "pages" / "words.py").read_text("utf-8")))
    known = {first(message) for message in entries(catalogue)}

    assert sorted(known - spoken - dynamic - sentences()) == []


def sentences() -> set[str]:
    """Refusals, and constants that a page says by name: literals anywhere in the code."""
    literals = set()
    for path in WEB.parent.rglob("*.py"):
        literals |= set(re.findall(r'"((?:[^"\\\n]|\\.)+)"', path.read_text("utf-8")))
    return literals


def test_translations_have_the_same_values(catalogue: Catalog) -> None:
    """A value that one of the two does not name would be missing, or end the page."""
    for message in entries(catalogue):
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        wanted = set().union(*(names(each) for each in ids))
        for each in strings:
            assert names(each) <= wanted, message.id
        given = set().union(*(names(each) for each in strings))
        assert wanted - {"count"} <= given or first(message) in SHORTER


def test_the_compiled_catalogue_is_of_this_one(catalogue: Catalog) -> None:
    """`make words` was run after the last change."""
    with PO.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)

    assert strings(compiled) == strings(catalogue)
