"""What a customer's words say before any model reads them: courtesy, thanks, a wish for a person, content words.

Portuguese, English and Spanish. Everything is compared folded: no case, no accents. Pure, linear in the text's length.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from appliance.language import synonyms
from appliance.language.spelling import spell_out
from appliance.model import Language

MAX_SEARCH_TERMS = 64  # distinct words of one question, and of its concepts, that are worth looking up
PREFIX_LENGTH = 5  # from here on a stem may match a longer one: "alergi", "alergic"
LONGEST_WORD = 40  # letters that are compared: a blob in a text must not cost its length squared

_WORD = re.compile(r"[^\W_]+")
_MONEY = re.compile(r"[$€]")


def fold(text: str) -> str:
    """No case, no accents, compatibility characters resolved: "Pão" and "PAO" become "pao"."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words(text: str) -> tuple[str, ...]:
    """Folded runs of letters and digits, in order. Nothing that a search syntax could read survives."""
    return tuple(_WORD.findall(fold(text)))


def _set_of(text: str) -> frozenset[str]:
    return frozenset(words(text))


def _any_of(*tables: str) -> re.Pattern[str]:
    """One pattern for phrases given as `phrase, phrase, …`, longest first; a `+` repeats the letter before it."""
    phrases = {" ".join(phrase.split()) for table in tables for phrase in table.split(",")}
    return re.compile(rf"\b(?:{'|'.join(sorted(phrases, key=len, reverse=True))})\b")


# Courtesy is understood in all three languages, whatever the organization speaks.
_GREETINGS = """
    oi+, oie, ola+, opa+, alo, e ai, eai, bom dia, boa tarde, boa noite, tudo bem, tudo bom, td bem, td
    bom, tudo certo, beleza, blz, como vai, tem alguem ai, alguem ai, hi, hi there, hello, hello there, hey,
    good morning, good afternoon, good evening, how are you, how is it going, anyone there, is anyone there,
    hola, buenas, buenos dias, buen dia, buenas tardes, buenas noches, que tal, como esta, como estas, hay
    alguien
    """
_THANKS = """
    ok, okay, okey, obrigado, obrigada, obg, obrigadao, brigado, brigada, agradeco, agradecido, agradecida,
    grato, grata, valeu, vlw, thanks, thank you, thx, tks, got it, gracias, muy amable
    """
_ACKNOWLEDGEMENTS = """
    certo, ta certo, ta bom, ta bem, tudo bem, tudo certo, beleza, blz, perfeito, perfeita, entendi, entendido,
    combinado, show, top, otimo, otima, maravilha, legal, joia, fechado, tchau, ate mais, ate logo, ate breve,
    ate amanha, great, perfect, all right, alright, cool, bye, goodbye, see you, vale, listo, perfecto,
    entiendo, de acuerdo, genial, adios, chao, chau, hasta luego, hasta pronto
    """
_COURTESY = """
    por favor, pfv, porfa, porfavor, please, com licenca, desculpe, desculpa, disculpe, excuse me, queria saber,
    gostaria de saber, quero saber, poderia me dizer, poderia me informar, uma informacao, uma duvida, uma
    pergunta, me ajudar, me ajuda, pela ajuda, pela atencao, pela informacao, pelo atendimento, um otimo dia,
    bom trabalho, bom fim de semana, bom final de semana, can you help me, quick question, a question, i would
    like to know, very much, so much, a lot, for your help, have a nice day, have a good day, quisiera saber,
    una pregunta, una consulta, por la ayuda, por su ayuda
    """
_GREETING = _any_of(_GREETINGS)
_THANK = _any_of(_THANKS, _ACKNOWLEDGEMENTS)
_POLITE = _any_of(_GREETINGS, _THANKS, _COURTESY)
_CLOSING = _any_of(_GREETINGS, _THANKS, _ACKNOWLEDGEMENTS, _COURTESY)
_FILLERS = _set_of(
    "a o e y and um uma an de da do que isso entao mesmo muito muita muitissimo tenha tenham igualmente voce voces you "
    "it nao no sim si yes so all muchas muchisimas tambem"
)

_STOP_WORDS: dict[Language, frozenset[str]] = {
    "pt-BR": _set_of("""
    a ai algo algum alguma algumas alguns ao aos aqui as ate cada coisa coisas com como da dai dao daquela daquele
    das de dela dele deles depois dessa desse desta deste dia do dos dr dra e ela ele eles em entao era essa esse
    esta estao estar estou eu faco favor foi gente gostaria ha ia ir isso isto ja la lhe mais manda mandar mas me
    mesmo meu meus minha minhas muito na nao nas nem nesse neste no nos nossa nosso num numa o onde oq os ou para
    passa pela pelo per pode podem podemos poderia poderiam poderiamos por porque posso pq pra pras precisa preciso
    pro pros q qd qdo qto quais qual quando quanta quantas quanto quantos que queira quem quer queremos queria quero
    sabe sabem saber se sem ser seria seu seus sim so sobre sou sr sra sua suas ta tambem tao tava tb tbm te tem
    tenho ter teria teriam tinha to um uma umas uns vai vao vc vcs voce voces vou
    """),
    "en": _set_of("""
    a about also am an and any anything anywhere are as at be been but by can could d did do does doing for from get
    give got had has have he her his how i if in into is it its just know let like ll m many may me more much my
    need no not of on one or our out please re s she should so some something t tell than that the their them then
    there these they this those to too up us ve want was we were what when where which who will with would yes you
    your
    """),
    "es": _set_of("""
    a ahi al algo algun alguna algunas alguno algunos aqui asi aun cada como con cosa cosas cual cuales cuando
    cuanta cuantas cuanto cuantos de del desde dia donde e el ella ellos en era es esa ese eso esta estan este esto
    estoy fue gustaria ha hace hacen hacer hasta hay la las le les lo los mas me mi mis mucho muy necesito ni no nos
    nuestra nuestro o os otra otro para pero podria podrian por porque puede pueden puedo que quien quiero quisiera
    sabe saber se ser si sin sobre son soy su sus tambien tan te tener tengo ti tiene tienen tu tus u un una unas
    unos usted ustedes va van voy y ya yo
    """),
}
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

_PERSON_WORDS = _set_of("atendente atendentes humano humana pessoa agent human person agente persona")
_LINKS = (
    "(?:(?:com|um|uma|o|a|algum|alguma|outro|outra|de|do|da|ser|atendimento|with|to|an|the|some|real|live|con|un|una|el|"
    "la|al|algun|alguna) ){0,4}"
)
_AGENT = "(?:atendente|humano|humana|agent|human|representative|agente|asesor|asesora)"
_ANYONE = (
    "(?:atendente|humano|humana|pessoa|alguem|gerente|responsavel|funcionario|funcionaria|dono|dona|agent|human|person|"
    "someone|somebody|representative|manager|agente|persona|alguien|asesor|asesora|encargado|encargada)"
)
_WISH = (
    "(?:quero|queria|preciso|gostaria|prefiro|chamar|chama|chame|passa|passar|want|need|prefer|get|quiero|necesito|"
    "quisiera|pasame)"
)
_TO_THE_END = "(?: (?:real|humana|de|verdade|por|favor|agora|ai|aqui|please|now|here|ahora|ahi|verdad))*$"
_ASKS_FOR_PERSON = re.compile(
    rf"\b(?:falar|falo|conversar|talk|speak|chat|hablar|comunicar|comunicarme) {_LINKS}{_ANYONE}\b"
    rf"|\b{_WISH} {_LINKS}(?:{_AGENT}\b|{_ANYONE}{_TO_THE_END})"
    rf"|\b(?:tem|hay|is there|para|pra|connect me|transfer me) {_LINKS}{_AGENT}\b"
    r"|\b(?:atendimento humano|pessoa de verdade|pessoa real|real person|human being|persona real)\b"
    r"|\b(?:nao|no|not|don t|dont) (?:\w+ ){1,4}(?:com|con|to|with) (?:um |o |a |un )?"
    r"(?:robo|robot|bot|maquina|machine)\b"
)


def bare(text: str) -> str:
    """The whole message without outer punctuation and space, folded: what a keyword is compared with."""
    folded = fold(text)
    spans = [match.span() for match in _WORD.finditer(folded)]
    return folded[spans[0][0] : spans[-1][1]] if spans else ""


def is_greeting(text: str, language: Language) -> bool:
    """Whether the text greets and asks nothing besides."""
    joined = " ".join(words(text))
    rest = _POLITE.sub(" ", joined).split()
    return _GREETING.search(joined) is not None and _STOP_WORDS[language].issuperset(rest)


def is_thanks(text: str) -> bool:
    """Whether the text needs no reply: thanks, "ok", a goodbye, only emoji, nothing at all. A question mark asks."""
    if "?" in text:
        return False
    joined = " ".join(words(text))
    rest = _CLOSING.sub(" ", joined).split()
    return not joined or (_THANK.search(joined) is not None and _FILLERS.issuperset(rest))


def asks_for_person(text: str) -> bool:
    """Whether the customer wants a person: a keyword as the whole message or a plain sentence."""
    joined = " ".join(words(text))
    rest = [word for word in _POLITE.sub(" ", joined).split() if word not in _FILLERS]
    return (len(rest) == 1 and rest[0] in _PERSON_WORDS) or _ASKS_FOR_PERSON.search(joined) is not None


def plain_words(text: str, language: Language) -> tuple[str, ...]:
    """The words without courtesy, abbreviations spelled out, in order."""
    return spell_out(_POLITE.sub(" ", " ".join(words(text))).split(), language)


def is_stop_word(word: str, language: Language) -> bool:
    """Whether a word says nothing about what is asked."""
    return word in _STOP_WORDS[language]


def is_telling(word: str, language: Language) -> bool:
    """Whether a word alone says what is asked: neither a stop-word nor a weak one."""
    return not is_stop_word(word, language) and not synonyms.is_weak(word, language)


def content_words(text: str, language: Language) -> tuple[str, ...]:
    """The distinct words that carry the question, without courtesy and stop-words, in order."""
    return tuple(dict.fromkeys(word for word in plain_words(text, language) if word not in _STOP_WORDS[language]))


@lru_cache(maxsize=256)
def concepts(text: str, language: Language) -> frozenset[str]:
    """The everyday concepts (`synonyms`) that a text mentions; an amount of money is one of price."""
    named = {mention.concept for mention in synonyms.find(spell_out(words(text), language), language)}
    return frozenset(named | {synonyms.PRICE}) if _MONEY.search(text) else frozenset(named)


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
    def of(cls, text: str, language: Language) -> "Vocabulary":
        return _vocabulary(text, language)

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


@lru_cache(maxsize=256)
def _vocabulary(text: str, language: Language) -> Vocabulary:
    stems = Counter(stem for word in spell_out(words(text), language) for stem in _stems(word, language))
    prefixes = Counter(stem[:length] for stem in stems.elements() for length in range(PREFIX_LENGTH, len(stem)))
    return Vocabulary(language, stems, prefixes)


@lru_cache(maxsize=4096)
def _stems(word: str, language: Language) -> frozenset[str]:
    """What the word's inflections share. A verb's three letters also stand for its short forms: "abrimos", "abre"."""
    singular = _singular(word[:LONGEST_WORD], language)
    for form in (word[:LONGEST_WORD], singular):
        stem = _without_ending(form, _NOUN_ENDINGS[language])
        if stem:
            return frozenset((stem,))
        stem = _without_ending(form, _VERB_ENDINGS[language])
        if stem:
            return frozenset((stem, *(stem + vowel for vowel in "aeo"))) if len(stem) == 3 else frozenset((stem,))
    stem = singular if singular.endswith("ao") else singular.rstrip(_LAST_VOWELS[language])
    varies = len(singular) >= PREFIX_LENGTH and len(stem) >= _SHORTEST_STEM
    return frozenset((stem if varies else singular,))


def _singular(word: str, language: Language) -> str:
    for plural, singular in _PLURALS[language]:
        if word.endswith(plural) and len(word) > _SHORTEST_STEM:
            return word[: -len(plural)] + singular
    return word


def _without_ending(word: str, endings: tuple[str, ...]) -> str:
    longest = max((ending for ending in endings if word.endswith(ending)), key=len, default="")
    return word[: -len(longest)] if longest and len(word) - len(longest) >= _SHORTEST_STEM else ""


def _search_term(stem: str) -> str:
    if len(stem) < _SHORTEST_STEM:
        return stem
    kept = len(stem) - 2 if stem.endswith(_IRREGULAR_PLURALS) else len(stem)
    return stem[: min(PREFIX_LENGTH, max(kept, 2))] + "*"
