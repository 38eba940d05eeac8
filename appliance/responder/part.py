"""A topic's text as something that can be asked whether it holds an idea."""

from dataclasses import dataclass
from functools import lru_cache

from appliance.language import synonyms
from appliance.language.spelling import MAX_COMPARED, SHORTEST_SWAPPED, is_slip
from appliance.language.text import words
from appliance.language.thesaurus import families, signs
from appliance.language.words import LONGEST_WORD, Vocabulary, concepts
from appliance.model import Language
from appliance.responder.idea import Idea

HELD = 2_048  # names and topics ready to be asked: 500 topics with two other names each


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A name of a topic, or the whole of it, ready to be asked for ideas."""

    vocabulary: Vocabulary
    concepts: frozenset[str]
    spellings: dict[str, tuple[str, ...]]  # long words by their first letter
    kin: int  # a bit for each family

    @classmethod
    @lru_cache(maxsize=HELD)
    def of(cls, text: str, speaks: Language) -> "Part":
        spellings: dict[str, list[str]] = {}
        for word in dict.fromkeys(words(text)):
            same = spellings.setdefault(word[0], [])
            if SHORTEST_SWAPPED <= len(word) <= LONGEST_WORD and len(same) < MAX_COMPARED:
                same.append(word)
        compared = {first: tuple(same) for first, same in spellings.items()}
        kin = sum(1 << family for family in families((*words(text), *signs(text)), speaks))
        return cls(Vocabulary.of(text, speaks), concepts(text, speaks), compared, kin)

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
