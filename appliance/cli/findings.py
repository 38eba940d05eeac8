"""Findings on a terminal: ✓ or ✗, what was looked at, what is so, and below it what to do."""

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from appliance.cli.render import GAP, columns_of, one_line
from appliance.diagnosis.finding import Finding, all_well
from appliance.diagnosis.words import words

MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("–", "yellow")}
PLAIN = str.maketrans({"✓": "+", "✗": "x", "–": "-", "→": ">", "…": "."})
_NARROWEST = 30  # columns for what is so


def lines(findings: Sequence[Finding], language: str) -> Iterator[tuple[str, bool | None]]:
    """Each line, and what its mark means. A terminal's width is kept; a file gets each sentence in one line."""
    told = [(each.ok, words(each, language)) for each in findings]
    width = max((columns_of(one_line(each.subject)) for _, each in told), default=0)
    before = 1 + len(GAP) + width + len(GAP)
    left = max(shutil.get_terminal_size((sys.maxsize, 0)).columns - before, _NARROWEST)
    for ok, each in told:
        subject = one_line(each.subject)
        first, *more = _wrapped(each.what, left)
        yield f"{MARKS[ok][0]}{GAP}{subject}{' ' * (width - columns_of(subject))}{GAP}{first}", ok
        yield from ((" " * before + line, ok) for line in more)
        if each.fix:
            head, *rest = _wrapped(each.fix, left - 2)
            yield f"{' ' * before}→ {head}", ok
            yield from ((f"{' ' * before}  {line}", ok) for line in rest)


def _wrapped(text: str, columns: int) -> list[str]:
    """Broken between words alone: a URL, a path or a command's option is there to be copied."""
    return textwrap.wrap(one_line(text), columns, break_long_words=False, break_on_hyphens=False) or [""]


def show(findings: Sequence[Finding], language: str) -> None:
    for line, ok in lines(findings, language):
        has_mark = not line.startswith(" ")
        mark = click.style(line[0], fg=MARKS[ok][1]) if has_mark and "NO_COLOR" not in os.environ else line[0]
        click.echo(encodable(mark + line[1:]))


def encodable(text: str) -> str:
    """Text for a terminal that may know less than UTF-8."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = unicodedata.normalize("NFD", text.translate(PLAIN))
        plain = "".join(each for each in plain if not unicodedata.combining(each))
        return plain.encode(encoding, "replace").decode(encoding)
    return text


def as_json(findings: Iterable[Finding], language: str) -> dict[str, Any]:
    """`ok` null: it cannot be told. Kinds and values are the same in every language."""
    every = list(findings)
    told = []
    for each in every:
        said = words(each, language)
        told.append(
            {"kind": str(each.kind), "ok": each.ok, "subject": said.subject, "what": said.what, "fix": said.fix or None}
            | {"values": each.values}
        )
    return {"ok": all_well(every), "findings": told}
