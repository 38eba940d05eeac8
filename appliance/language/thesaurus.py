"""Words that belong together in anybody's everyday life: who writes "suitcase" may mean the topic "Luggage".

Wider than the concepts of `synonyms` and worth less: kinship ranks what a menu offers and never makes a topic answer.
`families.txt` has a family in each line, its words in Portuguese | English | Spanish, folded; `*` stands for every word
that begins so. Pure, linear in the number of words.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from appliance.language.text import fold, is_stop_word
from appliance.model import Language

LANGUAGES: tuple[Language, ...] = ("pt-BR", "en", "es")
SHORTEST_BEGINNING = 2

# Of nobody's trade, and asked of everybody: the weather, a match, the news.
_FOREIGN_TEXTS: dict[Language, str] = {
    "pt-BR": """
        previsao chover chove chovendo chuva futebol jogo jogos brasileirao campeonato libertadores placar gol dolar
        euro bitcoin cotacao loteria noticia noticias presidente eleicao advogado advogada divorcio novela horoscopo
        signo piada poema
        """,
    "en": """
        weather rain raining forecast football soccer match score league lottery bitcoin dollar euro news president
        election lawyer solicitor divorce horoscope joke poem homework
        """,
    "es": """
        llover llueve lluvia pronostico futbol partido partidos liga clasico gol dolar euro bitcoin loteria noticia
        noticias presidente elecciones abogado abogada divorcio horoscopo signo chiste poema
        """,
}
_FOREIGN = {language: frozenset(text.split()) for language, text in _FOREIGN_TEXTS.items()}

# What a text shows rather than says: a topic of days and times tells the hours. A family may hold these too.
_SIGNS = {
    "#hour": re.compile(r"\b\d{1,2}(?:h\d{0,2}|[:.]\d\d|(?:[:.]\d\d)? ?(?:am|pm|hs|hrs?))\b"),
    "#money": re.compile(r"[$€£]"),
    "#phone": re.compile(r"(?:\d[\d ()-]{7,}\d)"),
    "#mail": re.compile(r"\S@\S|\s@\w"),
}


def families(words: Iterable[str], language: Language) -> frozenset[int]:
    """The families (by number) of the folded words; of one that says nothing alone only those that name it in full."""
    table, longest = _table(language)
    found: set[int] = set()
    for word in words:
        found.update(table.get(word, ()))
        if is_stop_word(word, language):
            continue
        for length in range(SHORTEST_BEGINNING, min(len(word), longest) + 1):
            found.update(table.get(word[:length] + "*", ()))
    return frozenset(found)


def is_foreign(word: str, language: Language) -> bool:
    """Whether a word is asked of everybody and of nobody's trade, as far as one can tell without the topics."""
    return word in _FOREIGN[language]


def signs(text: str) -> list[str]:
    """What a text shows, each time that it does."""
    return [sign for sign, shape in _SIGNS.items() for _ in shape.findall(fold(text))]


@cache
def _table(language: Language) -> tuple[dict[str, frozenset[int]], int]:
    """Each word, and each beginning with its `*`, with the families that it belongs to; how long one can be."""
    table: dict[str, frozenset[int]] = {}
    lines = (files("appliance.language") / "families.txt").read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        for word in line.split("|")[LANGUAGES.index(language)].split():
            table[word] = table.get(word, frozenset()) | {number}
    return table, max(map(len, table))
