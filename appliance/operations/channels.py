"""A channel is given up: what was said stays, what was not finished becomes dead letters, new messages are orphans."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.errors import RequestError
from appliance.handover import charge
from appliance.model import (
    Channel,
    Contact,
    Conversation,
    ConversationStatus,
    JobKind,
    OutboxMessage,
    OutboxState,
    masked,
)
from appliance.outbox import binding, delivery
from appliance.store import Tx, cards
from appliance.store.cards import CardKind

WHY = "the channel was removed"


@dataclass(frozen=True, slots=True)
class Removed:
    """What was not finished: conversations that were closed, messages and replies that are dead letters now, and who
    still waited for a person.
    """

    address: str
    conversations: int
    messages: int
    replies: int
    persons: list[str]


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """What one contact's leaving cuts off. `messages`: nobody has answered them, a person neither."""

    contact: Contact
    conversations: list[Conversation]
    messages: list[int]
    replies: list[OutboxMessage]


def named(tx: Tx, address: str, account: str | None, *, enabled: bool = True, field: str = "account") -> Channel:
    """The channel in use with this address; of an account (the request's `field`) where several have it.

    Raises RequestError.
    """
    every = tx.channels.with_address(address, enabled=enabled)
    found = [channel for channel in every if account in (None, channel.account)]
    if not found:
        raise RequestError("not_found", f"There is no channel {address}; see: appliance channel list", "channel", 404)
    return only(found, address, field)


def only(found: Sequence[Channel], told: str, field: str) -> Channel:
    """The one channel; where several accounts have it RequestError asks which. `told`: what the request calls it."""
    if len(found) > 1:
        names = " and ".join(channel.account for channel in found)
        raise RequestError("which_account", f"{told} is a channel of {names}; name the account.", field)
    return found[0]


def remove(tx: Tx, address: str, account: str | None = None, *, force: bool = False) -> Removed:
    """Raises RequestError: while a conversation is open, unless `force`; while a reply is on its way to Twilio."""
    channel = named(tx, address, account)
    found = [_of(tx, contact) for contact in tx.contacts.unfinished_on(channel.id)]
    replies = [row for each in found for row in each.replies]
    removed = Removed(
        address,
        sum(len(each.conversations) for each in found),
        sum(len(each.messages) for each in found),
        len(replies),
        [masked(each.contact.address) for each in found if each.contact.handover],
    )
    if found and not force:
        raise RequestError("channel_in_use", f"{address} is in use: {_told(removed)}", "channel", 409)
    if any(row.state == OutboxState.SENDING for row in replies):
        text = f"A reply from {address} is on its way to Twilio; try again in a minute, while the appliance runs."
        raise RequestError("busy", text, "channel", 409)
    for each in found:
        _cut_off(tx, each)
    tx.cards.close(CardKind.TWILIO, cards.channel(channel.id))
    tx.channels.remove(channel.id)
    return removed


def _of(tx: Tx, contact: Contact) -> _Unfinished:
    live = [m.id for conversation in tx.conversations.waiting(contact.id) for m in tx.messages.live(conversation.id)]
    held = [message.id for message in tx.messages.held(contact.id)]
    return _Unfinished(contact, tx.conversations.open_of(contact.id), live + held, tx.outbox.unsettled_to(contact.id))


def _told(removed: Removed) -> str:
    counts = {
        "open conversations:": removed.conversations,
        "messages without an answer:": removed.messages,
        "replies not sent or not sure:": removed.replies,
        "customers who wait for a person:": len(removed.persons),
    }
    told = ", ".join(f"{what} {count}" for what, count in counts.items() if count)
    return (
        f"{told}. Conversations close by themselves after conversations.expire_after; --force closes them now, and "
        "what was not finished becomes dead letters."
    )


def _cut_off(tx: Tx, unfinished: _Unfinished) -> None:
    """Nothing is lost without a word: each reply and each burst of messages gets its dead letter and its card."""
    contact = unfinished.contact
    tx.jobs.withdraw(tx.contacts.lane(contact.id), WHY)
    for row in unfinished.replies:
        if row.state == OutboxState.DOUBT:
            delivery.park(tx, row, WHY)
        else:
            delivery.strand(tx, row.id, WHY)
            binding.bury(tx, row, WHY)
    if contact.handover is not None:
        tx.messages.hand_back([message.id for message in tx.messages.held(contact.id)], contact.handover)
        tx.contacts.hand_back(contact.id)
        charge.close(tx, contact.id)
    for conversation in tx.conversations.waiting(contact.id):
        _bury(tx, conversation, contact)
    for conversation in unfinished.conversations:
        tx.conversations.set_status(conversation.id, ConversationStatus.CLOSED)
        tx.cards.close(CardKind.OPTED_OUT, cards.conversation(conversation.id))


def _bury(tx: Tx, conversation: Conversation, contact: Contact) -> None:
    live = tx.messages.live(conversation.id)
    about = [message.id for message in live]
    subject, who = cards.conversation(conversation.id), masked(contact.address)
    card = tx.cards.open(CardKind.COULD_NOT_ANSWER, subject, conversation.organization_id, who=who, why=WHY)
    tx.messages.give_up(about, card)
    payload = {"conversation": conversation.id, "messages": about}
    tx.jobs.bury(JobKind.REPLY, conversation.session_key, WHY, live[0].sid, **payload)
