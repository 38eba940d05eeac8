"""An organization's knowledge as its owner writes it: Markdown, a `#` heading of any level is a topic.

A line `Também: wifi, internet` (`Also:`, `También:`) under a heading names what customers call the topic.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from appliance.errors import RequestError
from appliance.language.text import bare, fold, words
from appliance.texts import normalise, strip_markup

MAX_FILE = 1024 * 1024  # bytes
MAX_TOPIC = 16 * 1024  # bytes; ten times the longest reply, and what a model is given of a topic stays affordable
MAX_TITLE = 200  # characters
MAX_ALIASES = 20  # of one topic
MAX_ALIAS = 60  # characters

_ALSO = ("tambem", "also", "tambien")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?")
_CLOSING_HASHES = re.compile(r"(?:^|[ \t])#+$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


class Entry(NamedTuple):
    """A topic as the file has it. `aliases`: None where no line names any."""

    title: str
    body: str
    aliases: tuple[str, ...] | None = None


@dataclass(slots=True)
class _Section:
    line: int
    level: int
    title: str
    lines: list[str] = field(default_factory=list)
    aliases: tuple[str, ...] | None = None

    @property
    def body(self) -> str:
        return normalise("\n".join(self.lines))


def parse(markdown: str) -> list[Entry]:
    """The topics in the file's order.

    A heading that only introduces deeper headings (a document's title) is no topic. Text before the first heading, a
    heading without text, a heading given twice and what is too large raise RequestError with the line's number.
    """
    if len(markdown.encode("utf-8", "replace")) > MAX_FILE:
        raise _fault(f"the file is larger than {MAX_FILE // 1024} KiB")
    sections = _sections(markdown.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    next_levels = [*(section.level for section in sections[1:]), 0]
    topics = [each for each, level in zip(sections, next_levels, strict=False) if each.body or level <= each.level]
    for section in topics:
        if not section.title:
            raise _fault("a heading without words", section.line)
        if len(section.title) > MAX_TITLE:
            raise _fault(f"a heading of more than {MAX_TITLE} characters", section.line)
        if not strip_markup(section.body).strip():
            raise _fault(f"nothing is said under “{section.title}”", section.line)
        if len(section.body.encode()) > MAX_TOPIC:
            raise _fault(f"more than {MAX_TOPIC // 1024} KiB under “{section.title}”", section.line)
    seen: dict[str, int] = {}
    for section in topics:
        first = seen.setdefault(fold(section.title), section.line)
        if first != section.line:
            raise _fault(f"“{section.title}” is already a heading in line {first}", section.line)
    if not topics:
        raise _fault("no heading found: each topic starts with a line like `# Opening hours`")
    return [Entry(section.title, section.body, section.aliases) for section in topics]


def names(said: Iterable[str], title: str) -> tuple[str, ...]:
    """What customers call a topic, each name once and on one line. Raises ValueError for too many or none of a name."""
    kept: dict[tuple[str, ...], str] = {}
    own = words(title)
    for name in (" ".join(normalise(strip_markup(each)).split()) for each in said):
        if len(name) > MAX_ALIAS:
            raise ValueError(f"a name of more than {MAX_ALIAS} characters")
        if not (called := words(name)):
            raise ValueError("a name without words")
        if called != own:
            kept.setdefault(called, name)
        if len(kept) > MAX_ALIASES:  # of a hundred thousand no more are looked at
            raise ValueError(f"more than {MAX_ALIASES} names")
    return tuple(kept.values())


def _sections(lines: list[str]) -> list[_Section]:
    sections: list[_Section] = []
    fence = ""
    for number, line in enumerate(lines, start=1):
        fence = _fence_after(fence, line)
        heading = None if fence else _HEADING.fullmatch(line)
        if heading:
            text = _CLOSING_HASHES.sub("", (heading[2] or "").strip())
            sections.append(_Section(number, len(heading[1]), normalise(strip_markup(text))))
        elif sections and not fence and (said := _also(line)) is not None:
            section = sections[-1]
            try:
                section.aliases = names((*(section.aliases or ()), *said), section.title)
            except ValueError as error:
                raise _fault(f"{error} for “{section.title}”", number) from None
        elif sections:
            sections[-1].lines.append(line)
        elif line.strip():
            raise _fault("text before the first heading: give it a heading", number)
    return sections


def _also(line: str) -> list[str] | None:
    """The names that the line gives its topic; None where it is text."""
    word, colon, said = line.partition(":")
    if not colon or bare(word) not in _ALSO:
        return None
    return [name for name in (each.strip(" \t*_") for each in said.split(",")) if name]


def _fence_after(fence: str, line: str) -> str:
    """The open code fence after this line; a `#` inside one is no heading."""
    mark = _FENCE.fullmatch(line)
    if not mark:
        return fence
    if not fence:
        return mark[1]
    closes = mark[1].startswith(fence) and not mark[2].strip()
    return "" if closes else fence


def _fault(message: str, line: int | None = None) -> RequestError:
    return RequestError("invalid_knowledge", message if line is None else f"line {line}: {message}", "knowledge")
