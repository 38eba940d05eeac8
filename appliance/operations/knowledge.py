"""What an organization tells its customers: import, list, and try a question against it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from appliance import texts
from appliance.config.sections import Ai
from appliance.errors import RequestError
from appliance.language.text import fold
from appliance.model import Organization
from appliance.ports import Dialogue, Reply, Responder, ResponderError
from appliance.reply.shelf import Shelves, propose
from appliance.store import Tx

MAX_QUESTION = 1_600  # characters
PATIENCE = 30.0  # seconds, for a model


@dataclass(frozen=True, slots=True)
class Score:
    topic: str
    score: float  # 0 … 1


@dataclass(frozen=True, slots=True)
class Trial:
    """What a customer would be told, and how every proposed topic fared with the FAQ, best first.

    `asked`: who said the reply. `topic`: null where none won, or where a model was asked: it is shown all of them.
    `failure`: why it said nothing.
    """

    provider: str
    asked: str
    topic: str | None
    score: float
    reply: str
    scores: list[Score]
    is_answer: bool  # its own words, not one of the fixed texts
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """`topics`: what the file has. `others`: what was there besides; `removed`: whether it still is."""

    topics: list[str]
    others: list[str]
    removed: bool


class Offline(Responder, Protocol):
    """A responder that can say why."""

    def explain(self, question: str, dialogue: Dialogue) -> Iterable[tuple[str, float]]:
        """Topic and score (0 … 1) of everything proposed, best first."""


def put(tx: Tx, organization: Organization, topics: list[tuple[str, str]], *, replace: bool = False) -> Import:
    """Add topics or replace those of the same heading, whatever its case and accents.

    `replace`: what the file does not have goes, as a heading that was renamed leaves its old one behind.
    """
    headings = {fold(title): title for title, _ in topics}
    others = []
    for topic in tx.knowledge.of(organization.id):
        heading = headings.get(fold(topic.title))
        others += [topic.title] if heading is None else []
        if heading != topic.title and (heading is not None or replace):
            tx.knowledge.remove(topic.id)
    for title, body in topics:
        tx.knowledge.put(organization.id, title, body)
    return Import([title for title, _ in topics], others, replace)


def remove(tx: Tx, organization: Organization, title: str) -> str:
    """Remove the topic of this heading, whatever its case and accents; its title. Raises RequestError."""
    titles = {fold(topic.title): topic for topic in tx.knowledge.of(organization.id)}
    topic = titles.get(fold(" ".join(title.split())))
    if topic is None:
        near = get_close_matches(fold(title), titles, n=3, cutoff=0.5)
        meant = f" Did you mean {' or '.join(f'“{titles[each].title}”' for each in near)}?" if near else ""
        raise RequestError("not_found", f"There is no topic “{title}”.{meant}", "title", 404)
    tx.knowledge.remove(topic.id)
    return topic.title


def page(tx: Tx, organization: Organization) -> list[dict[str, Any]]:
    return [{"title": topic.title, "body": topic.body} for topic in tx.knowledge.of(organization.id)]


def asked(tx: Tx, organization: Organization, shelves: Shelves, question: str) -> Dialogue:
    """The dialogue of somebody who asks this first of all. Raises RequestError for no question."""
    if not 1 <= len(question.strip()) <= MAX_QUESTION:
        raise RequestError("bad_question", f"The question must have 1 to {MAX_QUESTION} characters.", "question")
    topics = propose(tx, organization, (question,))
    return Dialogue(organization, (question,), topics=topics, shelf=shelves.of(tx, organization), asked_at=tx.now)


async def trial(offline: Offline, dialogue: Dialogue, responder: Responder, ai: Ai) -> Trial:
    """Ask whom `ai.provider` names, as that is what a customer hears; the FAQ tells how the topics fare either way."""
    scores = [Score(topic, round(score, 3)) for topic, score in offline.explain(dialogue.questions[0], dialogue)]
    is_model = ai.provider == "llm"
    asked = f"the model {ai.model}" if is_model else "the offline FAQ"
    failure = ""
    try:
        reply = await (responder if is_model else offline).respond(dialogue, PATIENCE)
    except ResponderError as error:
        reply, failure = Reply(source=asked), str(error)
    return Trial(
        provider=ai.provider,
        asked=asked,
        topic=reply.source if reply.text and not is_model else None,
        score=scores[0].score if scores else 0.0,
        reply=texts.render(reply.key, dialogue.organization, reply.options) if reply.key else reply.text,
        scores=scores,
        is_answer=bool(reply.text),
        failure=failure,
    )
