"""Where an answer comes from: topics, a model, a fixed text, or somebody's hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from appliance.model import ANSWER, MANUAL
from appliance.store import Row

Author = Literal["topics", "model", "text", "user", "program", "unknown"]


@dataclass(frozen=True, slots=True)
class Source:
    """A topic that an answer was made of. `id`: None where the topic is gone."""

    title: str
    id: int | None


def author(row: Row, model: str | None, known: Mapping[str, int]) -> tuple[Author, str, tuple[Source, ...]]:
    """Of one of ours: whose words, by which model, user or program, from which topics. `known`: topics by title."""
    if row["kind"] == MANUAL:
        return ("user" if "@" in row["intended_by"] else "program"), row["intended_by"], ()
    if row["kind"] != ANSWER:
        return "text", "", ()
    named = _named(row) or _parts(row["source"], known)
    found = tuple(Source(title, known.get(title.casefold())) for title in named)
    if found:
        return "topics", "", found
    return ("model" if row["source"] == model else "unknown"), row["source"], ()


def titles(row: Row) -> Iterator[str]:
    """What may be the title of a topic of an answer: what it names, or a part of a list; a title may have a comma."""
    yield from _named(row)
    parts = row["source"].split(", ")[:8]
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            yield ", ".join(parts[start:end])


def _named(row: Row) -> list[str]:
    """As the responder told them; older answers have only a source."""
    return msgspec.json.decode(row["options"], type=list[str]) if row["options"] else []


def _parts(source: str, known: Mapping[str, int]) -> Iterator[str]:
    parts = source.split(", ")
    while parts:
        length = next((n for n in range(len(parts), 0, -1) if ", ".join(parts[:n]).casefold() in known), 0)
        if length:
            yield ", ".join(parts[:length])
        parts = parts[max(length, 1) :]
