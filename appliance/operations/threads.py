"""A customer's thread: what was said over time, who answers there, and whether anybody may write."""

import re
from dataclasses import dataclass

from appliance.errors import RequestError
from appliance.model import is_forgotten
from appliance.operations.hands import Hands, hands
from appliance.operations.transcript import Message, Reader, transcript
from appliance.store import Tx
from appliance.store.threads import Correspondent

_BACK = {"pt-BR": "VOLTAR", "en": "START", "es": "VOLVER"}  # whoever asked for no messages writes it to get them again
_KIND = {"": "SMS", "whatsapp": "WhatsApp"}
NO_CONVERSATION = "There is no such conversation."
MAX_ALSO = 20  # other addresses of a person


@dataclass(frozen=True, slots=True)
class Thread:
    """`id`: the newest conversation's. `address`: empty of whom was forgotten. `hands`: who answers there. `back`: the
    word that ends an opt-out. `also`: by what else the same person writes. `older`: the place from which to read on.
    """

    id: int
    contact_id: int
    name: str
    address: str
    kind: str
    channel: str
    hands: Hands
    back: str
    also: tuple[Correspondent, ...]
    messages: tuple[Message, ...]
    older: str


def thread(tx: Tx, conversation_id: int, reader: Reader, before: str = "") -> Thread:
    """The customer's whole thread, by whichever conversation: its newest part, or what is older than a place.

    Raises RequestError.
    """
    who = tx.threads.with_conversation(reader.organization_id, conversation_id)
    organization = tx.organizations.get(reader.organization_id)
    if who is None or organization is None:
        raise RequestError("not_found", NO_CONVERSATION, "id", 404)
    contact = tx.contacts.get(who.contact_id)
    assert contact is not None
    conversation = tx.conversations.get(who.id)
    assert conversation is not None
    told = transcript(tx, who, reader, before)
    kin = [each for each in tx.contacts.person(contact.id) if each != contact.id] if contact.person_id else []
    return Thread(
        id=who.id,
        contact_id=who.contact_id,
        name=who.name,
        address="" if is_forgotten(who.address) else who.address,
        kind=kind_of(who.channel),
        channel=who.channel,
        hands=hands(tx, conversation, reader.config),
        back=_BACK[organization.language],
        also=tuple(tx.threads.of_contacts(reader.organization_id, kin, MAX_ALSO)) if kin else (),
        messages=told.messages,
        older=told.older,
    )


def owner(tx: Tx, conversation_id: int) -> int:
    """The organization whose conversation it is, for whoever may see the whole box. Raises RequestError."""
    found = tx.conversations.get(conversation_id)
    if found is None:
        raise RequestError("not_found", NO_CONVERSATION, "id", 404)
    return found.organization_id


def number_in(address: str) -> str:
    """The telephone number; empty where the address is none."""
    found = re.fullmatch(r"(?:[a-z]+:)?(\+[0-9]{7,15})", address, re.ASCII)
    return found[1] if found else ""


def kind_of(address: str) -> str:
    """SMS, WhatsApp, or what else Twilio calls it."""
    prefix = address.rpartition(":")[0]
    return _KIND.get(prefix, prefix)
