"""Topics as their owner reads and writes them, one by one; files of them are `knowledge`'s."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from appliance import texts
from appliance.config import Config
from appliance.errors import RequestError
from appliance.language.text import fold, is_stop_word, words
from appliance.language.words import is_telling
from appliance.model import Language, Organization, Topic
from appliance.operations import hands, unanswered
from appliance.operations.markdown import MAX_ALIAS, MAX_TITLE, MAX_TOPIC, names
from appliance.store import Tx
from appliance.store.knowledge import Kept
from appliance.store.topic_answers import WEEK

START = 160  # characters of a text in the list
MOST = 1_000  # topics in the list
QUESTIONS = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """A topic as somebody wants it."""

    title: str
    body: str
    aliases: tuple[str, ...]

    @property
    def shown(self) -> str:
        """As a customer reads it."""
        return texts.fit(texts.strip_markup(self.body))


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    title: str
    start: str
    answers: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The topics that answered most this week first."""

    topics: list[Row]
    count: int


@dataclass(frozen=True, slots=True)
class View:
    """One topic. `version`: another one after each change. `questions`: the newest that it answered this week."""

    kept: Kept
    version: str
    answers: int
    questions: list[str]


def overview(tx: Tx, organization: Organization) -> Overview:
    answers = tx.topic_answers.of_the_week(organization)
    rows = [
        Row(id_, title, texts.strip_markup(start), answers.get(title, 0))
        for id_, title, start in tx.knowledge.starts(organization.id, START, MOST)
    ]
    return Overview(sorted(rows, key=lambda row: -row.answers), len(tx.knowledge.titles(organization.id)))


def view(tx: Tx, organization: Organization, topic_id: int) -> View:
    """Raises RequestError."""
    kept = _kept(tx, organization, topic_id)
    title = kept.topic.title
    return View(
        kept,
        _version(kept.topic),
        tx.topic_answers.of_the_week(organization).get(title, 0),
        tx.outbox.asked_of(organization.id, title, tx.now - WEEK, QUESTIONS),
    )


def draft(title: str, body: str, called: str) -> Draft:
    """What was filled in. `called`: what customers also say, one a line. Raises RequestError."""
    title = " ".join(texts.normalise(texts.strip_markup(title)).split())
    body = texts.normalise(body)
    if len(title) > MAX_TITLE:
        raise RequestError("bad_title", "The name of the topic is too long.", "title")
    if not words(title):
        raise RequestError("bad_title", "The topic needs a name.", "title")
    if not texts.strip_markup(body).strip():
        raise RequestError("bad_body", "Write what the customer reads.", "body")
    if len(body.encode()) > MAX_TOPIC:
        raise RequestError("bad_body", "The answer is too long.", "body")
    try:
        aliases = names(filter(None, map(str.strip, called.splitlines())), title)
    except ValueError:
        message = "Up to 20 other names, please, each of at most 60 characters and with words in it."
        raise RequestError("bad_alias", message, "aliases") from None
    return Draft(title, body, aliases)


def create(tx: Tx, organization: Organization, wanted: Draft, by: str) -> int:
    """The new topic's id; sent twice, it is one. Raises RequestError."""
    known = _of_that_name(tx, organization, wanted.title)
    if known is None:
        return tx.knowledge.put(organization.id, wanted.title, wanted.body, wanted.aliases, by)
    topic = _kept(tx, organization, known).topic
    if _version(topic) != _version(wanted):
        raise RequestError("title_taken", "There is a topic of this name already: add to that one.", "title")
    return topic.id


def save(tx: Tx, organization: Organization, topic_id: int, wanted: Draft, version: str, by: str) -> None:
    """`version`: of what was changed. Raises RequestError."""
    topic = _kept(tx, organization, topic_id).topic
    if _version(topic) == _version(wanted):
        return
    if _version(topic) != version:
        message = "Somebody changed this topic while you wrote. Save again, and your words replace what is stored now."
        raise RequestError("changed_meanwhile", message, status=409)
    if _of_that_name(tx, organization, wanted.title) not in (None, topic_id):
        raise RequestError("title_taken", "Another topic has this name already.", "title")
    tx.knowledge.change(topic_id, wanted.title, wanted.body, wanted.aliases, by)
    if topic.title != wanted.title:
        tx.topic_answers.rename(organization.id, topic.title, wanted.title)


def delete(tx: Tx, organization: Organization, topic_id: int) -> None:
    """Raises RequestError."""
    tx.knowledge.remove(_kept(tx, organization, topic_id).topic.id)


def teach(
    tx: Tx, organization: Organization, wanted: Draft, question: str, by: str, *, tell: Collection[int], config: Config
) -> int:
    """The new topic's id; what it answers is settled, and said to those who wait for it. Raises RequestError.

    `tell`: contacts; who does not wait because of this question is told nothing.
    """
    topic_id = create(tx, organization, wanted, by)
    for asker in unanswered.lesson(tx, organization, question).waiting:
        conversation = tx.conversations.newest(asker.contact_id)
        if conversation and asker.contact_id in tell:
            words = hands.Reply(wanted.shown, None, by)  # settled below, it is told once
            hands.reply(tx, organization.id, str(conversation.id), words, config)
    unanswered.settle(tx, organization, question)
    return topic_id


def suggested(question: str, language: Language) -> Draft:
    """A title and another name for what was asked, to begin with."""
    spoken = texts.normalise(question).strip(" ?!.¿¡").split()
    told = [number for number, each in enumerate(spoken) if any(is_telling(word, language) for word in words(each))]
    title = " ".join(spoken[told[0] : told[-1] + 1]) if told else ""
    telling = " ".join(each for each in spoken if not all(is_stop_word(word, language) for word in words(each)))
    alias = next((each for each in (" ".join(spoken), telling) if words(each) and len(each) <= MAX_ALIAS), "")
    return Draft((title[:1].upper() + title[1:])[:MAX_TITLE].strip(" ,;:?!."), "", (alias,) if alias else ())


def _kept(tx: Tx, organization: Organization, topic_id: int) -> Kept:
    kept = tx.knowledge.kept(organization.id, topic_id)
    if kept is None:
        raise RequestError("not_found", "There is no such topic.", status=404)
    return kept


def _of_that_name(tx: Tx, organization: Organization, title: str) -> int | None:
    """Whatever its case and accents."""
    titles = {fold(each): topic_id for topic_id, each in tx.knowledge.titles(organization.id).items()}
    return titles.get(fold(title))


def _version(topic: Topic | Draft) -> str:
    """Of what it says, so that who saves the same again disturbs nobody."""
    said = "\0".join((topic.title, topic.body, *topic.aliases))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
