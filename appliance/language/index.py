"""Which topics look like a question by their letters: cosine of TF-IDF over character 3- and 4-grams, accents folded.

Letters find what words miss: a slip of the finger, an inflection, two words written as one. Pure; the weights are made
when they are first asked for.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from appliance.language.text import words
from appliance.model import Language, Topic

GRAMS = (3, 4)  # characters
TITLE = 3  # a title, or a name for the topic, counts as often as this
MAX_QUESTION = 300  # characters that are compared: what a longer one says it has said by then


class Index:
    """The topics of one organization."""

    def __init__(self, topics: tuple[Topic, ...], language: Language) -> None:
        self.topics = topics
        self.language = language

    def alike(self, question: str) -> list[tuple[Topic, float]]:
        """Topics with a likeness of 0 … 1 to the question, most like first; those without any are left out."""
        rarities, postings = self._weights
        asked = Counter(gram for gram in _grams(question[:MAX_QUESTION]) if gram in postings)
        weights = {gram: (1 + math.log(count)) * rarities[gram] for gram, count in asked.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        found: dict[int, float] = {}
        for gram, weight in weights.items():
            numbers, shares = postings[gram]
            for number, share in zip(numbers, shares, strict=True):
                found[number] = found.get(number, 0.0) + share * weight / length
        best = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        return [(self.topics[number], likeness) for number, likeness in best]

    @cached_property
    def _weights(self) -> tuple[dict[str, float], dict[str, "tuple[array[int], array[float]]"]]:
        """How rare each gram is, and per gram the topics (by number) that have it with their share of its weight."""
        counts = [
            Counter(
                gram
                for text, times in ((topic.title, TITLE), *((alias, TITLE) for alias in topic.aliases), (topic.body, 1))
                for gram in _grams(text)
                for _ in range(times)
            )
            for topic in self.topics
        ]
        spread = Counter(gram for count in counts for gram in count)
        rarities = {gram: math.log(1 + len(counts) / number) for gram, number in spread.items()}
        postings = {gram: (array("I"), array("f")) for gram in spread}
        for number, count in enumerate(counts):
            weights = {gram: (1 + math.log(many)) * rarities[gram] for gram, many in count.items()}
            length = math.sqrt(sum(weight * weight for weight in weights.values()))
            for gram, weight in weights.items():
                numbers, shares = postings[gram]
                numbers.append(number)
                shares.append(weight / length)
        return rarities, postings


def _grams(text: str) -> Iterator[str]:
    for word in words(text):
        padded = f" {word} "
        for size in GRAMS:
            yield from (padded[start : start + size] for start in range(len(padded) - size + 1))
