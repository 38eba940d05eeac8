"""May this be sent now? Asked in the unit of work that sets an outbox row to `sending`; every path passes here.

What would be forbidden by the number of answers is not even asked for: a reply job looks at `loop_guard` first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from appliance.config import Config
from appliance.model import (
    FORGETTING,
    HOUR,
    MANUAL,
    Contact,
    Held,
    OutboxMessage,
    StoredMessage,
    TextKey,
)
from appliance.store import Tx

WHATSAPP = "whatsapp:"
WHATSAPP_WINDOW = 24 * HOUR
MAX_REGENERATIONS = 2
WINDOW_CLOSED = "WhatsApp allows a free answer only within 24 hours of the customer's message"
_EXEMPT_FROM_OPT_OUT = (TextKey.OPTED_OUT, TextKey.OPTED_OUT_REMINDER)
# The apology is not regenerated, later messages share it; after a handoff nobody writes another; a manual message
# answers nothing.
_NEVER_SUPERSEDED = (TextKey.UNAVAILABLE, TextKey.HANDOFF, TextKey.AWAY, MANUAL)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message must not be sent now; `card`: the owner should know, and `facts` fill it."""

    reason: str
    card: str = ""
    facts: Mapping[str, int] = field(default_factory=dict)


def refusal(kind: str, channel: str, contact: Contact, now: int) -> Refusal | None:
    """The checks of the unit of work that sets an outbox row to sending, but for the loop guard and newer messages.

    `contact`: as a person, with what its other addresses add.
    """
    if contact.forget_at is not None:
        return Refusal(FORGETTING)
    if contact.opted_out_at is not None and kind not in _EXEMPT_FROM_OPT_OUT:
        return Refusal("opted out")
    if channel.startswith(WHATSAPP) and (contact.last_inbound_at or 0) + WHATSAPP_WINDOW <= now:
        return Refusal("window closed", WINDOW_CLOSED)
    if kind == MANUAL:
        return None
    if contact.paused_until is not None and contact.paused_until > now:
        return Refusal("paused")
    is_the_promise = kind in (TextKey.HANDOFF, TextKey.AWAY)
    return Refusal(Held.IN_CHARGE) if contact.is_with_a_person and not is_the_promise else None


def is_paused(tx: Tx, row: OutboxMessage) -> bool:
    """Whether nobody gets an automatic text now, of whatever kind. A person's words go."""
    return row.kind != MANUAL and tx.pauses.holds(row.organization_id, row.contact_id)


def is_superseded(tx: Tx, row: OutboxMessage) -> bool:
    """Newer messages wait: in its conversation, or by another address of the person, which its writer did not know."""
    if row.kind in _NEVER_SUPERSEDED or row.conversation_id is None:
        return False
    is_live = bool(tx.messages.live(row.conversation_id))
    if not is_live and row.person_id is None:
        return False
    answered = tx.messages.answered_by(row.id)
    if not is_live and not _spoke_elsewhere(tx, row, answered):
        return False
    since = answered[0].received_at if answered else row.created_at
    return tx.outbox.superseded_since(row.conversation_id, since) < MAX_REGENERATIONS


def _spoke_elsewhere(tx: Tx, row: OutboxMessage, answered: Sequence[StoredMessage]) -> bool:
    """Each message makes a draft stale once: the writer of the next draft knew of it, and it has a lane of its own."""
    if not answered:
        return False
    return tx.messages.is_newer_live(row.contact_id, max(row.seen or 0, answered[-1].id))


def forbidden(tx: Tx, row: OutboxMessage, config: Config) -> Refusal | None:
    if not tx.outbox.intact(row.id):
        return Refusal("damaged", "it was damaged on disk")
    if row.created_at + config.queue.reply_max_age <= tx.now:
        return Refusal("too old", "it waited too long")
    contact = tx.contacts.get(row.contact_id)
    assert contact is not None
    found = refusal(row.kind, row.sender, tx.contacts.as_person(contact), tx.now)
    if found or row.kind == MANUAL:
        return found
    return loop_guard(tx, contact, config.conversations.max_replies_per_hour, row.id)


def loop_guard(tx: Tx, contact: Contact, limit: int, outbox_id: int = 0) -> Refusal | None:
    """Two machines that answer each other must end, by however many addresses. Also asked before a responder, who is
    paid for each answer.

    `outbox_id`: the message it is about, which does not count against itself.
    """
    if limit == 0 or tx.outbox.attempted_to(tx.contacts.aliases(contact), tx.now - HOUR, limit, outbox_id) < limit:
        return None
    return Refusal("loop guard", "more than {limit} replies in an hour", {"limit": limit})
