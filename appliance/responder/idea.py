"""What a question is about: everyday concepts and content words, ready to be looked for in topics."""

from dataclasses import dataclass

from appliance.language import synonyms
from appliance.language.text import is_stop_word, words
from appliance.language.thesaurus import is_foreign
from appliance.language.words import is_telling, plain_words
from appliance.model import Language, Organization

MAX_IDEAS = 16  # of one question that are compared with each topic


@dataclass(frozen=True, slots=True)
class Idea:
    """One thing a question is about: a word, or a concept with those phrases that could name nothing else.

    `said`: the question's own words for it.
    """

    phrases: tuple[tuple[str, ...], ...]
    concept: str | None
    weak: bool  # counts where found, is not missed elsewhere
    said: tuple[str, ...] = ()

    def is_foreign(self, speaks: Language) -> bool:
        return self.concept is None and is_foreign(self.phrases[0][0], speaks)


def ideas_of(question: str, organization: Organization) -> tuple[Idea, ...]:
    """Concepts, then the other words; the organization's own name is weak, as is what any business is asked."""
    speaks = organization.language
    plain = plain_words(question, speaks)
    mentions = synonyms.find(plain, speaks)
    # Each concept once, with those of its phrases of which every word tells something.
    phrases: dict[str, dict[tuple[str, ...], None]] = {mention.concept: {} for mention in mentions}
    own: dict[str, tuple[str, ...]] = {}
    for mention in mentions:
        said = tuple(plain[index] for index in mention.indices)
        own[mention.concept] = (*own.get(mention.concept, ()), *said)
        if all(is_telling(word, speaks) for word in said):
            phrases[mention.concept][said] = None
    essence = synonyms.essence(phrases)
    named = [
        Idea(tuple(said), name, name in synonyms.WEAK, own[name]) for name, said in phrases.items() if name in essence
    ]
    spoken = {index for mention in mentions for index in mention.indices}
    rest = dict.fromkeys(word for index, word in enumerate(plain) if index not in spoken)
    own_name = words(organization.name)
    others = (
        Idea(((word,),), None, word in own_name or synonyms.is_weak(word, speaks), (word,))
        for word in rest
        if not is_stop_word(word, speaks)
    )
    return (*named, *others)[:MAX_IDEAS]
