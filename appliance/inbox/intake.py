"""A message comes in: organization, dedup, contact, consent, conversation and reply job in one unit of work."""

from enum import StrEnum

from appliance.config import Config
from appliance.handover import charge
from appliance.inbox import consent
from appliance.inbox.keywords import Consent
from appliance.inbox.late import too_late
from appliance.inbox.missed import Arrival, Fate
from appliance.model import (
    FORGETTING,
    Channel,
    Contact,
    Conversation,
    ConversationStatus,
    Held,
    TextKey,
    masked,
    may_be_written_to,
)
from appliance.people import identity
from appliance.queue.bell import Bell
from appliance.queue.lane import arm
from appliance.store import Store, Tx, cards
from appliance.store.cards import CardKind
from appliance.store.contacts import session_key
from appliance.wire import InboundMessage

SAID = "about consent"  # messages.suppressed: heeded, and not answered while a person is in charge


class Received(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"
    ORPHANED = "orphaned"


class DuplicateError(Exception):
    """This sid is stored already; the unit of work is rolled back, so nothing else changes either."""


class Intake:
    def __init__(self, store: Store, config: Config, bell: Bell) -> None:
        self._store = store
        self._config = config
        self._bell = bell

    async def receive(self, message: InboundMessage) -> Received:
        """Store a message once. Returns after it is on disk; raises the store's errors."""
        try:
            received = await self._store.write(lambda tx: receive(tx, message, self._config))
        except DuplicateError:
            await self._store.write(lambda tx: complete(tx, message))
            return Received.DUPLICATE
        self._bell.ring()
        return received


def receive(tx: Tx, message: InboundMessage, config: Config, arrival: Arrival | None = None) -> Received:
    """The unit of work. `arrival`: the message comes from Twilio's log, late. Raises DuplicateError.

    Also for what is forgotten: a message that was, or one that is older than its customer's wish to be.
    """
    if tx.forgotten.knows(message.sid):
        raise DuplicateError
    channel = tx.channels.at(message.account, message.recipient)
    if channel is None:
        _orphan(tx, message)
        return Received.ORPHANED
    contact = identity.meet(tx, channel.id, message.sender, message.aliases)
    if arrival and tx.forgotten.is_from_before(contact, arrival.order.said_at):
        raise DuplicateError
    conversation = open_conversation(tx, channel, contact, config)
    found = consent.take(tx, message, contact, arrival.order if arrival else None)
    notice, suppressed = _verdict(tx, message, found, contact, conversation, arrival)
    received_at = arrival.order.said_at if arrival else tx.now
    message_id = tx.messages.insert(
        message,
        organization_id=channel.organization_id,
        contact_id=contact.id,
        conversation_id=conversation.id,
        source="catch_up" if arrival else "webhook",
        notice=notice,
        suppressed=suppressed,
        received_at=received_at,
    )
    if message_id is None:
        raise DuplicateError
    tx.contacts.heard(contact.id, received_at)
    tx.contacts.named(contact.id, message.profile_name)
    tx.conversations.touch(conversation.id, tx.now + config.conversations.expire_after)
    if notice == TextKey.OPTED_OUT_REMINDER:
        tx.contacts.reminded(contact.id)
    if suppressed is None:
        if arrival and arrival.fate == Fate.TOO_OLD:
            too_late(tx, conversation, [message_id], masked(contact.address), why="wrote while the appliance was off")
        arm(tx, conversation, config)
    return Received.STORED


def _orphan(tx: Tx, message: InboundMessage) -> None:
    """It is kept and nobody's: its account, or its number in that account, is none of ours."""
    number = masked(message.recipient)
    if message.account:
        tx.messages.insert_orphan(message, "unknown number")
        subject = cards.number(message.account, message.recipient)
        tx.cards.open(CardKind.ORPHAN, subject, account=message.account, number=number)
        return
    tx.messages.insert_orphan(message, "unknown account")
    whose = masked(message.account_sid) if message.account_sid else "–"
    tx.cards.open(CardKind.STRANGER, cards.stranger(message.account_sid), number=number, account_sid=whose)


def complete(tx: Tx, message: InboundMessage) -> None:
    """The webhook of a message that catch-up stored: it brings what Twilio's log does not have.

    Nothing where the sid is another account's: whoever owns one account may not write into another one's messages.
    """
    if tx.messages.account(message.sid) != message.account:
        return
    _, contact_id, received_at = tx.messages.stored(message.sid)
    contact = tx.contacts.get(contact_id)
    assert contact is not None
    message = message.without(identity.forgotten(tx, contact.channel_id, message.aliases, received_at))
    if tx.messages.fill_gaps(message):
        tx.contacts.named(contact.id, message.profile_name)
        identity.note(tx, contact, message.aliases)
        consent.complete(tx, message)


def open_conversation(tx: Tx, channel: Channel, contact: Contact, config: Config) -> Conversation:
    """The open conversation, or a new one; an expired one is closed here, whatever the sweeps did not get to.

    Who is with a person stays there: the person's silence counts, not the conversation's.
    """
    key = session_key(channel.id, contact.address)
    current = tx.conversations.open_with(key)
    if current is not None and current.expires_at <= tx.now and tx.jobs.in_lane(key) is None:
        tx.conversations.set_status(current.id, ConversationStatus.CLOSED)
        tx.cards.close(CardKind.OPTED_OUT, cards.conversation(current.id))
        current = None
    expires_at = tx.now + config.conversations.expire_after
    status = ConversationStatus.HUMAN if contact.is_with_a_person else ConversationStatus.PENDING
    return current or tx.conversations.insert(channel.organization_id, channel.id, contact.id, key, expires_at, status)


def _verdict(
    tx: Tx,
    message: InboundMessage,
    found: Consent,
    contact: Contact,
    conversation: Conversation,
    arrival: Arrival | None,
) -> tuple[TextKey | None, str | None]:
    """The fixed text that must answer it, and why nothing at all may; neither: it is answered as usual."""
    subject, who = cards.conversation(conversation.id), masked(contact.address)
    reason = "own channel" if tx.channels.exists(message.sender) else may_be_written_to(message.sender)
    if reason or contact.forget_at is not None:
        return None, reason or FORGETTING
    if contact.is_with_a_person and not (arrival and arrival.fate == Fate.ANSWERED_ELSEWHERE):
        if found != Consent():  # a word about consent has taken effect; it is no question that waits for somebody
            return None, found.suppressed or SAID
        charge.wait(tx, conversation, who)
        return None, Held.IN_CHARGE
    if contact.paused_until is not None and contact.paused_until > tx.now:
        return None, "paused"
    if arrival and arrival.fate == Fate.ANSWERED_ELSEWHERE:
        return None, found.suppressed or Fate.ANSWERED_ELSEWHERE
    if found.card:
        tx.cards.open(CardKind.OPTED_OUT, subject, conversation.organization_id, who=who)
    return found.notice, found.suppressed
