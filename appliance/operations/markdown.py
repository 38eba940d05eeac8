"""An organization's knowledge as its owner writes it: Markdown, a `#` heading of any level is a topic."""

import re
from dataclasses import dataclass, field

from appliance.errors import RequestError
from appliance.language.text import fold
from appliance.texts import normalise, strip_markup

MAX_FILE = 1024 * 1024  # bytes
MAX_TOPIC = 16 * 1024  # bytes; ten times the longest reply, and what a model is given of a topic stays affordable
MAX_TITLE = 200  # characters

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?")
_CLOSING_HASHES = re.compile(r"(?:^|[ \t])#+$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


@dataclass(slots=True)
class _Section:
    line: int
    level: int
    title: str
    lines: list[str] = field(default_factory=list)

    @property
    def body(self) -> str:
        return normalise("\n".join(self.lines))


def parse(markdown: str) -> list[tuple[str, str]]:
    """Titles and bodies in the file's order.

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
    return [(section.title, section.body) for section in topics]


def _sections(lines: list[str]) -> list[_Section]:
    sections: list[_Section] = []
    fence = ""
    for number, line in enumerate(lines, start=1):
        fence = _fence_after(fence, line)
        heading = None if fence else _HEADING.fullmatch(line)
        if heading:
            text = _CLOSING_HASHES.sub("", (heading[2] or "").strip())
            sections.append(_Section(number, len(heading[1]), normalise(strip_markup(text))))
        elif sections:
            sections[-1].lines.append(line)
        elif line.strip():
            raise _fault("text before the first heading: give it a heading", number)
    return sections


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
