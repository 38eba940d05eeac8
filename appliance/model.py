"""The product's words as plain values: addresses, messages, conversations, jobs, the outbox. No I/O.

Times are milliseconds UTC. Addresses are opaque, never taken apart (Twilio docs, "Key concepts for WhatsApp").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NewType

from appliance.wire import Media

_SHORT_CODE = re.compile(r"\+?[0-9]{3,6}")
_PHONE = re.compile(r"\+?[0-9]{7,15}")

Language = Literal["pt-BR", "en", "es"]
Week = tuple[tuple[tuple[str, str], ...], ...]  # opening hours from Monday on, each day's from and to; (): no hours set
MAIN = "main"  # the account at Twilio that the section [twilio] itself names, and the only one of older databases
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


class ConversationStatus(StrEnum):
    PENDING = "pending"  # a customer wrote, nothing was sent yet
    PROGRESS = "progress"  # we answered and may be asked again
    IDLE = "idle"  # quiet for conversations.idle_after
    HUMAN = "human"  # a person is in charge; no automatic text (Contact.handover says since when)
    CLOSED = "closed"  # the next message opens a new one


class Handover(StrEnum):
    """Why a customer is in a person's hands."""

    ASKED = "asked"  # for a person
    TAKEN = "taken"  # a person answered
    UNKNOWN = "unknown"  # the FAQ did not know and promised a person; what it knows it goes on answering

    @property
    def is_silent(self) -> bool:
        return self is not Handover.UNKNOWN


class Held(StrEnum):
    """Why a message waits for a person (`messages.suppressed`), until the customer is handed back."""

    IN_CHARGE = "a person is in charge"
    PROMISED = "promised"


class JobKind(StrEnum):
    REPLY = "process_ai_response"
    SEND = "send_reply"
    IDLE = "process_idle_conversations"
    EXPIRED = "process_expired_conversations"
    HOUSEKEEPING = "housekeeping"
    SETTLE = "settle_doubt"
    CATCH_UP = "catch_up"
    FOLLOW_UP = "follow_up"
    HAND_BACK = "hand_back"
    BACKUP = "backup"
    FORGET = "forget"
    ALERT = "alert"
    STATEMENT = "statement"


class JobStatus(StrEnum):
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    DISCARDED = "discarded"


class OutboxState(StrEnum):
    READY = "ready"  # written, not yet attempted
    SENDING = "sending"  # committed before the POST
    DOUBT = "doubt"  # the POST's outcome is unknown
    SENT = "sent"  # Twilio gave it a sid
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"  # refused, or reported failed or undelivered
    PARKED = "parked"  # waits for a person's decision
    SUPERSEDED = "superseded"  # a newer message made the draft stale
    SUPPRESSED = "suppressed"  # a check at send time forbade it


class Disposition(StrEnum):
    """What became of a received message; each has exactly one."""

    ANSWERED = "answered"
    APOLOGISED = "apologised"
    SUPPRESSED = "suppressed"
    DEAD = "dead"
    LIVE = "live"


class TextKey(StrEnum):  # the texts customers read that no responder wrote
    UNAVAILABLE = "unavailable"
    MENU = "menu"
    DONT_KNOW = "dont_know"
    GREETING = "greeting"
    HANDOFF = "handoff"
    MEDIA_UNSUPPORTED = "media_unsupported"
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    OPTED_OUT_REMINDER = "opted_out_reminder"
    LATE = "late"
    AWAY = "away"


Resource = NewType("Resource", str)  # what a job needs from outside; what is not made here is a type error
NOTHING = Resource("")  # of ticks: all that is not a conversation's


def ai_resource(organization_id: int, account: str = MAIN) -> Resource:
    """The model as one organization uses it, so that it takes turns with the others. Older files say `ai`. `account`:
    at Twilio, to which the answer goes; a restoration may be over for one and not yet for another.
    """
    return Resource(f"ai:{organization_id}{_at(account)}")


def channel_resource(channel_id: int, account: str = MAIN) -> Resource:
    return Resource(f"channel:{channel_id}{_at(account)}")


def _at(account: str) -> str:
    """Nothing for the only account of older files."""
    return "" if account == MAIN else f"@{account}"


def account_of(resource: Resource) -> str:
    """The account at Twilio that a resource belongs to."""
    return resource.partition("@")[2] or MAIN


ANSWER = "answer"  # outbox.kind of a responder's own words; the other kinds are TextKey values and MANUAL
ANSWERED_ELSEWHERE = "answered elsewhere"  # messages.suppressed: by a person, or by another box
MANUAL = "manual"  # outbox.kind of what an operator or a script sends
FORGOTTEN = "forgotten:"  # stands, with a row's id, where an address or a sid of a forgotten customer stood
FORGETTING = "being forgotten"  # messages.suppressed: written after the wish; a new customer's when it is done
LET_GO = "forgotten"  # messages.suppressed and outbox.reason: the customer is to be forgotten


@dataclass(frozen=True, slots=True)
class Organization:
    id: int
    name: str
    language: Language
    timezone: str
    instructions: str = ""  # what the model is told about the business
    contact: str = ""  # a person's phone or address, told to customers when the AI is unavailable
    hours: Week = ()
    texts: Mapping[str, str] = field(default_factory=dict)  # its own wording of fixed texts, in its language, by key


@dataclass(frozen=True, slots=True)
class Channel:
    id: int
    organization_id: int
    address: str
    account: str = MAIN  # at Twilio, by its name in the configuration


@dataclass(frozen=True, slots=True)
class Contact:
    id: int
    channel_id: int
    address: str
    opted_out_at: int | None = None
    opted_out_sid: str | None = None
    last_inbound_at: int | None = None
    reminded_at: int | None = None
    paused_until: int | None = None
    handover: Handover | None = None
    handover_at: int | None = None  # the request for a person, or when a person took it or last spoke
    handover_by: str = ""  # that person: see store.handovers; empty: not known, or nobody yet
    spoke_at: int | None = None  # a person's last word
    due_at: int | None = None  # when the person was promised, where that was told while the organization was closed
    resume_at: int | None = None  # somebody wants the appliance to answer again
    created_at: int = 0
    forget_at: int | None = None  # somebody wants the contact forgotten; nothing is said to it any more
    opted_in_at: int | None = None  # the last return, which other addresses' earlier opt-outs do not outlive
    person_id: int | None = None  # of all contacts that are the same person; None: it has no other address

    @property
    def is_with_a_person(self) -> bool:
        """No automatic text at all."""
        return self.handover is not None and self.handover.is_silent


@dataclass(frozen=True, slots=True)
class Conversation:
    id: int
    organization_id: int
    channel_id: int
    contact_id: int
    session_key: str
    status: ConversationStatus
    version: int
    created_at: int
    updated_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """An inbound message as stored."""

    id: int
    sid: str
    conversation_id: int
    body: str
    media: tuple[Media, ...]
    message_type: str
    notice: str | None  # the text key that consent rules chose for it at intake
    received_at: int
    source: str  # 'webhook' or 'catch_up'
    handed_back: Handover | None = None  # the hand-over in which it had waited for a person


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: JobKind
    lane: str | None
    resource: Resource
    payload: dict[str, Any]
    attempts: int
    crashes: int
    run: int
    run_at: int
    created_at: int
    deadline_at: int | None
    message_sid: str | None = None  # of the message that it was made for


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One reply, which is one Twilio message of at most 1,600 characters."""

    id: int
    organization_id: int
    channel_id: int
    contact_id: int
    conversation_id: int | None
    kind: str
    body: str
    state: OutboxState
    attempt: int
    created_at: int
    sent_at: int | None = None  # when we learned its sid
    absent_at: int | None = None  # when the first complete read after its last attempt lacked it
    sid: str | None = None
    status: str = ""  # Twilio's last word for it
    sender: str = ""
    recipient: str = ""
    account: str = MAIN  # of its channel
    person_id: int | None = None  # of its contact
    source: str = ""  # where its words come from: see ports.Reply
    seen: int | None = None  # the person's newest message that its writer knew
    intended_by: str = ""  # a manual message's writer


@dataclass(frozen=True, slots=True)
class Topic:
    """One heading of the organization's knowledge. `aliases`: what customers call it; they are never shown them."""

    id: int
    title: str
    body: str
    aliases: tuple[str, ...] = ()


def is_forgotten(address: str) -> bool:
    return address.startswith(FORGOTTEN)


def masked(address: str) -> str:
    """An address as it may stand in a log or on a card: its kind and its last four characters."""
    kind, separator, rest = address.rpartition(":")
    return f"{kind}{separator}…{rest[-4:]}" if len(rest) > 6 else f"{kind}{separator}{rest}"


def may_be_written_to(address: str) -> str | None:
    """Why no automatic text may go to this address, or None. Addresses with a channel prefix are opaque."""
    prefix, separator, rest = address.rpartition(":")
    if _SHORT_CODE.fullmatch(rest) and prefix in ("", "whatsapp"):
        return "short code"
    return None if (separator and prefix and rest) or _PHONE.fullmatch(address) else "alphanumeric sender"
