"""What an organization tells its customers: import, list, and try a question against it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from appliance import texts
from appliance.errors import RequestError
from appliance.language.text import fold
from appliance.model import Organization
from appliance.ports import Dialogue, Responder
from appliance.reply.shelf import Shelves, propose
from appliance.store import Tx

MAX_QUESTION = 1_600  # characters
PATIENCE = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Score:
    topic: str
    score: float  # 0 … 1


@dataclass(frozen=True, slots=True)
class Trial:
    """What a customer would be told, and how every proposed topic fared, best first. `topic`: null where none won."""

    topic: str | None
    score: float
    reply: str
    scores: list[Score]


class Offline(Responder, Protocol):
    """A responder that can say why."""

    def explain(self, question: str, dialogue: Dialogue) -> Iterable[tuple[str, float]]:
        """Topic and score (0 … 1) of everything proposed, best first."""


def put(tx: Tx, organization: Organization, topics: list[tuple[str, str]]) -> list[str]:
    """Add topics or replace those of the same heading, whatever its case and accents; their titles."""
    headings = {fold(title): title for title, _ in topics}
    for topic in tx.knowledge.of(organization.id):
        if headings.get(fold(topic.title), topic.title) != topic.title:
            tx.knowledge.remove(topic.id)
    for title, body in topics:
        tx.knowledge.put(organization.id, title, body)
    return [title for title, _ in topics]


def page(tx: Tx, organization: Organization) -> list[dict[str, Any]]:
    return [{"title": topic.title, "body": topic.body} for topic in tx.knowledge.of(organization.id)]


def asked(tx: Tx, organization: Organization, shelves: Shelves, question: str) -> Dialogue:
    """The dialogue of somebody who asks this first of all. Raises RequestError for no question."""
    if not 1 <= len(question.strip()) <= MAX_QUESTION:
        raise RequestError("bad_question", f"The question must have 1 to {MAX_QUESTION} characters.", "question")
    topics = propose(tx, organization, (question,))
    return Dialogue(organization, (question,), topics=topics, shelf=shelves.of(tx, organization), asked_at=tx.now)


async def trial(offline: Offline, dialogue: Dialogue) -> Trial:
    question = dialogue.questions[0]
    scores = [Score(topic, round(score, 3)) for topic, score in offline.explain(question, dialogue)]
    reply = await offline.respond(dialogue, PATIENCE)
    text = texts.render(reply.key, dialogue.organization, reply.options) if reply.key else reply.text
    return Trial(
        topic=reply.source if reply.text else None,
        score=scores[0].score if scores else 0.0,
        reply=text,
        scores=scores,
    )
