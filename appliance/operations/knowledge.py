"""What an organization tells its customers: import, list, and try a question against it."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from appliance import texts
from appliance.config.sections import Ai
from appliance.errors import RequestError
from appliance.language.text import as_written, fold, words
from appliance.model import Organization, TextKey, Topic
from appliance.operations.markdown import Entry, names
from appliance.ports import Dialogue, Reply, Responder, ResponderError
from appliance.reply.shelf import Shelves, propose
from appliance.store import Tx

MAX_QUESTION = 1_600  # characters
PATIENCE = 30.0  # seconds, for a model


@dataclass(frozen=True, slots=True)
class Score:
    topic: str
    score: float  # 0 … 1, the share of what is asked that it holds; it decides whether the topic answers
    likeness: float  # 0 … 1, of its letters and words to the question's; it ranks what a menu offers
    id: int  # the topic's
    found: tuple[str, ...]  # what of the question it holds, as it was written
    missing: tuple[str, ...]  # what it would need


@dataclass(frozen=True, slots=True)
class Trial:
    """What a customer would be told, and how every proposed topic fared with the FAQ, best first.

    `asked`: who said the reply. `topic`: null where none won, or where a model was asked: it is shown all of them;
    `topics`: each of those that are in the reply. `key`: of the fixed text, where it is one. `unknown`: nobody knew.
    `threshold`: the score from which a topic answers. `failure`: why it said nothing.
    """

    provider: str
    asked: str
    topic: str | None
    score: float
    reply: str
    menu: tuple[str, ...]
    scores: list[Score]
    is_answer: bool  # its own words, not one of the fixed texts
    threshold: float
    topics: tuple[str, ...] = ()
    key: TextKey | None = None
    unknown: bool = False
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """`topics`: what the file has. `others`: what was there besides; `removed`: whether it still is."""

    topics: list[str]
    others: list[str]
    removed: bool


class Fit(Protocol):
    """How a topic fared."""

    @property
    def topic(self) -> Topic: ...

    @property
    def score(self) -> float: ...

    @property
    def likeness(self) -> float: ...

    @property
    def found(self) -> Sequence[str]:
        """The question's words that it holds, folded."""

    @property
    def missing(self) -> Sequence[str]:
        """Those that it would need."""


class Offline(Responder, Protocol):
    """A responder that can say why."""

    @property
    def threshold(self) -> float:
        """The score from which a topic answers."""

    def explain(self, question: str, dialogue: Dialogue) -> Iterable[Fit]:
        """How everything proposed fared, best first."""


def put(tx: Tx, organization: Organization, topics: list[Entry], *, replace: bool = False, by: str = "") -> Import:
    """Add topics or replace those of the same heading, whatever its case and accents.

    What customers call a topic stays where the new one names nothing: it may come from the command line. `replace`:
    what the file does not have goes, as a heading that was renamed leaves its old one behind.
    """
    headings = {fold(entry.title): entry.title for entry in topics}
    known = {fold(topic.title): topic for topic in tx.knowledge.of(organization.id)}
    for folded, topic in known.items():
        heading = headings.get(folded)
        if heading != topic.title and (heading is not None or replace):
            tx.knowledge.remove(topic.id)
    for title, body, aliases in topics:
        before = known.get(fold(title))
        kept = before.aliases if before else ()
        tx.knowledge.put(organization.id, title, body, kept if aliases is None else aliases, by)
        if before and before.title != title:
            tx.topic_answers.rename(organization.id, before.title, title)
    others = [topic.title for folded, topic in known.items() if folded not in headings]
    return Import([entry.title for entry in topics], others, replace)


def remove(tx: Tx, organization: Organization, title: str) -> str:
    """Remove the topic of this heading, whatever its case and accents; its title. Raises RequestError."""
    topic = _topic(tx, organization, title)
    tx.knowledge.remove(topic.id)
    return topic.title


def alias(tx: Tx, organization: Organization, title: str, called: list[str], *, remove: bool, by: str = "") -> Topic:
    """Add what customers call a topic, or take it away. Raises RequestError."""
    topic = _topic(tx, organization, title)
    try:
        given = names(called, topic.title)
        gone = {words(name) for name in given} if remove else set()
        aliases = names((*topic.aliases, *(() if remove else given)), topic.title)
    except ValueError as error:
        raise RequestError("bad_alias", f"There is {error}.", "aliases") from None
    kept = tuple(name for name in aliases if words(name) not in gone)
    tx.knowledge.put(organization.id, topic.title, topic.body, kept, by)
    return Topic(topic.id, topic.title, topic.body, kept)


def _topic(tx: Tx, organization: Organization, title: str) -> Topic:
    titles = {fold(topic.title): topic for topic in tx.knowledge.of(organization.id)}
    topic = titles.get(fold(" ".join(title.split())))
    if topic is None:
        near = get_close_matches(fold(title), titles, n=3, cutoff=0.5)
        meant = f" Did you mean {' or '.join(f'“{titles[each].title}”' for each in near)}?" if near else ""
        raise RequestError("not_found", f"There is no topic “{title}”.{meant}", "title", 404)
    return topic


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


async def trial(
    offline: Offline, dialogue: Dialogue, responder: Responder, ai: Ai, *, asks_model: bool = True
) -> Trial:
    """Ask whom `ai.provider` names, as that is what a customer hears; the FAQ tells how the topics fare either way.

    `asks_model`: each call of one costs money; without, the FAQ is asked.
    """
    question = dialogue.questions[0]
    scores = [
        Score(
            fit.topic.title,
            round(fit.score, 3),
            round(fit.likeness, 3),
            fit.topic.id,
            as_written(question, fit.found),
            as_written(question, fit.missing),
        )
        for fit in await asyncio.to_thread(offline.explain, question, dialogue)
    ]
    is_model = asks_model and ai.provider == "llm"
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
        menu=reply.options,
        scores=scores,
        is_answer=bool(reply.text),
        threshold=offline.threshold,
        topics=reply.topics,
        key=reply.key,
        unknown=reply.unknown,
        failure=failure,
    )
