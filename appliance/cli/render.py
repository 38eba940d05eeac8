"""Plain text for a terminal: aligned, cut to its width, and nothing of a customer's reaches it raw."""

import json
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import click

from appliance.printable import escaped

GAP = "  "
_NARROWEST = 20  # columns; the last one of a table keeps at least these


def one_line(text: object) -> str:
    """Text as one printable line."""
    return escaped(" ".join(str(text).split()))


def moment(milliseconds: int | None) -> str:
    """A time of the API in the time zone of this machine."""
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def columns_of(text: str) -> int:
    """How many columns a terminal needs for it."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """Text in at most so many columns; an ellipsis says that there is more."""
    if columns_of(text) <= columns:
        return text
    kept, used = [], 1
    for character in text:
        used += _columns(character)
        if used > columns:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines under headings; the last column takes what the terminal has left."""
    cells = [list(headings), *([one_line(value) for value in row] for row in rows)]
    widths = [max(columns_of(row[index]) for row in cells) for index in range(len(headings) - 1)]
    left = shutil.get_terminal_size().columns - sum(widths) - len(GAP) * len(widths)
    for row in cells:
        padded = [text + " " * (width - columns_of(text)) for text, width in zip(row, widths, strict=False)]
        yield GAP.join([*padded, cut(row[-1], max(left, _NARROWEST))]).rstrip()


def say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def say_json(value: object) -> None:
    """For programs. Pure ASCII, so that a terminal is safe from it as well."""
    click.echo(json.dumps(value, indent=2))
