"""Messages as an operator sees them, and the one that an operator or a script sends."""

from dataclasses import dataclass
from typing import Any

import msgspec

from appliance import texts
from appliance.config import Config
from appliance.errors import RequestError
from appliance.model import MANUAL, Channel, OutboxMessage, OutboxState, may_be_written_to
from appliance.operations.channels import only
from appliance.people import identity
from appliance.queue.lane import follow
from appliance.store import Tx
from appliance.store.contacts import session_key
from appliance.twilio import encoding
from appliance.wire import with_plus

MAX_ADDRESS = 200  # characters
MAX_KEY = 200


def page(tx: Tx, owner: int | None, contact: str | None, limit: int) -> list[dict[str, Any]]:
    """What came in and went out, newest first: sid, direction, contact, channel, body, disposition, reason, …

    `owner`: the organization whose it is; None: all of the box.
    """
    names = ("sid", "direction", "contact", "channel", "body", "disposition", "reason", "reply_id", "at")
    found = []
    for row in tx.history.messages(owner, contact, limit):
        media = [{"url": url, "content_type": content_type} for url, content_type in msgspec.json.decode(row["media"])]
        found.append({name: row[name] for name in names} | {"media": media})
    return found


def orphans(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """Messages to a number that is nobody's here, newest first."""
    return [
        {"sid": row["sid"], "from": row["sender"], "to": row["recipient"]}
        | {"body": row["body"], "reason": row["reason"], "at": row["received_at"]}
        for row in tx.history.orphans_of_the_box(limit)
    ]


@dataclass(frozen=True, slots=True)
class ManualMessage:
    sender: str
    recipient: str
    body: str
    idempotency_key: str | None
    intended_by: str
    account: str | None = None  # of the sender, where several have its address


@dataclass(frozen=True, slots=True)
class Submitted:
    """An outbox row and how far it is."""

    id: int
    state: OutboxState


def submit(tx: Tx, message: ManualMessage, config: Config) -> Submitted:
    """Write a message to the outbox and queue it; the same key with the same content is the same message.

    Raises RequestError. Consent and WhatsApp's window are checked when it is sent, in that unit of work.
    """
    body = outgoing(message.body, message.sender)
    channel = _channel(tx, message)
    if known := submitted(tx, message, channel, body):
        return known
    contact = identity.meet(tx, channel.id, message.recipient)
    conversation = tx.conversations.open_with(session_key(channel.id, contact.address))
    outbox_id = write(
        tx,
        config,
        organization_id=channel.organization_id,
        channel_id=channel.id,
        contact_id=contact.id,
        conversation_id=conversation.id if conversation else None,
        body=body,
        intended_by=message.intended_by,
        idempotency_key=message.idempotency_key,
    )
    return Submitted(outbox_id, OutboxState.READY)


def write(tx: Tx, config: Config, **columns: Any) -> int:
    """A person's words for the outbox, which take their turn in the contact's lane; the row's id."""
    outbox_id = tx.outbox.insert(kind=MANUAL, source="operator", **columns)
    row = tx.outbox.get(outbox_id)
    assert row is not None
    follow(tx, row, config)
    return outbox_id


def outgoing(body: str, sender: str) -> str:
    """As it is stored and sent. Raises RequestError."""
    body = encoding.outgoing(body, sender)
    if not body:
        raise RequestError("empty_body", "The body is empty.", "body")
    if (length := texts.length(body)) > texts.MAX_LENGTH:
        text = "The body has {length} of at most {most} characters."
        raise RequestError("body_too_long", text, "body", length=length, most=texts.MAX_LENGTH)
    return body


def submitted(tx: Tx, message: ManualMessage, channel: Channel, body: str) -> Submitted | None:
    """What became of it where it was submitted before, by its key. Raises RequestError."""
    if message.idempotency_key is None or (known := _known(tx, message, channel, body)) is None:
        return None
    return Submitted(known.id, known.state)


def _channel(tx: Tx, message: ManualMessage) -> Channel:
    found = [each for each in tx.channels.with_address(message.sender) if message.account in (None, each.account)]
    if not found:
        meant = with_plus(message.sender)
        hint = f" Write {meant}." if meant and tx.channels.with_address(meant) else ""
        raise RequestError("unknown_channel", f"“from” is not a channel of this appliance.{hint}", "from")
    channel = only(found, "“from”", "account")
    recipient = message.recipient
    if len(recipient) > MAX_ADDRESS or not recipient.isprintable() or " " in recipient:
        raise RequestError("bad_address", "“to” is not an address; write +5511… or whatsapp:+5511….", "to")
    meant = with_plus(recipient)
    if meant and tx.contacts.at(channel.id, recipient) is None:  # who wrote to us with such an address has it
        raise RequestError("bad_address", f"“to” lacks the + before the country code; write {meant}.", "to")
    if recipient.rpartition(":")[0] != channel.address.rpartition(":")[0]:
        raise RequestError("bad_address", "“from” and “to” must be of the same kind, such as whatsapp:….", "to")
    reason = "own channel" if tx.channels.exists(recipient) else may_be_written_to(recipient)
    if reason:
        raise RequestError("not_writable", f"This address cannot be written to: {reason}.", "to")
    return channel


def _known(tx: Tx, message: ManualMessage, channel: Channel, body: str) -> OutboxMessage | None:
    key = message.idempotency_key or ""
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        raise RequestError("bad_key", f"The key must have 1 to {MAX_KEY} printable characters.", "idempotency_key")
    row = tx.outbox.by_key(key)
    told = (channel.id, message.recipient, body)
    if row is None and not tx.forgotten.knows_key(key):
        return None
    if row is not None and (row.channel_id, row.recipient, encoding.outgoing(row.body, row.sender)) == told:
        return row
    raise RequestError("key_reused", "This key was used for another message.", "idempotency_key", 409)
