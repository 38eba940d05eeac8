"""Text as everything here compares it: folded, split into words; and the words that say nothing. Pure."""

import re
import unicodedata
from collections.abc import Mapping

from appliance.model import Language

_WORD = re.compile(r"[^\W_]+")

_SAYING_NOTHING: dict[Language, str] = {
    "pt-BR": """
        a ai algo algum alguma algumas alguns ao aos aqui as ate cada coisa coisas com como da dai dao daquela daquele
        das de dela dele deles depois dessa desse desta deste dia do dos dr dra e ela ele eles em entao era essa esse
        esta estao estar estou eu faco favor foi gente gostaria ha ia ir isso isto ja la lhe mais manda mandar mas me
        mesmo meu meus minha minhas muito na nao nas nem nesse neste no nos nossa nosso num numa o onde oq os ou para
        passa pela pelo per pode podem podemos poderia poderiam poderiamos por porque posso pq pra pras precisa preciso
        pro pros q qd qdo qto quais qual quando quanta quantas quanto quantos que queira quem quer queremos queria quero
        sabe sabem saber se sem ser seria seu seus sim so sobre sou sr sra sua suas ta tambem tao tava tb tbm te tem
        tenho ter teria teriam tinha to um uma umas uns vai vao vc vcs voce voces vou
        """,
    "en": """
        a about also am an and any anything anywhere are as at be been but by can could d did do does doing for from get
        give got had has have he her his how i if in into is it its just know let like ll m many may me more much my
        need no not of on one or our out please re s she should so some something t tell than that the their them then
        there these they this those to too up us ve want was we were what when where which who will with would yes you
        your
        """,
    "es": """
        a ahi al algo algun alguna algunas alguno algunos aqui asi aun cada como con cosa cosas cual cuales cuando
        cuanta cuantas cuanto cuantos de del desde dia donde e el ella ellos en era es esa ese eso esta estan este esto
        estoy fue gustaria ha hace hacen hacer hasta hay la las le les lo los mas me mi mis mucho muy necesito ni no nos
        nuestra nuestro o os otra otro para pero podria podrian por porque puede pueden puedo que quien quiero quisiera
        sabe saber se ser si sin sobre son soy su sus tambien tan te tener tengo ti tiene tienen tu tus u un una unas
        unos usted ustedes va van voy y ya yo
        """,
}
_STOP_WORDS: Mapping[Language, frozenset[str]] = {
    language: frozenset(table.split()) for language, table in _SAYING_NOTHING.items()
}


def fold(text: str) -> str:
    """No case, no accents, compatibility characters resolved: "Pão" and "PAO" become "pao"."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words(text: str) -> tuple[str, ...]:
    """Folded runs of letters and digits, in order. Nothing that a search syntax could read survives."""
    return tuple(_WORD.findall(fold(text)))


def bare(text: str) -> str:
    """The whole message without outer punctuation and space, folded: what a keyword is compared with."""
    folded = fold(text)
    spans = [match.span() for match in _WORD.finditer(folded)]
    return folded[spans[0][0] : spans[-1][1]] if spans else ""


def is_stop_word(word: str, language: Language) -> bool:
    """Whether a word says nothing about what is asked."""
    return word in _STOP_WORDS[language]
