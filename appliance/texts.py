"""The texts customers read that no responder wrote, and the shape every outgoing text has."""

import re
import unicodedata
from collections.abc import Sequence

from appliance.model import Language, Organization, TextKey

MAX_LENGTH = 1_600  # of one message's body, on every channel (Twilio docs, error 21617)
_ELLIPSIS = "..."  # "…" is outside GSM-7 and would make a plain SMS cost more than twice as much

TEXTS: dict[Language, dict[TextKey, str]] = {
    "pt-BR": {
        TextKey.UNAVAILABLE: "Desculpe, estou indisponível no momento. Sua mensagem foi recebida. {contact}",
        TextKey.MENU: "Não tenho certeza. É sobre um destes? Responda com o número:",
        TextKey.DONT_KNOW: (
            "Não tenho essa informação. Pode perguntar de outro jeito? Para falar com uma pessoa, responda ATENDENTE."
        ),
        TextKey.GREETING: (
            "Olá! Aqui é {organization}, atendimento automático. Como posso ajudar? "
            "Para falar com uma pessoa, responda ATENDENTE."
        ),
        TextKey.HANDOFF: "Registrei seu pedido para a equipe. Uma pessoa responde por aqui. {contact}",
        TextKey.MEDIA_UNSUPPORTED: (
            "Recebi, mas ainda não consigo abrir áudios, fotos ou arquivos. Pode escrever em texto?"
        ),
        TextKey.OPTED_OUT: "Pronto, você não receberá mais mensagens nossas por aqui. Para voltar, responda VOLTAR.",
        TextKey.OPTED_IN: "Pronto, voltamos a conversar. Como posso ajudar?",
        TextKey.OPTED_OUT_REMINDER: "Você pediu para não receber mensagens. Para ser atendido, responda VOLTAR.",
        TextKey.LATE: "Desculpe a demora, ficamos sem conexão.",
        TextKey.AWAY: ("Estamos fechados agora. Sua mensagem foi recebida e será respondida quando abrirmos."),
    },
    "en": {
        TextKey.UNAVAILABLE: "Sorry, I can't answer right now. Your message has been received. {contact}",
        TextKey.MENU: "I'm not sure. Is it about one of these? Reply with the number:",
        TextKey.DONT_KNOW: ("I don't have that information. Could you put it another way? For a person, reply AGENT."),
        TextKey.GREETING: (
            "Hello! {organization} here, automatic assistant. How can I help? For a person, reply AGENT."
        ),
        TextKey.HANDOFF: "I have passed your request to the team. A person will answer here. {contact}",
        TextKey.MEDIA_UNSUPPORTED: ("I got it, but I can't open voice notes, photos or files yet. Could you type it?"),
        TextKey.OPTED_OUT: "Done, no more messages from us here. To come back, reply START.",
        TextKey.OPTED_IN: "Welcome back. How can I help?",
        TextKey.OPTED_OUT_REMINDER: "You asked for no messages. To talk to us again, reply START.",
        TextKey.LATE: "Sorry for the delay, we were offline.",
        TextKey.AWAY: "We are closed now. Your message has been received and will be answered when we open.",
    },
    "es": {
        TextKey.UNAVAILABLE: "Disculpe, no estoy disponible en este momento. Su mensaje fue recibido. {contact}",
        TextKey.MENU: "No estoy seguro. ¿Es sobre uno de estos? Responda con el número:",
        TextKey.DONT_KNOW: (
            "No tengo esa información. ¿Puede preguntarlo de otra forma? Para hablar con una persona, responda PERSONA."
        ),
        TextKey.GREETING: (
            "¡Hola! Aquí {organization}, asistente automático. ¿En qué puedo ayudar? "
            "Para hablar con una persona, responda PERSONA."
        ),
        TextKey.HANDOFF: "Registré su pedido para el equipo. Una persona responderá por aquí. {contact}",
        TextKey.MEDIA_UNSUPPORTED: "Lo recibí, pero aún no puedo abrir audios, fotos ni archivos. ¿Puede escribirlo?",
        TextKey.OPTED_OUT: "Listo, no recibirá más mensajes nuestros por aquí. Para volver, responda VOLVER.",
        TextKey.OPTED_IN: "Listo, seguimos en contacto. ¿En qué puedo ayudar?",
        TextKey.OPTED_OUT_REMINDER: "Usted pidió no recibir mensajes. Para ser atendido, responda VOLVER.",
        TextKey.LATE: "Disculpe la demora, estuvimos sin conexión.",
        TextKey.AWAY: "Ahora estamos cerrados. Su mensaje fue recibido y será respondido cuando abramos.",
    },
}

PLACEHOLDER = re.compile(r"\{(organization|contact)\}")
_GAP = re.compile(r"\{\w+\}")
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")
SENTENCE_END = re.compile(r"[.!?…](?=\s)|\n")
_LONGEST_GRAPHEME = 32  # code points to step back at most, so that stacked accents cannot eat the message

_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*\n?", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(?=\S)", re.MULTILINE)
_BULLET = re.compile(r"^([ \t]*)[*+][ \t]+(?=\S)", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]{1,500})\*\*|(?<!\w)__(?=\S)([^_\n]{1,500})__(?!\w)")
_LINK = re.compile(r"!?\[([^\[\]\n]{1,300})\]\(([^()\s]{1,500})\)")


def render(key: TextKey, organization: Organization, options: Sequence[str] = ()) -> str:
    """The text in the organization's language, in its own wording where it has one, and a line for each option; at most
    one Twilio message.
    """
    template = organization.texts.get(key, TEXTS[organization.language][key])
    choices = (f"{number}) {option}" for number, option in enumerate(options, start=1))
    return fit("\n".join((filled(template, organization), *choices)))


def filled(template: str, organization: Organization) -> str:
    """A fixed text with the organization's name and contact; no line has more spaces than it needs."""
    values = {"organization": organization.name, "contact": organization.contact}
    text = PLACEHOLDER.sub(lambda match: " ".join(values[match[1]].split()), template)
    return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()


def is_fixed(body: str) -> bool:
    """Whether it is one of the product's own fixed texts, in whatever language: another appliance wrote it."""
    words = " ".join(body.split())
    return any(each.fullmatch(words) for each in _FIXED)


def _as_sent(template: str) -> re.Pattern[str]:
    return re.compile(r"\s*.*\s*".join(re.escape(words.strip()) for words in _GAP.split(template)))


# LATE stands before an answer; MENU before its options.
_FIXED = [
    _as_sent(template + "{options}" * (key == TextKey.MENU))
    for each in TEXTS.values()
    for key, template in each.items()
    if key != TextKey.LATE
]


def normalise(body: str) -> str:
    """The one form in which a body is stored, sent and compared: stripped, NFC, LF, no NUL, no lone surrogate."""
    lines = _UNSENDABLE.sub("", body).replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", lines).strip()


def length(body: str) -> int:
    """Characters towards the 1,600: UTF-16 units, as SMS segments are counted; an emoji is two."""
    return len(body) + sum(character > "\uffff" for character in body)


def fit(body: str, limit: int = MAX_LENGTH) -> str:
    """The body as one message of at most `limit`: cut at a sentence's end, else at a word with an ellipsis."""
    whole = normalise(body)
    if length(whole) <= limit:
        return whole
    head = _head(whole, limit + 1)
    ends = [match.end() for match in SENTENCE_END.finditer(head) if match.end() <= limit]
    if ends and ends[-1] >= limit // 2:
        return head[: ends[-1]].rstrip()
    room = limit - len(_ELLIPSIS)
    if room <= 0:
        return _head(whole, max(limit, 0)).rstrip()
    head = _head(whole, room)
    space = max(head.rfind(" "), head.rfind("\n"))
    end = space if space >= room // 2 else _grapheme_start(whole, len(head))
    return head[:end].rstrip(" \n.,;:") + _ELLIPSIS


def strip_markup(text: str) -> str:
    """Markdown as plain text: no headings, fences or bold; `[a](b)` becomes `a: b`, bullets become dashes."""
    plain = _HEADING.sub("", _FENCE.sub("", text))
    plain = _BOLD.sub(lambda match: match[1] or match[2], _BULLET.sub(r"\1- ", plain))
    return _LINK.sub(r"\1: \2", plain)


def _head(text: str, limit: int) -> str:
    """The longest start of at most `limit` UTF-16 units; half a pair is dropped."""
    return text[:limit].encode("utf-16-le")[: 2 * limit].decode("utf-16-le", errors="ignore")


def _grapheme_start(text: str, end: int) -> int:
    """The last place at or before `end` where a visible character begins.

    An accent, a variation, a skin tone and a joined emoji belong to the code point before.
    """
    joiner = "\u200d"
    for start in range(end, max(end - _LONGEST_GRAPHEME, 0), -1):
        here = text[start]
        belongs = unicodedata.category(here).startswith("M") or "\U0001f3fb" <= here <= "\U0001f3ff"
        if not belongs and joiner not in text[start - 1 : start + 1]:
            return start
    return end
