"""What needs no model and no knowledge: a greeting, thanks, a wish for a person, and courtesy around a question.

Understood in Portuguese, English and Spanish, whatever the organization speaks. Pure, linear in the text's length.
"""

import re

from appliance.language.text import is_stop_word, words
from appliance.model import Language


def _any_of(*tables: str) -> re.Pattern[str]:
    """One pattern for phrases given as `phrase, phrase, …`, longest first; a `+` repeats the letter before it."""
    phrases = {" ".join(phrase.split()) for table in tables for phrase in table.split(",")}
    return re.compile(rf"\b(?:{'|'.join(sorted(phrases, key=len, reverse=True))})\b")


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
_FILLERS = frozenset(
    words(
        "a o e y and um uma an de da do que isso entao mesmo muito muita muitissimo tenha tenham igualmente voce voces "
        "you it nao no sim si yes so all muchas muchisimas tambem"
    )
)
_PERSON_WORDS = frozenset(words("atendente atendentes humano humana pessoa agent human person agente persona"))
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


def without_courtesy(text: str) -> list[str]:
    """The words besides greetings, thanks and polite phrases, in order."""
    return _POLITE.sub(" ", " ".join(words(text))).split()


def is_greeting(text: str, language: Language) -> bool:
    """Whether the text greets and asks nothing besides."""
    greets = _GREETING.search(" ".join(words(text))) is not None
    return greets and all(is_stop_word(word, language) for word in without_courtesy(text))


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
    rest = [word for word in without_courtesy(text) if word not in _FILLERS]
    return (len(rest) == 1 and rest[0] in _PERSON_WORDS) or _ASKS_FOR_PERSON.search(joined) is not None
