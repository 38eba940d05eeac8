"""What the FAQ makes of a table of questions, counted: right at once, right by one tap, don't know, wrong."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from appliance.language.index import Index
from appliance.language.words import search_terms
from appliance.model import Language, Organization, TextKey, Topic
from appliance.operations.markdown import parse
from appliance.ports import Dialogue, Reply, Turn
from appliance.responder.faq import decide


class Table(Protocol):
    """A business, its knowledge, and its questions with the right topic, or the right topics; None where none is."""

    @property
    def name(self) -> str: ...

    @property
    def business(self) -> str: ...

    @property
    def language(self) -> Language: ...

    @property
    def markdown(self) -> str: ...

    @property
    def questions(self) -> Mapping[str, str | Sequence[str] | None]: ...


class Outcome(StrEnum):
    AT_ONCE = "at once"  # the right topic's text; beside it, in answer to a second sentence, there may be another
    ONE_TAP = "one tap"  # the right title is in the menu
    UNKNOWN = "don't know"  # or a menu without the right title
    WRONG = "wrong"  # only another topic's text
    REFUSED = "refused"  # out of scope: "don't know"
    MENU = "menu"  # out of scope, and titles were offered


class Base:
    """Topics behind a real full-text index, proposed the way the store proposes them, and on a shelf."""

    def __init__(self, markdown: str, speaks: Language = "pt-BR", name: str = "Padaria Aurora") -> None:
        self.organization = Organization(1, name, speaks, "America/Sao_Paulo", contact="+55 11 4002-8922")
        self._topics = {
            row: Topic(row, entry.title, entry.body, entry.aliases or ())
            for row, entry in enumerate(parse(markdown), start=1)
        }
        self.shelf = Index(tuple(self._topics.values()), speaks)
        self._db = sqlite3.connect(":memory:")
        self._db.execute(
            "CREATE VIRTUAL TABLE f USING fts5 (title, body, aliases, tokenize = 'unicode61 remove_diacritics 2')"
        )
        rows = [(topic.id, topic.title, topic.body, "\n".join(topic.aliases)) for topic in self._topics.values()]
        self._db.executemany("INSERT INTO f (rowid, title, body, aliases) VALUES (?, ?, ?, ?)", rows)

    def propose(self, question: str) -> tuple[Topic, ...]:
        terms = search_terms(question, self.organization.language)
        query = " OR ".join(f'"{term.rstrip("*")}"{"*" if term.endswith("*") else ""}' for term in terms)
        found = (
            self._db.execute("SELECT rowid FROM f WHERE f MATCH ? ORDER BY rank LIMIT 20", (query,)) if query else ()
        )
        return tuple(self._topics[row] for (row,) in found)

    def dialogue(
        self,
        *questions: str,
        first: bool = True,
        streak: int = 0,
        turns: Sequence[Turn] = (),
        menu: Sequence[str] = (),
    ) -> Dialogue:
        proposed = self.propose("\n".join(questions))
        return Dialogue(
            self.organization, questions, tuple(turns), proposed, first, streak, menu=tuple(menu), shelf=self.shelf
        )


def outcome(reply: Reply, right: str | Sequence[str] | None) -> Outcome:
    """What a customer has who asked one question."""
    rights = (right,) if isinstance(right, str) else right or ()
    if reply.text:
        answered = {reply.source, *reply.source.split(", ")}
        return Outcome.AT_ONCE if answered.intersection(rights) else Outcome.WRONG
    offered = reply.options if reply.key == TextKey.MENU else ()
    if not rights:
        return Outcome.MENU if offered else Outcome.REFUSED
    return Outcome.ONE_TAP if set(rights).intersection(offered) else Outcome.UNKNOWN


def score(table: Table) -> dict[str, Outcome]:
    """Every question's outcome."""
    base = Base(table.markdown, table.language, table.business)
    return {question: outcome(decide(base.dialogue(question)), right) for question, right in table.questions.items()}


def row(table: Table, outcomes: Mapping[str, Outcome]) -> str:
    """The table's line: what became of the questions that its base answers, and of those that it does not."""
    known = Counter(outcomes[question] for question, right in table.questions.items() if right)
    foreign = Counter(outcomes[question] for question, right in table.questions.items() if not right)
    cells = [f"{known[each]:>10}" for each in (Outcome.AT_ONCE, Outcome.ONE_TAP, Outcome.UNKNOWN, Outcome.WRONG)]
    cells += [f"{foreign[each]:>10}" for each in (Outcome.REFUSED, Outcome.MENU, Outcome.WRONG)]
    return f"{table.name:<12}{''.join(cells)}"


HEADER = f"{'':<12}" + "".join(
    f"{cell:>10}" for cell in ("at once", "one tap", "don't know", "wrong", "| refused", "menu", "wrong")
)
