"""What a text is about, to be searched for and compared: content words, what their inflections share, concepts.

Portuguese, English and Spanish. Everything is compared folded: no case, no accents. Pure, linear in the text's length.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from appliance.language import synonyms
from appliance.language.courtesy import without_courtesy
from appliance.language.spelling import spell_out
from appliance.language.text import is_stop_word, words
from appliance.model import Language

MAX_SEARCH_TERMS = 64  # distinct words of one question, and of its concepts, that are worth looking up
PREFIX_LENGTH = 5  # from here on a stem may match a longer one: "alergi", "alergic"
LONGEST_KEY = 400  # characters by which questions are equal
LONGEST_WORD = 40  # letters that are compared: a blob in a text must not cost its length squared

_MONEY = re.compile(r"[$€]")

_PLURALS: dict[Language, tuple[tuple[str, str], ...]] = {
    "pt-BR": (
        ("oes", "ao"),
        ("aes", "ao"),
        ("ais", "al"),
        ("eis", "el"),
        ("ois", "ol"),
        ("ns", "m"),
        ("res", "r"),
        ("zes", "z"),
        ("s", ""),
    ),
    "en": (("ss", "ss"), ("s", "")),
    "es": (("ces", "z"), ("nes", "n"), ("res", "r"), ("les", "l"), ("s", "")),
}
_VERB_ENDINGS: dict[Language, tuple[str, ...]] = {
    "pt-BR": words("ando endo indo aram eram iram amos emos imos avam ado ada ido ida ava ar er ir am em ou iu"),
    "en": ("ing", "ed"),
    "es": words("ieron iendo aron ando amos emos imos ado ada ido ida aba ar er ir an en"),
}
_NOUN_ENDINGS: dict[Language, tuple[str, ...]] = {
    "pt-BR": ("amento", "imento", "adora", "acao", "icao", "ador", "edor"),
    "en": ("ation", "ment"),
    "es": ("amiento", "imiento", "adora", "acion", "icion", "ador", "edor"),
}
_LAST_VOWELS: dict[Language, str] = {"pt-BR": "aeo", "en": "eiy", "es": "aeo"}
_SHORTEST_STEM = 3
_IRREGULAR_PLURALS = ("ao", "al", "el", "ol")  # their plural changes the last two letters


def plain_words(text: str, language: Language) -> tuple[str, ...]:
    """The words without courtesy, abbreviations spelled out, in order."""
    return spell_out(without_courtesy(text), language)


def is_telling(word: str, language: Language) -> bool:
    """Whether a word alone says what is asked: neither a stop-word nor a weak one."""
    return not is_stop_word(word, language) and not synonyms.is_weak(word, language)


def content_words(text: str, language: Language) -> tuple[str, ...]:
    """The distinct words that carry the question, without courtesy and stop-words, in order."""
    return tuple(dict.fromkeys(word for word in plain_words(text, language) if not is_stop_word(word, language)))


@lru_cache(maxsize=256)
def concepts(text: str, language: Language) -> frozenset[str]:
    """The everyday concepts (`synonyms`) that a text mentions; an amount of money is one of price."""
    named = {mention.concept for mention in synonyms.find(spell_out(words(text), language), language)}
    return frozenset(named | {synonyms.PRICE}) if _MONEY.search(text) else frozenset(named)


def equal_words(question: str, language: Language) -> str:
    """The same for questions that say the same in another order or case, with other accents or courtesy; empty for one
    that says nothing.
    """
    return " ".join(sorted(content_words(question, language)))[:LONGEST_KEY]


def search_terms(question: str, language: Language) -> tuple[str, ...]:
    """What full-text search is asked for: words, then words of the same concepts. At most `MAX_SEARCH_TERMS`.

    A trailing `*` marks a prefix. Wider than what `Vocabulary` accepts: the search proposes, the responder decides.
    """
    stems = (min(_stems(word, language), key=len) for word in content_words(question, language))
    mentions = synonyms.find(plain_words(question, language), language)
    others = (term for mention in mentions for term in synonyms.terms(mention.concept, language))
    return tuple(dict.fromkeys((*map(_search_term, stems), *others)))[:MAX_SEARCH_TERMS]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a text, ready to be asked how often they hold one in any inflection."""

    language: Language
    stems: Mapping[str, int]
    prefixes: Mapping[str, int]

    @classmethod
    @lru_cache(maxsize=256)
    def of(cls, text: str, language: Language) -> "Vocabulary":
        stems = Counter(stem for word in spell_out(words(text), language) for stem in _stems(word, language))
        prefixes = Counter(stem[:length] for stem in stems.elements() for length in range(PREFIX_LENGTH, len(stem)))
        return cls(language, stems, prefixes)

    def count(self, word: str) -> int:
        """How often the text has the word: "entregam" finds "entrega", "pagar" finds "pagamento"."""
        stems = _stems(word, self.language)
        longest = max(stems, key=len)
        shorter = (longest[:length] for length in range(PREFIX_LENGTH, len(longest)))
        return (
            max(self.stems.get(stem, 0) for stem in stems)
            or self.prefixes.get(longest, 0)
            or max((self.stems.get(stem, 0) for stem in shorter), default=0)
        )


@lru_cache(maxsize=4096)
def _stems(word: str, language: Language) -> frozenset[str]:
    """What the word's inflections share. A verb's three letters also stand for its short forms: "abrimos", "abre"."""
    word = word[:LONGEST_WORD]
    endings = _PLURALS[language] if len(word) > _SHORTEST_STEM else ()
    found = ((many, one) for many, one in endings if word.endswith(many) and (one == "ao" or len(word) > len(many) + 1))
    singular = next((word[: -len(many)] + one for many, one in found), word)
    for form in (word, singular):
        stem = _without_ending(form, _NOUN_ENDINGS[language])
        if stem:
            return frozenset((stem,))
        stem = _without_ending(form, _VERB_ENDINGS[language])
        if stem:
            return frozenset((stem, *(stem + vowel for vowel in "aeo"))) if len(stem) == 3 else frozenset((stem,))
    stem = singular if singular.endswith("ao") else singular.rstrip(_LAST_VOWELS[language])
    varies = len(singular) >= PREFIX_LENGTH and len(stem) >= _SHORTEST_STEM
    return frozenset((stem if varies else singular,))


def _without_ending(word: str, endings: tuple[str, ...]) -> str:
    longest = max((ending for ending in endings if word.endswith(ending)), key=len, default="")
    return word[: -len(longest)] if longest and len(word) - len(longest) >= _SHORTEST_STEM else ""


def _search_term(stem: str) -> str:
    if len(stem) < _SHORTEST_STEM:
        return stem
    kept = len(stem) - 2 if stem.endswith(_IRREGULAR_PLURALS) else len(stem)
    return stem[: min(PREFIX_LENGTH, max(kept, 2))] + "*"
