"""How well a topic fits a question: the share of its ideas that the topic holds, and how much it looks like it.

An idea is a content word, or an everyday concept in whatever words (`synonyms`). Full-text search and the shelf only
propose; the share decides which topic answers. What customers call a topic counts like its title, name by name.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.language import synonyms
from appliance.language.thesaurus import families
from appliance.language.words import Vocabulary, content_words
from appliance.model import Language, Topic
from appliance.ports import Dialogue
from appliance.responder.idea import Idea, ideas_of
from appliance.responder.part import Part

THRESHOLD = 0.6  # one of two words is a coincidence, two of three are a topic
JUST_AS_LIKE = 0.6  # of the best topic's likeness: where two say as much of what is asked, that tells them apart
NEARLY_ALL = 0.8  # a share; who holds less of what is asked must be the likeliest by far,
BY_FAR = 0.8  # which is to say that no other has so much of its likelihood,
TITLED = 1.2  # or this much where the title says what is asked
PLAIN = 0.35  # likelihood, which an answer needs of which no title speaks
ALIKE = 10  # topics that the shelf proposes for one question

# What an idea found in a topic counts. A word that belongs to a concept is worth most where the title is about it: the
# topic "Telefone" may say "no horário comercial" and still does not tell the hours.
WORD = 1.0
CONCEPT_IN_TITLE = 0.95
CONCEPTS_WORD_IN_BODY = 0.9
CONCEPT_IN_BODY = 0.8
SLIP = 0.9
# Where no topic answers the likelier ones are offered. Found with other businesses' questions than those held out.
IN_BODY = 0.5  # of what an idea counts that is in a name
LIKENESS = 1.25  # of an idea in a name, per root of their number
ROOT = 0.7  # long messages tell a story around what is asked: what counts is divided by this power of all that is said
KIN, KIN_IN_BODY = 0.6, 0.6  # of an idea, in a topic that holds no more of it than a word of its family
FOREIGN, EVERYDAY = 0.5, 1.5
WEAK, TOLD = 0.4, 0.6  # of a word's weight where no topic answers; the latter for what is asked of any business


@dataclass(frozen=True, slots=True)
class Match:
    """How well a topic fits a question. `score` is 0 … 1, the share that decides; the rest ranks those that answer."""

    topic: Topic
    score: float
    worth: float  # of the ideas found that are no weak words
    title_hits: int
    hits: int
    is_named: bool  # the question says one of its names whole
    likeness: float  # of its letters and word families to the question's, 0 … 1
    likelihood: float  # how near it comes where no topic answers; from 0, mostly below 1
    found: tuple[str, ...] = ()  # the question's words that it holds, folded
    missing: tuple[str, ...] = ()  # those that it would need

    @property
    def answers(self) -> bool:
        return self.score >= THRESHOLD

    @property
    def rank(self) -> tuple[bool, float, int, float, int, float]:
        return self.answers, self.worth, self.title_hits, self.score, self.hits, self.likeness


def matches(question: str, dialogue: Dialogue) -> tuple[Match, ...]:
    """Every proposed topic with its score for one question, best first; those below `THRESHOLD` do not answer."""
    speaks = dialogue.organization.language
    ideas = ideas_of(question, dialogue.organization)
    # Letters say something only where words do: "4", or "none of these", is like no topic.
    speaks_up = any(idea.concept or not idea.phrases[0][0].isdigit() for idea in ideas)
    said = " ".join(content_words(question, speaks)) or question
    alike = dialogue.shelf.alike(said) if dialogue.shelf and speaks_up else ()
    likeness = {topic.id: likeness for topic, likeness in alike}
    held = {
        topic: _held(ideas, topic, speaks)
        for topic in dict.fromkeys((*dialogue.topics, *(topic for topic, _ in alike[:ALIKE])))
    }
    weights = _weights(ideas, list(held.values()))
    kin = _kin(ideas, list(held), speaks)
    asked = Vocabulary.of(question, speaks)
    scored = [
        _match(ideas, topic, held[topic], likeness.get(topic.id, 0.0), weights, kin[topic], asked) for topic in held
    ]
    return tuple(sorted(scored, key=lambda match: match.rank, reverse=True))


def _held(ideas: tuple[Idea, ...], topic: Topic, speaks: Language) -> dict[Idea, float]:
    """What each idea that the topic holds is worth in it."""
    names = _names(topic, speaks)
    text = Part.of(_whole(topic), speaks)
    return {idea: worth for idea in ideas if (worth := _worth(idea, names, text))}


def _weights(ideas: Sequence[Idea], held: Sequence[Mapping[Idea, float]]) -> dict[Idea, float]:
    """What an idea says about which topic is meant: the fewer topics hold it the more, a weak one little."""
    most = math.log(1 + 2 * len(held))
    weights = {}
    for idea in ideas:
        spread = sum(idea in each for each in held)
        rarity = math.log(1 + len(held) / max(spread, 0.5)) / most if held else 1.0
        weights[idea] = rarity * _strength(idea)
    return weights


def _strength(idea: Idea) -> float:
    if not idea.weak:
        return 1.0
    return TOLD if idea.concept in synonyms.TELLING else WEAK


def _kin(ideas: Sequence[Idea], topics: Sequence[Topic], speaks: Language) -> Mapping[Topic, Mapping[Idea, float]]:
    """What each idea counts in topics that hold a word of its families: the rarer the family the more."""
    parts = {topic: (_names(topic, speaks), Part.of(_whole(topic), speaks)) for topic in topics}
    most = math.log(1 + 2 * len(topics))
    found: dict[Topic, dict[Idea, float]] = {topic: {} for topic in topics}
    for idea in ideas:
        said = families([word for phrase in idea.phrases for word in phrase], speaks)
        for family in said:
            holders = [topic for topic in topics if parts[topic][1].kin >> family & 1]
            rarity = math.log(1 + len(topics) / max(len(holders), 1)) / most if holders else 0.0
            for topic in holders:
                place = 1.0 if any(name.kin >> family & 1 for name in parts[topic][0]) else KIN_IN_BODY
                found[topic][idea] = max(found[topic].get(idea, 0.0), rarity * place)
    return found


def is_sure(found: Sequence[Match]) -> bool:
    """Whether the best answers, no other says just as much of what is asked, and none is likelier on the whole."""
    if not found or not found[0].answers:
        return False
    best, *others = found
    if best.is_named and best.score >= NEARLY_ALL:  # "Horário" before "Horário de feriados"
        others = [other for other in others if other.is_named]
    is_titled = best.title_hits > 0 and best.score >= NEARLY_ALL
    if not best.worth or (not best.title_hits and best.likelihood < PLAIN):
        return False
    bar = best.likelihood * (TITLED if is_titled else 1.0 if best.score >= NEARLY_ALL else BY_FAR)
    return not any(
        other.likelihood > bar or (says_as_much(other, best) and other.likeness >= JUST_AS_LIKE * best.likeness)
        for other in others
    )


def says_as_much(one: Match, other: Match) -> bool:
    return (one.answers, one.worth, one.title_hits, one.hits) == (
        (other.answers, other.worth, other.title_hits, other.hits)
    )


def _match(
    ideas: tuple[Idea, ...],
    topic: Topic,
    held: Mapping[Idea, float],
    likeness: float,
    weights: Mapping[Idea, float],
    kin: Mapping[Idea, float],
    asked: Vocabulary,
) -> Match:
    """A topic answers only if it holds something telling: in its title, or anything but weak words and amounts."""
    speaks = asked.language
    names = _names(topic, speaks)
    text = Part.of(_whole(topic), speaks)
    titled = [idea for idea in held if any(name.tells(idea) for name in names)]
    telling = [idea for idea in held if not idea.weak or idea.concept in synonyms.TELLING]
    counted = [idea for idea in ideas if not idea.weak or idea in held]
    strong = [idea for idea in counted if idea.concept or not idea.weak]
    meant = [idea for idea in ideas if not idea.weak]
    share = min(_share(held, strong or counted), _share(held, meant))
    # Long messages tell a story around what is asked: evidence counts by the root of how much is said, not by a share.
    likelihood = _evidence(ideas, titled, held, weights, kin) + LIKENESS * likeness * math.sqrt(max(len(meant), 1))
    return Match(
        topic,
        share if titled or telling else 0.0,
        sum(held.get(idea, 0.0) for idea in strong),
        len(titled),
        sum(text.count(idea) for idea in held),
        any(_says_whole(asked, name, speaks) for name in (topic.title, *topic.aliases)),
        likeness,
        likelihood * _nearness(ideas, held, speaks),
        tuple(word for idea in held for word in idea.said),
        tuple(word for idea in meant if idea not in held for word in idea.said),
    )


def _says_whole(asked: Vocabulary, name: str, speaks: Language) -> bool:
    told = content_words(name, speaks)
    return bool(told) and all(map(asked.count, told))


def _names(topic: Topic, speaks: Language) -> list["Part"]:
    return [Part.of(name, speaks) for name in (topic.title, *topic.aliases)]


def _evidence(
    ideas: Sequence[Idea],
    titled: Sequence[Idea],
    held: Mapping[Idea, float],
    weights: Mapping[Idea, float],
    kin: Mapping[Idea, float],
) -> float:
    """What a topic holds of the ideas. Long messages tell a story: divided by how much is said."""
    found = 0.0
    for idea in ideas:
        own = held.get(idea, 0.0) * weights[idea] * (1.0 if idea in titled else IN_BODY)
        found += max(own, KIN * kin.get(idea, 0.0) * _strength(idea))
    return found / math.pow(sum(weights.values()) or 1.0, ROOT)


def _nearness(ideas: Sequence[Idea], held: Mapping[Idea, float], speaks: Language) -> float:
    """Less than 1 where a word of nobody's trade is asked for, more where nothing but what any business is asked."""
    if any(idea not in held and idea.is_foreign(speaks) for idea in ideas):
        return FOREIGN
    return 1.0 if any(idea.concept is None and not idea.weak for idea in ideas) else EVERYDAY


def _whole(topic: Topic) -> str:
    return "\n".join((topic.title, *topic.aliases, topic.body))


def _share(worth: Mapping[Idea, float], ideas: Sequence[Idea]) -> float:
    return sum(worth.get(idea, 0.0) for idea in ideas) / len(ideas) if ideas else 1.0


def _worth(idea: Idea, names: Sequence["Part"], text: "Part") -> float:
    if telling := [name for name in names if name.tells(idea)]:
        return WORD if any(name.says(idea) for name in telling) else CONCEPT_IN_TITLE
    if text.is_about(idea):
        return CONCEPTS_WORD_IN_BODY if text.says(idea) else CONCEPT_IN_BODY
    if idea.concept is None and text.says(idea):
        return WORD
    return SLIP if text.nearly_says(idea) else 0.0
