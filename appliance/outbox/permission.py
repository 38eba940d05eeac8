"""Pure rules of a conversation: its key, its debounce, its history as a model sees it, who may be written to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from appliance.model import (
    HOUR,
    MANUAL,
    Contact,
    Conversation,
    ConversationStatus,
    StoredMessage,
    TextKey,
    Turn,
)

WHATSAPP = "whatsapp:"
WHATSAPP_WINDOW = 24 * HOUR
_EXEMPT_FROM_OPT_OUT = (TextKey.OPTED_OUT, TextKey.OPTED_OUT_REMINDER)


def session_key(channel: str, contact: str) -> str:
    """The lane of a conversation: both addresses verbatim."""
    return f"{channel}|{contact}"


def reply_due(last_at: int, first_live_at: int, delay: int, longest: int) -> int:
    """When to answer: `delay` after the last message, at most `longest` after the first unanswered one."""
    return min(last_at + delay, first_live_at + longest)


class Reading(StrEnum):
    """What there is to read in a message."""

    TEXT = "text"
    UNREADABLE = "unreadable"  # a voice note, photo, file or place: we say that we cannot open it
    NOTHING = "nothing"  # a sticker, a reaction, an empty message: no reply needed


def reading(message: StoredMessage) -> Reading:
    """A caption is text; a document's file name, which Twilio puts into Body, is not."""
    if message.message_type in ("sticker", "reaction"):
        return Reading.NOTHING
    if message.body.strip() and not _is_file_name(message):
        return Reading.TEXT
    if message.media or message.message_type not in ("", "text"):
        return Reading.UNREADABLE
    return Reading.NOTHING


def _is_file_name(message: StoredMessage) -> bool:
    if not any(item.content_type.startswith(("application/", "text/")) for item in message.media):
        return False
    return re.fullmatch(r"[^\n?]{1,200}\.[A-Za-z0-9]{1,8}", message.body.strip()) is not None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message must not be sent now; `card`: the owner should know."""

    reason: str
    card: str = ""


def refusal(kind: str, channel: str, contact: Contact, conversation: Conversation | None, now: int) -> Refusal | None:
    """The checks of the unit of work that sets an outbox row to sending, but for the loop guard and newer messages."""
    if contact.opted_out_at is not None and kind not in _EXEMPT_FROM_OPT_OUT:
        return Refusal("opted out")
    if channel.startswith(WHATSAPP) and (contact.last_inbound_at or 0) + WHATSAPP_WINDOW <= now:
        return Refusal("window closed", "WhatsApp allows a free answer only within 24 hours of the customer's message.")
    if kind == MANUAL:
        return None
    if contact.paused_until is not None and contact.paused_until > now:
        return Refusal("paused")
    taken = conversation is not None and conversation.status == ConversationStatus.HUMAN
    return Refusal("a person is in charge") if taken and kind != TextKey.HANDOFF else None


def turns(received: Sequence[tuple[int, str, int | None, int]], said: Sequence[tuple[int, str, int]]) -> list[Turn]:
    """History in the order a model should see it.

    `received`: (id, body, reply_id, at), `said`: (id, body, at), both oldest first. Each of ours stands directly after
    the last message it answers; what answers nothing (a manual message) stands where its time puts it.
    """
    last_answered = {reply_id: message_id for message_id, _, reply_id, _ in received if reply_id is not None}
    answers = {last_answered[row_id]: body for row_id, body, _ in said if row_id in last_answered}
    loose = [(at, body) for row_id, body, at in said if row_id not in last_answered]
    found: list[Turn] = []
    for message_id, body, _, at in received:
        while loose and loose[0][0] <= at:
            found.append(Turn("assistant", loose.pop(0)[1]))
        found.append(Turn("user", body))
        if message_id in answers:
            found.append(Turn("assistant", answers[message_id]))
    return found + [Turn("assistant", body) for _, body in loose]
