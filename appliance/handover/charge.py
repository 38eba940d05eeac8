"""A person is in charge: asked for, promised or there. Each change happens in its caller's unit of work.

It belongs to the contact, and to all that are the same person on its channel: a conversation that expires meanwhile
takes no promise with it. A card says that a person is
waited for; it closes when one has answered, or what was promised was answered after all.
"""

from collections.abc import Sequence
from typing import Any

from appliance.model import (
    ANSWERED_ELSEWHERE,
    Contact,
    Conversation,
    Handover,
    Held,
    OutboxMessage,
    StoredMessage,
    masked,
)
from appliance.store import Tx, cards
from appliance.store.cards import CardKind
from appliance.store.handovers import LOOP, NOBODY, Change


def begin(
    tx: Tx, conversation: Conversation, who: str, handover: Handover, due_at: int | None = None, *, why: str = ""
) -> None:
    """The customer was told that a person will answer. `due_at`: when the organization opens, where it is closed.

    `why`: where nobody asked for one.
    """
    tx.contacts.hand_over(conversation.contact_id, handover, tx.now, due_at=due_at)
    change = Change.ASKED if handover.is_silent else Change.PROMISED
    tx.handovers.note(conversation.contact_id, change, LOOP if why else NOBODY)
    if handover.is_silent:
        tx.conversations.take(conversation.contact_id)
    if not why:
        why = "asks for a person" if handover.is_silent else "asks what the knowledge does not say"
    wait(tx, conversation, who, why=why)


def wait(tx: Tx, conversation: Conversation, who: str, *, why: str = "wrote again") -> None:
    """One card for a customer, also where an earlier conversation's is open. It says when a person is due."""
    opened = tx.cards.of_contact(CardKind.WAITING, conversation.contact_id)
    subject = opened[0] if opened else cards.conversation(conversation.id)
    contact = tx.contacts.get(conversation.contact_id)
    due_at = contact and contact.due_at
    due: dict[str, Any] = {"case": cards.OPENING, "until": due_at} if due_at and due_at > tx.now else {}
    tx.cards.open(CardKind.WAITING, subject, conversation.organization_id, who=who, why=why, **due)


def hold(tx: Tx, conversation: Conversation, messages: Sequence[StoredMessage], held: Held) -> None:
    """Live messages wait for the person; nothing changes where none is waited for (any more): they stay live."""
    contact = tx.contacts.get(conversation.contact_id)
    if contact is None or contact.handover is None:
        return
    answered = [message.id for message in messages if is_before_last_word(message, contact)]
    tx.messages.suppress(answered, ANSWERED_ELSEWHERE)
    tx.messages.suppress([message.id for message in messages], held)  # those that are left
    if len(answered) < len(messages):
        wait(tx, conversation, masked(contact.address))


def is_before_last_word(message: StoredMessage, contact: Contact) -> bool:
    """Whether a person wrote to the contact later, through us or as Twilio's log told."""
    return contact.handover == Handover.TAKEN and message.received_at <= (contact.spoke_at or 0)


def withdrawn(tx: Tx, row: OutboxMessage) -> None:
    """The appliance's answer may not be sent, as a person is in charge by now: its messages wait for that person."""
    messages = tx.messages.answered_by(row.id)
    tx.messages.release(row.id)
    conversation = tx.conversations.get(row.conversation_id or 0)
    assert conversation is not None
    hold(tx, conversation, messages, Held.IN_CHARGE)


def take(tx: Tx, contact: Contact, who: str) -> None:
    """A person takes over and may say something: what waits goes on waiting for that, and so does its card."""
    _note_taken(tx, contact, who)
    tx.contacts.hand_over(contact.id, Handover.TAKEN, tx.now, who)
    tx.conversations.take(contact.id)


def _note_taken(tx: Tx, contact: Contact, who: str) -> None:
    if (contact.handover, contact.handover_by) != (Handover.TAKEN, who):
        tx.handovers.note(contact.id, Change.TAKEN, who)


def spoke(tx: Tx, contact: Contact, at: int, answered: Sequence[int], who: str) -> None:
    """A person's word reached the customer (ms UTC) and answers these messages: the silence counts from it."""
    _note_taken(tx, contact, who)
    tx.messages.settle_held(list(answered), ANSWERED_ELSEWHERE)
    contact_id = contact.id
    tx.contacts.spoke(contact_id, at, who)
    tx.conversations.take(contact_id)
    if not tx.messages.held(contact_id, with_aliases=True):
        close(tx, contact_id)


def spoke_through_us(tx: Tx, row: OutboxMessage) -> None:
    """A manual message is a person's answer where one is waited for; else, as a reminder to all, it takes nobody."""
    contact = tx.contacts.get(row.contact_id)
    assert contact is not None
    if contact.handover is None and not tx.cards.of_contact(CardKind.WAITING, contact.id):
        return
    held = tx.messages.held(contact.id, with_aliases=True)
    read = [message.id for message in held if message.received_at <= row.created_at]
    spoke(tx, contact, row.created_at, read, row.intended_by)


def answered_after_all(tx: Tx, contact_id: int, messages: Sequence[StoredMessage]) -> None:
    """The appliance has answered what it got back. Who had asked for a person still waits for one."""
    contact = tx.contacts.get(contact_id)
    is_over = contact is not None and contact.handover is None
    if is_over and any(message.handed_back in (Handover.UNKNOWN, Handover.TAKEN) for message in messages):
        close(tx, contact_id)


def close(tx: Tx, contact_id: int) -> None:
    for subject in tx.cards.of_contact(CardKind.WAITING, contact_id):
        tx.cards.close(CardKind.WAITING, subject)
