"""The offline responder: answers from the organization's topics, asks which one is meant, greets, hands over.

What fits is decided in `matching`, what is offered where nothing fits well in `menu`. No network, no state, the same
dialogue always gets the same reply.
"""

import asyncio
import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from appliance.language.courtesy import asks_for_person, is_greeting, is_thanks
from appliance.language.text import words
from appliance.language.words import content_words
from appliance.model import TextKey
from appliance.ports import Dialogue, Reply
from appliance.responder import menu
from appliance.responder.idea import ideas_of
from appliance.responder.matching import THRESHOLD, TITLED, Match, is_sure, matches
from appliance.texts import fit, render, strip_markup
from appliance.wire import without_places

UNKNOWN_BEFORE_HANDOFF = 2
MAX_QUESTIONS = 10  # of one burst that are looked at one by one: a message of 800 question marks must stay cheap

_QUESTION_END = re.compile(r"[?\n;]+|[.!]+(?=\s|$)")


class Faq:
    """A Responder that needs no network."""

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:  # noqa: ARG002 - it never waits
        """In a thread: with many topics it computes for longer than others should wait."""
        return await asyncio.to_thread(decide, dialogue)

    @property
    def threshold(self) -> float:
        """The score from which a topic answers."""
        return THRESHOLD

    def explain(self, question: str, dialogue: Dialogue) -> Sequence[Match]:
        """How every proposed topic fared for a question, or for that of its sentences that it fits best; best first."""
        parts = _questions(replace(dialogue, questions=(question,)))
        best: dict[int, Match] = {}
        for said in dict.fromkeys((question, *parts)):
            for match in matches(said, dialogue):
                known = best.get(match.topic.id)
                if known is None or match.rank > known.rank:
                    best[match.topic.id] = match
        return sorted(best.values(), key=lambda match: match.rank, reverse=True)

    async def close(self) -> None:
        """Nothing is held."""


def decide(dialogue: Dialogue) -> Reply:
    """What was chosen from a menu and the best topic of each question; of the whole burst where no question has one."""
    said = tuple(filter(None, map(without_places, dialogue.questions)))
    if any(dialogue.questions) and not said:
        return _unknown(dialogue)
    picks = {message: topics for message in said if (topics := menu.picked(message, dialogue))}
    asked = replace(dialogue, questions=tuple(message for message in said if message not in picks))
    courtesy = _courtesy(asked)
    if courtesy and (not picks or courtesy.key == TextKey.HANDOFF):
        return courtesy
    questions = _questions(asked)
    found = [matches(question, dialogue) for question in questions]
    whole = " ".join(asked.questions)
    if not picks and not any(map(is_sure, found)) and [words(each) for each in questions] != [words(whole)]:
        found.append(matches(whole, dialogue))
    unsure = len(questions) > 1 and any(map(is_sure, found)) and not all(map(is_sure, found))
    if not picks and unsure and _is_aside(found, together := matches(whole, dialogue)):
        found.append(together)
    elif picks or any(map(is_sure, found)):
        best = (fitting[0].topic for fitting in found if fitting and fitting[0].answers)
        topics = list(dict.fromkeys((*itertools.chain.from_iterable(picks.values()), *best)))
        bodies = [strip_markup(topic.body) for topic in topics]
        titles = tuple(topic.title for topic in topics)
        return Reply(source=", ".join(titles), text=fit("\n\n".join(bodies)), topics=titles)
    return menu.offer(itertools.chain.from_iterable(found), dialogue) or _unknown(dialogue)


def _is_aside(found: Sequence[Sequence[Match]], whole: Sequence[Match]) -> bool:
    """Whether what one sentence is sure of is not what the message is about."""
    sure = {fitting[0].topic for fitting in found if is_sure(fitting)}
    likely = {match.topic: match.likelihood for match in whole}
    return bool(sure) and max(likely.values(), default=0.0) > TITLED * max(likely.get(topic, 0.0) for topic in sure)


def _unknown(dialogue: Dialogue) -> Reply:
    tired = dialogue.unknown_streak >= UNKNOWN_BEFORE_HANDOFF
    key = TextKey.HANDOFF if tired else TextKey.DONT_KNOW
    return Reply(source="no topic answers", key=key, unknown=True)


def _questions(dialogue: Dialogue) -> list[str]:
    parts = (part for message in dialogue.questions for part in _QUESTION_END.split(message))
    return [part for part in parts if content_words(part, dialogue.organization.language)][:MAX_QUESTIONS]


def _courtesy(dialogue: Dialogue) -> Reply | None:
    """The reply to what is not a question: a wish for a person, a greeting, thanks."""
    text = "\n".join(dialogue.questions)
    greets = is_greeting(text, dialogue.organization.language) and not ideas_of(text, dialogue.organization)
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
