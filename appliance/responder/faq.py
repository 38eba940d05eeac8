"""The offline responder: answers from the organization's topics, greets, says what it does not know, hands over.

Full-text search has proposed `Dialogue.topics`; the decision is the share of a question's ideas that a topic holds. An
idea is a content word, or an everyday concept in whatever words (`synonyms`). No network, no state, the same dialogue
always gets the same reply.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from appliance.language import synonyms
from appliance.language.courtesy import asks_for_person, is_greeting, is_thanks
from appliance.language.spelling import MAX_COMPARED, SHORTEST_SWAPPED, is_slip
from appliance.language.text import is_stop_word, words
from appliance.language.words import LONGEST_WORD, Vocabulary, concepts, content_words, is_telling, plain_words
from appliance.model import Language, Organization, TextKey, Topic
from appliance.ports import Dialogue, Reply
from appliance.texts import fit, render, strip_markup
from appliance.wire import without_places

THRESHOLD = 0.6  # one of two words is a coincidence, two of three are a topic
UNKNOWN_BEFORE_HANDOFF = 2
MAX_IDEAS = 16  # of one question that are compared with each topic
MAX_QUESTIONS = 10  # of one burst that are looked at one by one: a message of 800 question marks must stay cheap

# What an idea found in a topic counts. A word that belongs to a concept is worth most where the title is about it: the
# topic "Telefone" may say "no horário comercial" and still does not tell the hours.
WORD = 1.0
CONCEPT_IN_TITLE = 0.95
CONCEPTS_WORD_IN_BODY = 0.9
CONCEPT_IN_BODY = 0.8
SLIP = 0.9

_QUESTION_END = re.compile(r"[?\n;]+|[.!]+(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Idea:
    """One thing a question is about: a word, or a concept with those phrases that could name nothing else."""

    phrases: tuple[tuple[str, ...], ...]
    concept: str | None
    weak: bool  # counts where found, is not missed elsewhere


@dataclass(frozen=True, slots=True)
class Match:
    """How well a topic fits a question. `score` is 0 … 1, the share that decides; the rest ranks those that answer."""

    topic: Topic
    score: float
    worth: float  # of the ideas found that are no weak words
    title_hits: int
    hits: int

    @property
    def answers(self) -> bool:
        return self.score >= THRESHOLD

    @property
    def rank(self) -> tuple[bool, float, int, float, int]:
        return self.answers, self.worth, self.title_hits, self.score, self.hits


class Faq:
    """A Responder that needs no network."""

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:  # noqa: ARG002 - it never waits
        """One reply from the best topic of each question; of the whole burst where no question alone has one."""
        asked = tuple(filter(None, map(without_places, dialogue.questions)))
        if any(dialogue.questions) and not asked:
            return _unknown(dialogue)
        dialogue = replace(dialogue, questions=asked)
        if courtesy := _courtesy(dialogue):
            return courtesy
        parts = [part for message in dialogue.questions for part in _QUESTION_END.split(message)]
        questions = [part for part in parts if content_words(part, dialogue.organization.language)][:MAX_QUESTIONS]
        topics = _topics(questions, dialogue) or _topics([" ".join(dialogue.questions)], dialogue)
        if topics:
            bodies = [strip_markup(topic.body) for topic in topics]
            return Reply(source=", ".join(topic.title for topic in topics), text=fit("\n\n".join(bodies)))
        return _unknown(dialogue)

    def explain(self, question: str, dialogue: Dialogue) -> list[tuple[str, float]]:
        """Every proposed topic's title and score (0 … 1) for a question, best first."""
        return [(match.topic.title, match.score) for match in matches(question, dialogue)]

    async def close(self) -> None:
        """Nothing is held."""


def _unknown(dialogue: Dialogue) -> Reply:
    tired = dialogue.unknown_streak >= UNKNOWN_BEFORE_HANDOFF
    key = TextKey.HANDOFF if tired else TextKey.DONT_KNOW
    return Reply(source="no topic answers", key=key, unknown=True)


def matches(question: str, dialogue: Dialogue) -> tuple[Match, ...]:
    """Every proposed topic with its score for one question, best first; those below `THRESHOLD` do not answer."""
    ideas = _ideas(question, dialogue.organization)
    scored = [_match(ideas, topic, dialogue.organization.language) for topic in dialogue.topics]
    return tuple(sorted(scored, key=lambda match: match.rank, reverse=True))


def _courtesy(dialogue: Dialogue) -> Reply | None:
    """The reply to what is not a question: a wish for a person, a greeting, thanks."""
    text = "\n".join(dialogue.questions)
    greets = is_greeting(text, dialogue.organization.language)
    if any(asks_for_person(question) for question in dialogue.questions):
        return Reply(source="asks for a person", key=TextKey.HANDOFF)
    if greets and dialogue.first_contact:
        return Reply(source="greeting", key=TextKey.GREETING)
    said = [turn.text for turn in dialogue.turns if turn.role == "assistant"]
    # By its words: an SMS has other quotes than the organization's name.
    greeted = bool(said) and words(said[-1]) == words(render(TextKey.GREETING, dialogue.organization))
    if is_thanks(text) or (greets and greeted):
        return Reply(source="needs no reply")
    return Reply(source="greeting", key=TextKey.GREETING) if greets else None


def _topics(questions: list[str], dialogue: Dialogue) -> list[Topic]:
    best = [found[0] for question in questions if (found := matches(question, dialogue))]
    return list(dict.fromkeys(match.topic for match in best if match.answers))


def _ideas(question: str, organization: Organization) -> tuple[Idea, ...]:
    """Concepts, then the other words; the organization's own name is weak, as is what any business is asked."""
    speaks = organization.language
    plain = plain_words(question, speaks)
    mentions = synonyms.find(plain, speaks)
    # Each concept once, with those of its phrases of which every word tells something.
    phrases: dict[str, dict[tuple[str, ...], None]] = {mention.concept: {} for mention in mentions}
    for mention in mentions:
        said = tuple(plain[index] for index in mention.indices)
        if all(is_telling(word, speaks) for word in said):
            phrases[mention.concept][said] = None
    essence = synonyms.essence(phrases)
    named = [Idea(tuple(said), name, name in synonyms.WEAK) for name, said in phrases.items() if name in essence]
    spoken = {index for mention in mentions for index in mention.indices}
    rest = dict.fromkeys(word for index, word in enumerate(plain) if index not in spoken)
    own_name = words(organization.name)
    others = (
        Idea(((word,),), None, word in own_name or synonyms.is_weak(word, speaks))
        for word in rest
        if not is_stop_word(word, speaks)
    )
    return (*named, *others)[:MAX_IDEAS]


def _match(ideas: tuple[Idea, ...], topic: Topic, speaks: Language) -> Match:
    """A topic answers only if it holds something telling: in its title, or anything but weak words and amounts."""
    title, text = _Part.of(topic.title, speaks), _Part.of(f"{topic.title}\n{topic.body}", speaks)
    worth = {idea: found for idea in ideas if (found := _worth(idea, title, text))}
    titled = [idea for idea in worth if title.tells(idea)]
    telling = [idea for idea in worth if not idea.weak or idea.concept in synonyms.TELLING]
    counted = [idea for idea in ideas if not idea.weak or idea in worth]
    strong = [idea for idea in counted if idea.concept or not idea.weak]
    share = sum(worth.get(idea, 0.0) for idea in strong or counted) / max(len(strong or counted), 1)
    return Match(
        topic,
        share if titled or telling else 0.0,
        sum(worth.get(idea, 0.0) for idea in strong),
        len(titled),
        sum(text.count(idea) for idea in worth),
    )


def _worth(idea: Idea, title: "_Part", text: "_Part") -> float:
    if title.tells(idea):
        return WORD if title.says(idea) else CONCEPT_IN_TITLE
    if text.is_about(idea):
        return CONCEPTS_WORD_IN_BODY if text.says(idea) else CONCEPT_IN_BODY
    if idea.concept is None and text.says(idea):
        return WORD
    return SLIP if text.nearly_says(idea) else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A topic's title, or the whole of it, ready to be asked for ideas."""

    vocabulary: Vocabulary
    concepts: frozenset[str]
    spellings: dict[str, tuple[str, ...]]  # long words by their first letter

    @classmethod
    @lru_cache(maxsize=256)
    def of(cls, text: str, speaks: Language) -> "_Part":
        spellings: dict[str, list[str]] = {}
        for word in dict.fromkeys(words(text)):
            same = spellings.setdefault(word[0], [])
            if SHORTEST_SWAPPED <= len(word) <= LONGEST_WORD and len(same) < MAX_COMPARED:
                same.append(word)
        compared = {first: tuple(same) for first, same in spellings.items()}
        return cls(Vocabulary.of(text, speaks), concepts(text, speaks), compared)

    def is_about(self, idea: Idea) -> bool:
        return idea.concept in self.concepts

    def tells(self, idea: Idea) -> bool:
        """Whether this, as a title, is about the idea: "gift cards" says "card" and is not about paying."""
        return self.says(idea) if idea.concept is None else idea.concept in synonyms.essence(self.concepts)

    def says(self, idea: Idea) -> bool:
        """Whether one of the idea's phrases stands here with all its content words."""
        return any(phrase and all(map(self.vocabulary.count, phrase)) for phrase in idea.phrases)

    def nearly_says(self, idea: Idea) -> bool:
        """Whether a long word of the idea stands here but for a slip of the finger."""
        long = [word for phrase in idea.phrases for word in phrase if len(word) >= SHORTEST_SWAPPED]
        return any(is_slip(word, other) for word in long for other in self.spellings.get(word[0], ()))

    def count(self, idea: Idea) -> int:
        return sum(self.vocabulary.count(word) for phrase in idea.phrases for word in phrase)
