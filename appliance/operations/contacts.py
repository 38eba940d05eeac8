"""What an operator says of customers: that two addresses are one person, or that they are not."""

from collections.abc import Iterator
from typing import Any

from appliance.errors import RequestError
from appliance.model import Contact, Organization
from appliance.people import identity
from appliance.store import Tx
from appliance.store.links import BY_HAND


def page(tx: Tx, organization: Organization, address: str) -> list[dict[str, Any]]:
    """The contacts of whoever has this address: id, address, channel, and what says that they are one person. Raises
    RequestError.
    """
    named = _named(tx, organization, address, "address")
    return [_told(tx, each) for each in sorted({each for one in named for each in tx.contacts.person(one.id)})]


def _told(tx: Tx, contact_id: int) -> dict[str, Any]:
    contact = tx.contacts.get(contact_id)
    assert contact is not None
    channel = tx.channels.get(contact.channel_id)
    assert channel is not None
    links = []
    for link in tx.links.of(contact_id):
        other = tx.contacts.get(link.other_id if link.contact_id == contact_id else link.contact_id)
        assert other is not None
        links.append({"with": other.id, "address": other.address, "evidence": link.evidence, "at": link.linked_at})
    return {"id": contact.id, "address": contact.address, "channel": channel.address, "links": links}


def link(tx: Tx, organization: Organization, one: str, other: str) -> int:
    """The two are one person, on each channel that both wrote to; else all they have. How many pairs are new. Raises
    RequestError.
    """
    pairs = list(_pairs(tx, organization, one, other))
    joined = sum(identity.join(tx, first.id, second.id, BY_HAND) for first, second in pairs)
    if not joined:
        raise RequestError("linked", "These two addresses are linked already.", "other", 409)
    return joined


def unlink(tx: Tx, organization: Organization, one: str, other: str, by: str) -> int:
    """They are two people after all; how many links are undone. What Twilio tells does not join them again. Raises
    RequestError.
    """
    pairs = [(a, b) for a in _named(tx, organization, one, "address") for b in _named(tx, organization, other, "other")]
    found = [each for a, b in pairs for each in tx.links.ever(a.id, b.id) if each.undone_at is None]
    if not found:
        through = any(b.id in tx.contacts.person(a.id) for a, b in pairs)
        why = "They are one person by other addresses; see: contacts list." if through else "They are not linked."
        raise RequestError("not_linked", why, "other", 409)
    if any(tx.outbox.is_unsettled_to(contact.id) for pair in pairs for contact in pair):
        why = "Nobody knows yet whether a message to them was sent, and Twilio's log is read for both: try again later."
        raise RequestError("in_doubt", why, "other", 409)
    for each in found:
        tx.links.undo(each, by)
    return len(found)


def _named(tx: Tx, organization: Organization, address: str, field: str) -> list[Contact]:
    """An organization's contacts with an address, one for each channel that it wrote to."""
    found = tx.contacts.with_address(organization.id, address)
    if not found:
        raise RequestError("unknown_contact", f"Nobody with this {field} has written yet.", field, 404)
    return found


def _pairs(tx: Tx, organization: Organization, one: str, other: str) -> Iterator[tuple[Contact, Contact]]:
    if one == other:
        raise RequestError("same_address", "Name two addresses.", "other")
    ones, others = _named(tx, organization, one, "address"), _named(tx, organization, other, "other")
    every = [(first, second) for first in ones for second in others]
    yield from [pair for pair in every if pair[0].channel_id == pair[1].channel_id] or every
