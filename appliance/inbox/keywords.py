"""Who asked us to be silent and who came back: what a message does to a contact's consent, and what answers it.

Twilio docs: "Support for opt-out keywords" (SMS: Twilio answers its own words, the webhook still comes), "Getting
started with Advanced Opt-Out" (`OptOutType`). WhatsApp without Advanced Opt-Out: nothing is automatic.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.language.text import bare, words
from appliance.model import HOUR, TextKey
from appliance.wire import InboundMessage

REMINDER_EVERY = 24 * HOUR
ALREADY_OUT = "opted out already"

_TWILIO_OUT = frozenset(words("stop stopall unsubscribe cancel end quit revoke optout"))
_TWILIO_BACK = frozenset(words("start yes unstop"))
_TWILIO_HELP = frozenset(words("help info"))
_OUR_OUT = frozenset(words("sair parar pare descadastrar baja"))
_OUR_BACK = frozenset(words("voltar iniciar volver"))
_WHATSAPP_OUT = _OUR_OUT | {"stop"}
_WHATSAPP_BACK = _OUR_BACK | {"start"}


class Change(StrEnum):
    NONE = "none"
    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Consent:
    """What a message does at intake.

    `notice`: the fixed text that must answer it. `suppressed`: why nothing at all is sent for it. Neither: answer it
    normally. `card`: the owner should see that an opted-out contact wrote.
    """

    change: Change = Change.NONE
    notice: TextKey | None = None
    suppressed: str | None = None
    card: bool = False


def read(message: InboundMessage, *, opted_out: bool, reminded_at: int | None, now: int) -> Consent:
    """Judge an inbound message. Times in milliseconds; keywords count only as the whole message."""
    told = told_by_twilio(message.opt_out_type)
    if told:
        return told
    word = bare(message.body)
    if message.recipient.startswith("whatsapp:"):
        return _by_keyword(word, _WHATSAPP_OUT, _WHATSAPP_BACK, opted_out) or _on_whatsapp(opted_out, reminded_at, now)
    # Twilio's default words on SMS. Only START means anything to somebody who never left: "yes" is chat.
    if word in _TWILIO_OUT:
        told = told_by_twilio("STOP")
    elif word == "start" or (opted_out and word in _TWILIO_BACK):
        told = told_by_twilio("START")
    elif word in _TWILIO_HELP:
        told = told_by_twilio("HELP")
    out = Consent(suppressed="opted out", card=True) if opted_out else Consent()
    return told or _by_keyword(word, _OUR_OUT, _OUR_BACK, opted_out) or out


def says(body: str, recipient: str) -> Change:
    """What a message says about consent, whatever the contact had said before."""
    on_whatsapp = recipient.startswith("whatsapp:")
    out, back = (_WHATSAPP_OUT, _WHATSAPP_BACK) if on_whatsapp else (_TWILIO_OUT | _OUR_OUT, _TWILIO_BACK | _OUR_BACK)
    word = bare(body)
    return Change.OUT if word in out else Change.IN if word in back else Change.NONE


def overtaken(found: Consent, opted_out: bool) -> Consent:
    """A message that comes in after the contact's later word: it neither changes consent nor speaks of it."""
    if found.change != Change.NONE or found.suppressed == ALREADY_OUT:
        return Consent(suppressed="a later word counts")
    return Consent(suppressed="opted out", card=True) if opted_out else found


def is_twilios_word(body: str) -> bool:
    """Whether Twilio itself may have answered this on SMS."""
    return bare(body) in _TWILIO_OUT | _TWILIO_BACK | _TWILIO_HELP


def told_by_twilio(opt_out_type: str) -> Consent | None:
    """Advanced Opt-Out has recognised the word and answered it."""
    reason = "answered by Twilio"
    match opt_out_type.strip().upper():
        case "STOP":
            return Consent(Change.OUT, suppressed=reason)
        case "START":
            return Consent(Change.IN, suppressed=reason)
        case "HELP":
            return Consent(suppressed=reason)
    return None


def _by_keyword(word: str, out: frozenset[str], back: frozenset[str], opted_out: bool) -> Consent | None:
    if word in out:
        return Consent(suppressed=ALREADY_OUT) if opted_out else Consent(Change.OUT, TextKey.OPTED_OUT)
    return Consent(Change.IN, TextKey.OPTED_IN) if opted_out and word in back else None


def _on_whatsapp(opted_out: bool, reminded_at: int | None, now: int) -> Consent:
    if not opted_out:
        return Consent()
    if reminded_at is not None and 0 <= now - reminded_at < REMINDER_EVERY:
        return Consent(suppressed="opted out", card=True)
    return Consent(notice=TextKey.OPTED_OUT_REMINDER, card=True)
