"""What an operator does with a conversation: it is the appliance's again, or nobody's for a while."""

from dataclasses import dataclass
from typing import Literal

from appliance.errors import RequestError
from appliance.model import Conversation, JobKind
from appliance.operations import pauses
from appliance.operations.pauses import Pause
from appliance.store import Tx
from appliance.store.handovers import Change

MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Resumed:
    """`state`: who answers the customer now; "waiting" is for Twilio's log, which is read first, "paused" for the end
    of a pause of the organization or the box.
    """

    id: int
    state: Literal["automatic", "waiting", "paused"]


def resume(tx: Tx, owner: int | None, named: str, who: str) -> Resumed:
    """Ask for it, and end the customer's own pause; where it is the appliance's already nothing happens. Raises
    RequestError. See `find`.

    `who`: asks, as in store.handovers.
    """
    conversation = find(tx, owner, named)
    contact = tx.contacts.get(conversation.contact_id)
    assert contact is not None
    pauses.resume(tx, conversation.organization_id, contact)
    if contact.handover is None:
        is_held = pauses.in_force(tx, conversation.organization_id) is not None
        return Resumed(conversation.id, "paused" if is_held else "automatic")
    if contact.resume_at is None:
        tx.handovers.note(contact.id, Change.ASKED_BACK, who)
    tx.contacts.ask_back(contact.id)
    tx.jobs.tick(JobKind.HAND_BACK)
    return Resumed(conversation.id, "waiting")


def pause(tx: Tx, conversation: Conversation, until: str | int | None, by: str) -> Pause:
    """No automatic answer to this customer, by whichever address on the channel. Raises RequestError."""
    contact = tx.contacts.get(conversation.contact_id)
    assert contact is not None
    return pauses.pause(tx, conversation.organization_id, until, by, contact)


def find(tx: Tx, owner: int | None, named: str) -> Conversation:
    """By its id, or by its customer's address. `owner`: the organization whose it must be; None: anyone's. Raises
    RequestError.
    """
    conversation = _conversation(tx, owner, named)
    if conversation is None:
        raise RequestError("not_found", "There is no such conversation.", "conversation", 404)
    return conversation


def _conversation(tx: Tx, owner: int | None, named: str) -> Conversation | None:
    if named.isascii() and named.isdigit():
        by_id = tx.conversations.get(int(named)) if len(named) <= MAX_DIGITS else None
        return by_id if by_id and owner in (None, by_id.organization_id) else None
    written = tx.contacts.with_address(owner, named)
    away = [contact for contact in written if contact.handover is not None or pauses.of_contact(tx, contact)]
    newest = [tx.conversations.newest(contact.id) for contact in away or written[-1:]]
    found = [conversation for conversation in newest if conversation is not None]
    if len(found) > 1:
        ids = ", ".join(str(conversation.id) for conversation in found)
        text = f"This customer is with a person, or paused, in several conversations; name one: {ids}."
        raise RequestError("which_conversation", text, "conversation", 409)
    return found[0] if found else None
