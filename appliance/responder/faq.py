"""The offline responder: answers from the organization's topics, greets, says what it does not know, hands over.

Full-text search has proposed `Dialogue.topics`; the decision is the share of a question's content words that a topic
holds. No network, no state, the same dialogue always gets the same reply.
"""

import re
from dataclasses import dataclass

from appliance import language
from appliance.model import Dialogue, Organization, Reply, TextKey, Topic
from appliance.texts import fit, render, strip_markup

THRESHOLD = 0.6  # one of two words is a coincidence, two of three are a topic
UNKNOWN_BEFORE_HANDOFF = 2
MAX_QUESTIONS = 10  # of one burst that are looked at one by one: a message of 800 question marks must stay cheap

_QUESTION_END = re.compile(r"[?\n;]+|[.!]+(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Match:
    """How well a topic fits a question. `score` is 0 … 1; hits in the title, then in the whole topic break ties."""

    topic: Topic
    score: float
    title_hits: int
    hits: int

    @property
    def answers(self) -> bool:
        return self.score >= THRESHOLD


class Faq:
    """A Responder that needs no network."""

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:  # noqa: ARG002 - it never waits
        return _courtesy(dialogue) or _answer(dialogue) or _unknown(dialogue)

    def explain(self, question: str, dialogue: Dialogue) -> list[tuple[str, float]]:
        """Every proposed topic's title and score (0 … 1) for a question, best first."""
        return [(match.topic.title, match.score) for match in matches(question, dialogue)]

    async def close(self) -> None:
        """Nothing is held."""


def matches(question: str, dialogue: Dialogue) -> tuple[Match, ...]:
    """Every proposed topic with its score for one question, best first; those below `THRESHOLD` do not answer."""
    scored = [_match(question, topic, dialogue.organization) for topic in dialogue.topics]
    return tuple(sorted(scored, key=lambda match: (match.score, match.title_hits, match.hits), reverse=True))


def _courtesy(dialogue: Dialogue) -> Reply | None:
    """The reply to what is not a question: a wish for a person, a greeting, thanks."""
    text = "\n".join(dialogue.questions)
    greets = language.is_greeting(text, dialogue.organization.language)
    if any(language.asks_for_person(question) for question in dialogue.questions):
        return Reply(source="asks for a person", key=TextKey.HANDOFF)
    if greets and dialogue.first_contact:
        return Reply(source="greeting", key=TextKey.GREETING)
    if language.is_thanks(text) or (greets and _just_greeted(dialogue)):
        return Reply(source="needs no reply")
    return Reply(source="greeting", key=TextKey.GREETING) if greets else None


def _just_greeted(dialogue: Dialogue) -> bool:
    said = [turn.text for turn in dialogue.turns if turn.role == "assistant"]
    return bool(said) and said[-1] == render(TextKey.GREETING, dialogue.organization)


def _answer(dialogue: Dialogue) -> Reply | None:
    """One reply from the best topic of each question; of the whole burst where no question alone has one."""
    topics = _topics(_questions(dialogue), dialogue) or _topics([" ".join(dialogue.questions)], dialogue)
    if not topics:
        return None
    bodies = [strip_markup(topic.body) for topic in topics]
    return Reply(source=", ".join(topic.title for topic in topics), text=fit("\n\n".join(bodies)))


def _topics(questions: list[str], dialogue: Dialogue) -> list[Topic]:
    best = [found[0] for question in questions if (found := matches(question, dialogue))]
    return list(dict.fromkeys(match.topic for match in best if match.answers))


def _questions(dialogue: Dialogue) -> list[str]:
    speaks = dialogue.organization.language
    parts = [part for message in dialogue.questions for part in _QUESTION_END.split(message)]
    return [part for part in parts if language.content_words(part, speaks)][:MAX_QUESTIONS]


def _unknown(dialogue: Dialogue) -> Reply:
    tired = dialogue.unknown_streak >= UNKNOWN_BEFORE_HANDOFF
    return Reply(source="no topic answers", key=TextKey.HANDOFF if tired else TextKey.DONT_KNOW)


def _match(question: str, topic: Topic, organization: Organization) -> Match:
    """Weak words and the organization's own name count where found and are not missed elsewhere."""
    title = language.Vocabulary.of(topic.title, organization.language)
    text = language.Vocabulary.of(f"{topic.title}\n{topic.body}", organization.language)
    name = language.words(organization.name)
    asked = language.content_words(question, organization.language)
    weak = {word for word in asked if word in name or language.is_weak(word, organization.language)}
    hits = {word: count for word in asked if (count := text.count(word))}
    title_hits = sum(title.count(word) > 0 for word in asked)
    counted = set(asked) - (weak - hits.keys())
    told = bool(hits.keys() - weak) or title_hits > 0
    return Match(topic, len(hits) / len(counted) if told else 0.0, title_hits, sum(hits.values()))
