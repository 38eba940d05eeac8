"""Where an answer comes from: topics, a model, a fixed text, or somebody's hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from appliance.model import ANSWER, MANUAL
from appliance.store import Row

Author = Literal["topics", "model", "text", "user", "program", "unknown"]


@dataclass(frozen=True, slots=True)
class Source:
    """A topic that an answer was made of."""

    title: str
    id: int


def author(row: Row, model: str | None, known: Mapping[str, int]) -> tuple[Author, str, tuple[Source, ...]]:
    """Of one of ours: whose words, by which model, user or program, from which topics. `known`: topics by title."""
    if row["kind"] == MANUAL:
        return ("user" if "@" in row["intended_by"] else "program"), row["intended_by"], ()
    if row["kind"] != ANSWER:
        return "text", "", ()
    found = tuple(Source(title, known[title.casefold()]) for title in _parts(row["source"], known))
    if found:
        return "topics", "", found
    return ("model" if row["source"] == model else "unknown"), row["source"], ()


def titles(source: str) -> Iterator[str]:
    """What may be a title in a list of them; a title may have a comma itself."""
    parts = source.split(", ")[:8]
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            yield ", ".join(parts[start:end])


def _parts(source: str, known: Mapping[str, int]) -> Iterator[str]:
    parts = source.split(", ")
    while parts:
        length = next((n for n in range(len(parts), 0, -1) if ", ".join(parts[:n]).casefold() in known), 0)
        if length:
            yield ", ".join(parts[:length])
        parts = parts[max(length, 1) :]
