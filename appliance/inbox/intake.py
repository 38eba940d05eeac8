"""A message comes in: organization, dedup, contact, consent, conversation and reply job in one unit of work."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from appliance.config import Config
from appliance.inbox import keywords
from appliance.inbox.missed import Arrival, Fate
from appliance.model import Channel, Contact, Conversation, ConversationStatus, TextKey, masked, session_key
from appliance.queue.lane import arm
from appliance.store import Store, Tx
from appliance.wire import InboundMessage


class Received(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"
    ORPHANED = "orphaned"


class DuplicateError(Exception):
    """This sid is stored already; the unit of work is rolled back, so nothing else changes either."""


class Intake:
    def __init__(self, store: Store, config: Config, wake: Callable[[], None]) -> None:
        self._store = store
        self._config = config
        self._wake = wake

    async def receive(self, message: InboundMessage) -> Received:
        """Store a message once. Returns after it is on disk; raises the store's errors."""
        try:
            received = await self._store.write(lambda tx: receive(tx, message, self._config))
        except DuplicateError:
            await self._store.write(lambda tx: _complete(tx, message))
            return Received.DUPLICATE
        self._wake()
        return received


def receive(tx: Tx, message: InboundMessage, config: Config, arrival: Arrival | None = None) -> Received:
    """The unit of work. `arrival`: the message comes from Twilio's log, late. Raises DuplicateError."""
    channel = tx.channels.at(message.recipient)
    if channel is None or message.account_sid != config.twilio.account_sid:
        reason = "unknown number" if channel is None else "unknown account"
        tx.messages.insert_orphan(message, reason)
        tx.cards.open("orphan", f"number:{message.recipient}", f"Unknown number {masked(message.recipient)}: {reason}.")
        return Received.ORPHANED
    contact = tx.contacts.ensure(channel.id, message.sender)
    conversation = _conversation(tx, channel, contact, config)
    verdict = _judge(tx, message, contact, conversation, arrival)
    received_at = arrival.received_at if arrival else tx.now
    message_id = tx.messages.insert(
        message,
        organization_id=channel.organization_id,
        contact_id=contact.id,
        conversation_id=conversation.id,
        source="catch_up" if arrival else "webhook",
        notice=verdict.notice,
        suppressed=verdict.suppressed,
        received_at=received_at,
    )
    if message_id is None:
        raise DuplicateError
    tx.contacts.heard(contact.id, received_at)
    tx.contacts.named(contact.id, message.profile_name)
    tx.conversations.touch(conversation.id, tx.now + config.conversations.expire_after)
    _apply(tx, message, verdict, contact, conversation)
    if arrival and arrival.fate == Fate.TOO_OLD and verdict.suppressed is None:
        _too_late(tx, message_id, contact, conversation)
    if verdict.suppressed is None:
        arm(tx, conversation, config)
    return Received.STORED


def _too_late(tx: Tx, message_id: int, contact: Contact, conversation: Conversation) -> None:
    text = f"{masked(contact.address)} wrote while the appliance was off; it is too late to answer by itself."
    card_id = tx.cards.open("too_late", f"conversation:{conversation.id}", text, conversation.organization_id)
    tx.messages.give_up([message_id], card_id)


def _complete(tx: Tx, message: InboundMessage) -> None:
    """The webhook of a message that catch-up stored: it brings what Twilio's log does not have."""
    if not tx.messages.fill_gaps(message):
        return
    message_id, contact_id, received_at = tx.messages.stored(message.sid)
    tx.contacts.named(contact_id, message.profile_name)
    told = keywords.told_by_twilio(message.opt_out_type)
    if told is None:
        return
    if not (
        _spoke_later(tx, contact_id, message.recipient, received_at) or _was_told_later(tx, contact_id, received_at)
    ):
        _change_consent(tx, told.change, contact_id, message.sid)
    tx.messages.suppress([message_id], told.suppressed or "")  # Twilio has answered it


def heed(tx: Tx, contact: Contact, word: Arrival) -> None:
    """An opt-out that cannot be stored yet holds all sends at once."""
    if not _is_overtaken(tx, contact.id, word.message.recipient, word):
        tx.contacts.opt_out(contact.id, word.message.sid)


def _is_overtaken(tx: Tx, contact_id: int, recipient: str, arrival: Arrival) -> bool:
    recently = max(arrival.received_at, arrival.shown_until)
    return (
        arrival.is_overtaken
        or _spoke_later(tx, contact_id, recipient, recently, arrival.shown)
        or _was_told_later(tx, contact_id, arrival.received_at)
    )


def _was_told_later(tx: Tx, contact_id: int, at: int) -> bool:
    """Whether Twilio told us later than a time (ms UTC) of a word that only it knows (Advanced Opt-Out)."""
    later = tx.messages.told_since(contact_id, at)
    return any(told and told.change != keywords.Change.NONE for told in map(keywords.told_by_twilio, later))


def _spoke_later(tx: Tx, contact_id: int, recipient: str, at: int, but: Collection[str] = ()) -> bool:
    """Whether the contact opted out or in again later than a time (ms UTC), by its own words; `but`: not by these."""
    later = tx.messages.written_since(contact_id, at)
    return any(sid not in but and keywords.says(body, recipient) != keywords.Change.NONE for sid, body in later)


def _has_left(tx: Tx, contact: Contact, message: InboundMessage, arrival: Arrival | None) -> bool:
    """An opt-out that was heeded before it could be stored counts for what was written after it."""
    if contact.opted_out_at is None or contact.opted_out_sid == message.sid:
        return False
    return arrival is None or tx.contacts.has_left(contact.id)


def _change_consent(tx: Tx, change: keywords.Change, contact_id: int, sid: str) -> None:
    if change == keywords.Change.OUT:
        tx.contacts.opt_out(contact_id, sid)
    if change == keywords.Change.IN:
        tx.contacts.opt_in(contact_id)


def _conversation(tx: Tx, channel: Channel, contact: Contact, config: Config) -> Conversation:
    """The open conversation, or a new one; an expired one is closed here, whatever the sweeps did not get to."""
    key = session_key(channel.address, contact.address)
    current = tx.conversations.open_with(key)
    if current is not None and current.expires_at <= tx.now and tx.jobs.in_lane(key) is None:
        tx.conversations.set_status(current.id, ConversationStatus.CLOSED)
        tx.cards.close("waiting", f"conversation:{current.id}")
        current = None
    expires_at = tx.now + config.conversations.expire_after
    return current or tx.conversations.insert(channel.organization_id, channel.id, contact.id, key, expires_at)


@dataclass(frozen=True, slots=True)
class _Verdict:
    consent: keywords.Consent
    notice: TextKey | None
    suppressed: str | None
    card: str = ""


def _judge(
    tx: Tx, message: InboundMessage, contact: Contact, conversation: Conversation, arrival: Arrival | None
) -> _Verdict:
    """What the message does to consent, and whether anything may be said to it at all."""
    out = _has_left(tx, contact, message, arrival)
    found = keywords.read(message, opted_out=out, reminded_at=contact.reminded_at, now=tx.now)
    if arrival and _is_overtaken(tx, contact.id, message.recipient, arrival):
        found = keywords.overtaken(found, out)
    who = masked(contact.address)
    if tx.channels.exists(message.sender):
        return _Verdict(found, None, "own channel")
    if reason := keywords.may_be_written_to(message.sender):
        return _Verdict(found, None, reason)
    if conversation.status == ConversationStatus.HUMAN:
        return _Verdict(found, None, "a person is in charge", f"{who} waits for a person.")
    if contact.paused_until is not None and contact.paused_until > tx.now:
        return _Verdict(found, None, "paused")
    if arrival and arrival.fate == Fate.ANSWERED_ELSEWHERE:
        return _Verdict(found, None, found.suppressed or Fate.ANSWERED_ELSEWHERE)
    card = f"{who} asked for no messages and wrote again." if found.card else ""
    return _Verdict(found, found.notice, found.suppressed, card)


def _apply(tx: Tx, message: InboundMessage, verdict: _Verdict, contact: Contact, conversation: Conversation) -> None:
    _change_consent(tx, verdict.consent.change, contact.id, message.sid)
    if verdict.notice == TextKey.OPTED_OUT_REMINDER:
        tx.contacts.reminded(contact.id)
    if verdict.card:
        tx.cards.open("waiting", f"conversation:{conversation.id}", verdict.card, conversation.organization_id)
