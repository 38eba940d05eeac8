"""Which topics look like a question: TF-IDF over character 3- and 4-grams, accents folded, and over word families.

Letters find what words miss: a slip of the finger, an inflection, two words written as one. Families (`thesaurus`) find
what letters miss, in a topic's names and in the whole of it. Pure; the weights are made when they are first asked for.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from appliance.language.text import words
from appliance.language.thesaurus import families, signs
from appliance.model import Language, Topic

GRAMS = (3, 4)  # characters
TITLE = 3  # a title, or another name of the topic, counts as often as this
MAX_QUESTION = 300  # characters that are compared: what a longer one says it has said by then
# What each cosine counts, found with other businesses' questions than those that are held out.
LETTERS, NAMED, ABOUT = 0.3, 0.4, 0.32

Feature = str | int  # a gram, or a family's number


class Space:
    """Texts as weighted features, by number. A feature is the rarer the fewer of them have it."""

    def __init__(self, counts: Sequence[Counter[Feature]]) -> None:
        spread = Counter(feature for count in counts for feature in count)
        self._unheard = math.log(1 + len(counts))  # in no text: what a question says besides
        self._rarities = {feature: math.log(1 + len(counts) / many) for feature, many in spread.items()}
        self.postings = {feature: (array("I"), array("f")) for feature in spread}
        for number, count in enumerate(counts):
            for feature, share in self._weigh(count).items():
                numbers, shares = self.postings[feature]
                numbers.append(number)
                shares.append(share)

    def cosines(self, count: Counter[Feature]) -> dict[int, float]:
        """Of the texts that have anything in common with these features."""
        found: dict[int, float] = {}
        for feature, weight in self._weigh(count).items():
            numbers, shares = self.postings.get(feature, ((), ()))
            for number, share in zip(numbers, shares, strict=True):
                found[number] = found.get(number, 0.0) + share * weight
        return found

    def _weigh(self, count: Counter[Feature]) -> dict[Feature, float]:
        """Each feature's share of a text's length."""
        weights = {
            feature: (1 + math.log(many)) * self._rarities.get(feature, self._unheard)
            for feature, many in count.items()
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0  # where no topic says anything
        return {feature: weight / length for feature, weight in weights.items()}


class Index:
    """The topics of one organization."""

    def __init__(self, topics: tuple[Topic, ...], language: Language) -> None:
        self.topics = topics
        self.language = language

    def alike(self, question: str) -> list[tuple[Topic, float]]:
        """Topics with a likeness of 0 … 1 to the question, most like first; those without any are left out."""
        asked = question[:MAX_QUESTION]
        grams, kin = Counter(_grams((asked,))), Counter(self._families((asked,)))
        found: dict[int, float] = {}
        for count, space, worth in zip((grams, kin, kin), self.spaces, (LETTERS, NAMED, ABOUT), strict=True):
            for number, cosine in space.cosines(count).items():
                found[number] = found.get(number, 0.0) + worth * cosine
        best = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        return [(self.topics[number], likeness) for number, likeness in best]

    @cached_property
    def spaces(self) -> tuple[Space, Space, Space]:
        """The topics by their letters, by the families of their names, and by those of all that they say."""
        named = [(topic.title, *topic.aliases) for topic in self.topics]
        whole = [(*names * TITLE, topic.body) for names, topic in zip(named, self.topics, strict=True)]
        return (
            Space([Counter(_grams(texts)) for texts in whole]),
            Space([Counter(self._families(names)) for names in named]),
            Space([Counter(self._families(texts)) for texts in whole]),
        )

    def _families(self, texts: Iterable[str]) -> Iterator[Feature]:
        for text in texts:
            for word in (*words(text), *signs(text)):
                yield from families((word,), self.language)


def _grams(texts: Iterable[str]) -> Iterator[Feature]:
    for text in texts:
        for word in words(text):
            padded = f" {word} "
            for size in GRAMS:
                yield from (padded[start : start + size] for start in range(len(padded) - size + 1))
