"""What an organization tells its customers: import, list, and try a question against it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from appliance import texts
from appliance.errors import RequestError
from appliance.language.text import fold, words
from appliance.model import Organization, Topic
from appliance.operations.markdown import Entry, names
from appliance.ports import Dialogue, Responder
from appliance.reply.shelf import Shelves, propose
from appliance.store import Tx

MAX_QUESTION = 1_600  # characters
PATIENCE = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Score:
    topic: str
    score: float  # 0 … 1, the share of what is asked that it holds; it decides whether the topic answers
    likeness: float  # 0 … 1, of its letters and words to the question's; it ranks what a menu offers


@dataclass(frozen=True, slots=True)
class Trial:
    """What a customer would be told, and how every proposed topic fared, best first. `topic`: null where none won.

    `menu`: the titles that were offered instead.
    """

    topic: str | None
    score: float
    reply: str
    menu: tuple[str, ...]
    scores: list[Score]


class Fit(Protocol):
    """How a topic fared."""

    @property
    def topic(self) -> Topic: ...

    @property
    def score(self) -> float: ...

    @property
    def likeness(self) -> float: ...


class Offline(Responder, Protocol):
    """A responder that can say why."""

    def explain(self, question: str, dialogue: Dialogue) -> Iterable[Fit]:
        """How everything proposed fared, best first."""


def put(tx: Tx, organization: Organization, topics: list[Entry]) -> list[str]:
    """Add topics or replace those of the same heading, whatever its case and accents; their titles.

    What customers call a topic stays where the new one names nothing: it may come from the command line.
    """
    headings = {fold(entry.title): entry.title for entry in topics}
    known = {fold(topic.title): topic for topic in tx.knowledge.of(organization.id)}
    for heading, topic in known.items():
        if headings.get(heading, topic.title) != topic.title:
            tx.knowledge.remove(topic.id)
    for title, body, aliases in topics:
        before = known.get(fold(title))
        kept = before.aliases if before else ()
        tx.knowledge.put(organization.id, title, body, kept if aliases is None else aliases)
    return [entry.title for entry in topics]


def alias(tx: Tx, organization: Organization, title: str, called: list[str], *, remove: bool) -> Topic:
    """Add what customers call a topic, or take it away. Raises RequestError."""
    topic = next((each for each in tx.knowledge.of(organization.id) if fold(each.title) == fold(title)), None)
    if topic is None:
        raise RequestError("unknown_topic", f"There is no topic “{title}”.", "topic", status=404)
    try:
        given = names(called, topic.title)
        gone = {words(name) for name in given} if remove else set()
        aliases = names((*topic.aliases, *(() if remove else given)), topic.title)
    except ValueError as error:
        raise RequestError("bad_alias", f"There is {error}.", "aliases") from None
    kept = tuple(name for name in aliases if words(name) not in gone)
    tx.knowledge.put(organization.id, topic.title, topic.body, kept)
    return Topic(topic.id, topic.title, topic.body, kept)


def page(tx: Tx, organization: Organization) -> list[dict[str, Any]]:
    return [
        {"title": topic.title, "body": topic.body, "aliases": list(topic.aliases)}
        for topic in tx.knowledge.of(organization.id)
    ]


def asked(tx: Tx, organization: Organization, shelves: Shelves, question: str) -> Dialogue:
    """The dialogue of somebody who asks this first of all. Raises RequestError for no question."""
    if not 1 <= len(question.strip()) <= MAX_QUESTION:
        raise RequestError("bad_question", f"The question must have 1 to {MAX_QUESTION} characters.", "question")
    topics = propose(tx, organization, (question,))
    return Dialogue(organization, (question,), topics=topics, shelf=shelves.of(tx, organization), asked_at=tx.now)


async def trial(offline: Offline, dialogue: Dialogue) -> Trial:
    question = dialogue.questions[0]
    scores = [
        Score(fit.topic.title, round(fit.score, 3), round(fit.likeness, 3))
        for fit in offline.explain(question, dialogue)
    ]
    reply = await offline.respond(dialogue, PATIENCE)
    text = texts.render(reply.key, dialogue.organization, reply.options) if reply.key else reply.text
    return Trial(
        topic=reply.source if reply.text else None,
        score=scores[0].score if scores else 0.0,
        reply=text,
        menu=reply.options,
        scores=scores,
    )
