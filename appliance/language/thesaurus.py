"""Words that belong together in anybody's everyday life: who writes "suitcase" may mean the topic "Luggage".

Wider than the concepts of `synonyms` and worth less: kinship ranks what a menu offers and never makes a topic answer.
`families.txt` has a family in each line, its words in Portuguese | English | Spanish, folded; `*` stands for every word
that begins so. Pure, linear in the number of words.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from appliance.model import Language

LANGUAGES: tuple[Language, ...] = ("pt-BR", "en", "es")
SHORTEST_BEGINNING = 2


def families(words: Iterable[str], language: Language) -> frozenset[int]:
    """The families (by number) of the folded words."""
    table, longest = _table(language)
    found: set[int] = set()
    for word in words:
        found.update(table.get(word, ()))
        for length in range(SHORTEST_BEGINNING, min(len(word), longest) + 1):
            found.update(table.get(word[:length] + "*", ()))
    return frozenset(found)


@cache
def _table(language: Language) -> tuple[dict[str, frozenset[int]], int]:
    """Each word, and each beginning with its `*`, with the families that it belongs to; how long one can be."""
    table: dict[str, frozenset[int]] = {}
    lines = (files("appliance.language") / "families.txt").read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        for word in line.split("|")[LANGUAGES.index(language)].split():
            table[word] = table.get(word, frozenset()) | {number}
    return table, max(map(len, table))
