"""Plain text for a terminal: aligned, cut or wrapped to its width, and nothing of a customer's reaches it raw."""

import json
import shutil
import sys
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
    return text[: _fitting(text, columns - 1)].rstrip() + "…"


def wrapped(text: str, columns: int) -> list[str]:
    """Text in lines of at most so many columns (two at least), broken between words where that is possible."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and columns_of(f"{line} {word}") > columns:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
        while columns_of(line) > columns:
            fits = _fitting(line, columns)
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line]


def _fitting(text: str, columns: int) -> int:
    """How many of its first characters fit."""
    used = 0
    for number, character in enumerate(text):
        used += _columns(character)
        if used > columns:
            return number
    return len(text)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, whole: bool = False) -> Iterator[str]:
    """Lines under headings; the last column takes what the terminal has left. `whole`: it goes on below, uncut.

    What is no terminal, a file or another program, gets everything in one line.
    """
    cells = [list(headings), *([one_line(value) for value in row] for row in rows)]
    widths = [max(columns_of(row[index]) for row in cells) for index in range(len(headings) - 1)]
    before = sum(widths) + len(GAP) * len(widths)
    left = max(shutil.get_terminal_size((sys.maxsize, 0)).columns - before, _NARROWEST)
    for row in cells:
        padded = [text + " " * (width - columns_of(text)) for text, width in zip(row, widths, strict=False)]
        first, *more = wrapped(row[-1], left) if whole else [cut(row[-1], left)]
        yield GAP.join([*padded, first]).rstrip()
        yield from (" " * before + line for line in more)


def say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def say_json(value: object) -> None:
    """For programs. Pure ASCII, so that a terminal is safe from it as well."""
    click.echo(json.dumps(value, indent=2))
