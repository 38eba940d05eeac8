"""In whose hands a customer is, and taking over, writing by hand, giving back: for the pages, the API and commands."""

from dataclasses import dataclass
from typing import Literal

from appliance.config import Config
from appliance.errors import RequestError
from appliance.handover import charge
from appliance.model import FORGETTING, MANUAL, Contact, Conversation, Handover, Held, OutboxState, may_be_written_to
from appliance.operations import conversations, messages
from appliance.operations.messages import ManualMessage, Submitted
from appliance.outbox.permission import WHATSAPP, WHATSAPP_WINDOW, Refusal, refusal
from appliance.store import Tx
from appliance.store.handovers import HandoverEvent

Whose = Literal["appliance", "promised", "asked", "taken"]
_WHOSE: dict[Handover | None, Whose] = {
    None: "appliance",
    Handover.UNKNOWN: "promised",
    Handover.ASKED: "asked",
    Handover.TAKEN: "taken",
}
CHANNEL_REMOVED = "The number that this person wrote to was removed here."
NOT_WRITABLE = "Nobody can be written to at this address."
_WORDS = {  # msgids of the pages
    FORGETTING: "This person is being forgotten: nothing is sent any more.",
    "opted out": "This person asked for no more messages: nothing is sent, also not by hand, until they want it.",
    "window closed": "WhatsApp allows a free message only within 24 hours of the person's last one.",
    "paused": "Answers are paused here. Resume first, or answer by hand.",
    Held.IN_CHARGE: "A person answers here. Give the conversation back first, or answer by hand.",
}


@dataclass(frozen=True, slots=True)
class Shut:
    """Why nobody may write to a customer now. `code`: for programs; `message`: English, to be translated."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person writes by hand. `key`: names the intent, so that twice is once; `who`: as in store.handovers."""

    body: str
    key: str | None
    who: str


@dataclass(frozen=True, slots=True)
class Hands:
    """Who answers a customer. Times are ms UTC.

    `whose`: "promised" is the appliance's still, but for what it does not know. `since`: of the request, of taking over
    or of the person's last word; `by`: whose hands, as in store.handovers, empty where nobody took it. `silent_until`:
    the appliance says nothing before. `asked_back_at`: somebody wants it back and Twilio's log is read first. `shut`:
    why nobody may write; `open_until`: when WhatsApp shuts, None where it does not.
    """

    whose: Whose
    since: int | None
    by: str
    silent_until: int | None
    asked_back_at: int | None
    shut: Shut | None
    open_until: int | None

    @property
    def is_silent(self) -> bool:
        """The appliance says nothing at all."""
        return self.whose in ("asked", "taken")


def hands(tx: Tx, conversation: Conversation, config: Config) -> Hands:
    contact = tx.contacts.get(conversation.contact_id)
    assert contact is not None
    person = tx.contacts.as_person(contact)
    channel = tx.channels.get(contact.channel_id)
    assert channel is not None
    open_until = None
    if channel.address.startswith(WHATSAPP) and person.last_inbound_at is not None:
        open_until = person.last_inbound_at + WHATSAPP_WINDOW
    until = None
    if contact.is_with_a_person and contact.handover_at is not None:
        until = contact.handover_at + config.conversations.human_for
    return Hands(
        whose=_WHOSE[contact.handover],
        since=contact.handover_at,
        by=contact.handover_by,
        silent_until=until,
        asked_back_at=contact.resume_at,
        shut=shut(tx, contact),
        open_until=open_until,
    )


def shut(tx: Tx, contact: Contact) -> Shut | None:
    """The checks of the moment of sending, now, while somebody is there to read the reason."""
    channel = tx.channels.get(contact.channel_id)
    assert channel is not None
    if not tx.channels.is_in_use(channel.id):
        return Shut("channel_removed", CHANNEL_REMOVED)
    if tx.channels.exists(contact.address) or may_be_written_to(contact.address):
        return Shut("not_writable", NOT_WRITABLE)
    found = refusal(MANUAL, channel.address, tx.contacts.as_person(contact), tx.now)
    return None if found is None else told(found)


def told(found: Refusal) -> Shut:
    """What forbids a message, in words."""
    return Shut(found.reason.replace(" ", "_"), _WORDS[found.reason])


def events(tx: Tx, contact_id: int, since: int, limit: int, until: int | None = None) -> list[HandoverEvent]:
    """What happened from a time to another, or until now (ms UTC), oldest first; of more than the limit the newest."""
    return tx.handovers.of(contact_id, since, tx.now if until is None else until, limit)


def take(tx: Tx, owner: int | None, named: str, who: str) -> Conversation:
    """The appliance is silent from now on, and whoever waits goes on waiting for a person's word. Raises RequestError.

    `owner`, `named`: as in conversations.find.
    """
    conversation = conversations.find(tx, owner, named)
    contact = tx.contacts.get(conversation.contact_id)
    assert contact is not None
    if contact.forget_at is not None:
        raise RequestError("being_forgotten", _WORDS[FORGETTING], "conversation", 409)
    charge.take(tx, contact, who)
    return conversation


def reply(tx: Tx, owner: int | None, named: str, reply: Reply, config: Config) -> Submitted:
    """Whoever writes by hand takes over with it; the words take their turn in the outbox. Raises RequestError."""
    conversation = conversations.find(tx, owner, named)
    contact, channel = tx.contacts.get(conversation.contact_id), tx.channels.get(conversation.channel_id)
    assert contact is not None and channel is not None
    body = messages.outgoing(reply.body.replace("\r\n", "\n").strip(), channel.address)
    message = ManualMessage(channel.address, contact.address, body, reply.key, reply.who)
    if known := messages.submitted(tx, message, channel, body):
        return known
    if closed := shut(tx, contact):
        raise RequestError(closed.code, closed.message, "body", 409)
    charge.take(tx, contact, reply.who)
    current = tx.conversations.open_with(conversation.session_key) or conversation
    outbox_id = messages.write(
        tx,
        config,
        organization_id=channel.organization_id,
        channel_id=channel.id,
        contact_id=contact.id,
        conversation_id=current.id,
        body=body,
        intended_by=reply.who,
        idempotency_key=reply.key,
    )
    return Submitted(outbox_id, OutboxState.READY)
