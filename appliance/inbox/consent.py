"""Which of a contact's words about consent counts where they do not come in as they were said.

What catch-up fetches comes later than what was said after it. The last word said is the one that counts, and three
things tell what was said later: the words that are stored, what only Twilio knows of them (Advanced Opt-Out), and
Twilio's log. An opt-out that cannot be stored yet, because a send is in doubt, holds all sends at once all the same
(`heed`).
"""

from collections.abc import Collection
from dataclasses import dataclass

from appliance.inbox import keywords
from appliance.inbox.keywords import Change, Consent
from appliance.model import Contact
from appliance.people import identity
from appliance.store import Tx
from appliance.wire import InboundMessage


@dataclass(frozen=True, slots=True)
class Order:
    """What Twilio's log tells about the place of a message among its contact's words. Times on our clock, ms UTC."""

    said_at: int
    is_overtaken: bool = False  # the log shows a later word that is stored
    shown: Collection[str] = ()  # what is stored and stands in the log, which may not show all that came …
    shown_until: int = 0  # … since then


def take(tx: Tx, message: InboundMessage, contact: Contact, order: Order | None) -> Consent:
    """Change the contact's consent as the message says; what answers it. `order`: it comes from Twilio's log.

    What the person said by another address of the kind counts like what was said by this one.
    """
    person = tx.contacts.as_person(contact)
    left = person.opted_out_sid is not None and person.opted_out_sid != message.sid
    # An opt-out that was heeded before it could be stored counts only for what was written after it.
    opted_out = left and (order is None or tx.contacts.has_left(person.opted_out_sid or ""))
    found = keywords.read(message, opted_out=opted_out, reminded_at=person.reminded_at, now=tx.now)
    if order and _is_overtaken(tx, contact.id, message.recipient, order):
        found = keywords.overtaken(found, opted_out)
    is_said_again = found.suppressed == keywords.ALREADY_OUT and contact.opted_out_at is None  # by this address first
    _change(tx, Change.OUT if is_said_again else found.change, contact.id, message.sid)
    _spread(tx, found.change, contact.id, message)
    return found


def complete(tx: Tx, message: InboundMessage) -> None:
    """The webhook of a message that catch-up stored: Twilio may have recognised and answered a word in it."""
    told = keywords.told_by_twilio(message.opt_out_type)
    if told is None:
        return
    message_id, contact_id, received_at = tx.messages.stored(message.sid)
    if not (
        _spoke_later(tx, contact_id, message.recipient, received_at) or _was_told_later(tx, contact_id, received_at)
    ):
        _change(tx, told.change, contact_id, message.sid)
        _spread(tx, told.change, contact_id, message, received_at)
    tx.messages.suppress([message_id], told.suppressed or "")


def heed(tx: Tx, contact: Contact, word: InboundMessage, order: Order) -> None:
    """An opt-out that cannot be stored yet holds all sends at once."""
    if not _is_overtaken(tx, contact.id, word.recipient, order):
        tx.contacts.opt_out(contact.id, word.sid)


def _is_overtaken(tx: Tx, contact_id: int, recipient: str, order: Order) -> bool:
    return (
        order.is_overtaken
        or _spoke_later(tx, contact_id, recipient, max(order.said_at, order.shown_until), order.shown)
        or _was_told_later(tx, contact_id, order.said_at)
    )


def _was_told_later(tx: Tx, contact_id: int, at: int) -> bool:
    """Whether Twilio told us later than a time (ms UTC) of a word that only it knows (Advanced Opt-Out)."""
    later = tx.messages.told_since(contact_id, at)
    return any(told and told.change != Change.NONE for told in map(keywords.told_by_twilio, later))


def _spoke_later(tx: Tx, contact_id: int, recipient: str, at: int, but: Collection[str] = ()) -> bool:
    """Whether the contact opted out or in again later than a time (ms UTC), by its own words; `but`: not by these."""
    later = tx.messages.written_since(contact_id, at)
    return any(sid not in but and keywords.says(body, recipient) != Change.NONE for sid, body in later)


def _spread(tx: Tx, change: Change, contact_id: int, message: InboundMessage, said_at: int | None = None) -> None:
    """What Twilio recognised for a Messaging Service counts for all its senders: at each channel of the account of the
    same kind, unless a later word was said there. `said_at`: ms UTC, where the message came in late.
    """
    if change == Change.NONE or not message.opt_out_type or not message.service:
        return
    contact = tx.contacts.get(contact_id)
    assert contact is not None
    for channel in tx.channels.beside(contact.channel_id):
        # Also where the customer has not written yet: somebody may write first.
        other = identity.meet(tx, channel.id, contact.address)
        if said_at is None or not (
            _spoke_later(tx, other.id, message.recipient, said_at) or _was_told_later(tx, other.id, said_at)
        ):
            _change(tx, change, other.id, message.sid)


def _change(tx: Tx, change: Change, contact_id: int, sid: str) -> None:
    if change == Change.OUT:
        tx.contacts.opt_out(contact_id, sid)
    if change == Change.IN:
        tx.contacts.opt_in(contact_id)
