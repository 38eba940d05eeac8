"""What an operator does with a conversation: it is the appliance's again."""

from dataclasses import dataclass
from typing import Literal

from appliance.errors import RequestError
from appliance.model import Conversation, JobKind
from appliance.store import Tx
from appliance.store.handovers import Change

MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Resumed:
    """`state`: who answers the customer now; "waiting" is for Twilio's log, which is read first."""

    id: int
    state: Literal["automatic", "waiting"]


def resume(tx: Tx, owner: int | None, named: str, who: str) -> Resumed:
    """Ask for it; where it is the appliance's already nothing happens. Raises RequestError. See `find`.

    `who`: asks, as in store.handovers.
    """
    conversation = find(tx, owner, named)
    contact = tx.contacts.get(conversation.contact_id)
    assert contact is not None
    if contact.handover is None:
        return Resumed(conversation.id, "automatic")
    if contact.resume_at is None:
        tx.handovers.note(contact.id, Change.ASKED_BACK, who)
    tx.contacts.ask_back(contact.id)
    tx.jobs.tick(JobKind.HAND_BACK)
    return Resumed(conversation.id, "waiting")


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
    away = [contact for contact in written if contact.handover is not None]
    newest = [tx.conversations.newest(contact.id) for contact in away or written[-1:]]
    found = [conversation for conversation in newest if conversation is not None]
    if len(found) > 1:
        ids = ", ".join(str(conversation.id) for conversation in found)
        text = f"This customer is with a person in several conversations; name one: {ids}."
        raise RequestError("which_conversation", text, "conversation", 409)
    return found[0] if found else None
