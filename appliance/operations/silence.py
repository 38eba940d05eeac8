"""Why a customer's message gets no answer, in plain words: for who tries the appliance out."""

from dataclasses import dataclass

from appliance.model import ANSWERED_ELSEWHERE, Disposition, Handover, Held
from appliance.store import Tx

_WORDS = {
    Held.PROMISED: "a person was promised: what the knowledge does not say waits for that person",
    ANSWERED_ELSEWHERE: "somebody else has answered, from Twilio's console or another box",
    "opted out": "asked for no messages: nothing is sent before a word that says otherwise",
    "opted out already": "asked for no messages before: it is not confirmed twice",
    "answered by Twilio": "Twilio answers this word by itself",
    "about consent": "a word about consent: it was heeded, and a person answers here",
    "a later word counts": "a word about consent that a later one overtook",
    "own channel": "the sender is a channel of ours: two machines would answer each other",
    "short code": "the sender is a short code: nobody reads there",
    "alphanumeric sender": "the sender has a name instead of a number: it cannot be written to",
    "paused": "this customer is paused",
    "loop guard": "too many answers within an hour: silence, as it may be another machine",
    "a reaction": "a reaction: no answer is wanted",
    "only emoji": "only emoji: no answer is wanted",
    "a sticker": "a sticker: no answer is wanted",
    "nothing to read": "nothing to read, or it was said already that it cannot be opened",
    "needs no reply": "thanks or a goodbye: no answer is wanted",
    "window closed": "WhatsApp allows a free answer only within 24 hours of the customer's message",
}
_IN_CHARGE = {
    Handover.ASKED: "asked for a person: nobody answers by machine",
    Handover.TAKEN: "a person has answered: nobody answers by machine",
}


@dataclass(frozen=True, slots=True)
class Silence:
    """`reason`: as it is stored. `words`: the same for people."""

    reason: str
    words: str


def silence(tx: Tx, sid: str) -> Silence | None:
    """None while an answer may come, where one was sent, and where the message is not known."""
    if (orphan := tx.history.orphan_reason(sid)) is not None:
        return Silence(orphan, f"no organization here has this number ({orphan})")
    row = tx.history.fate(sid)
    if row is None:
        return None
    reason = row["suppressed"] or row["failed"] or ""
    if reason == Held.IN_CHARGE:
        return Silence(reason, _IN_CHARGE.get(row["handover"], "a person was in charge"))
    if row["disposition"] in (Disposition.SUPPRESSED, Disposition.DEAD) or reason == ANSWERED_ELSEWHERE:
        told = row["card"] or f"it could not be answered ({reason or 'see the dead letters'})"
        return Silence(reason, _WORDS.get(reason, told if row["disposition"] == Disposition.DEAD else reason))
    return None
