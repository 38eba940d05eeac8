"""What an operator asks about a person: who it is, to forget them, and how far that is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from appliance.config import Config
from appliance.errors import RequestError
from appliance.model import Contact, JobKind, Organization
from appliance.operations import organizations
from appliance.operations.messages import MAX_ADDRESS
from appliance.store import Tx, backup
from appliance.store.box import Fact
from appliance.store.forgotten import Forgetting
from appliance.wire import SIMULATED

NEWEST = 100  # forgettings that are shown
FEW = 10  # that a page shows


def owner(tx: Tx, addresses: Sequence[str], named: str | int | None) -> Organization:
    """The organization that is meant: the one that knows the first address. Raises RequestError."""
    if not addresses or not all(0 < len(address) <= MAX_ADDRESS for address in addresses):
        raise RequestError("bad_address", "Name the person's address: +5511… or whatsapp:+5511….", "address")
    if named is not None:
        return organizations.find(tx, named)
    knowing = tx.persons.organizations_of_the_box(addresses[0])
    if len(knowing) > 1:
        text = "Several organizations know this person; name one."
        raise RequestError("which_organization", text, "organization", 409)
    known = tx.organizations.get(knowing[0]) if knowing else None
    return known or organizations.find(tx, None)


def find(tx: Tx, address: str, named: str | int | None) -> dict[str, Any]:
    """The contacts with this address, and the addresses that look like it: nobody but a person can tell. May raise."""
    organization = owner(tx, [address], named)
    found = contacts(tx, organization, [address])
    return {
        "organization": organization.name,
        "contacts": [{"id": each.id, "address": each.address, "since": each.created_at} for each in found],
        "alike": tx.persons.alike(organization.id, [address]),
    }


def contacts(tx: Tx, organization: Organization, addresses: Sequence[str]) -> list[Contact]:
    """Who is meant. Raises RequestError where nothing is held about one of the addresses."""
    found = tx.persons.contacts(organization.id, addresses)
    for address in addresses:
        if address not in {contact.address for contact in found}:
            found.append(_who_wrote_to_nobody(tx, organization, address))
    return found


def _who_wrote_to_nobody(tx: Tx, organization: Organization, address: str) -> Contact:
    """Somebody whose only messages went to nobody's number: a contact only in name, until it is ensured."""
    channels = tx.channels.of(organization.id)
    if not channels or not tx.persons.wrote_to_nobody(address, organization.id):
        raise RequestError("unknown_person", "Nothing is held about this address.", "address", 404)
    return Contact(0, channels[0].id, address)


def forget(
    tx: Tx, organization: Organization, addresses: Sequence[str], by: str, config: Config, *, at_twilio: bool
) -> list[Forgetting]:
    """From now on nothing is said to the person; the job does the rest. Asking again changes nothing; what
    is waited for is looked at now.

    The demo's Twilio is a file on this box: what is forgotten there is forgotten in it.
    """
    simulated = {account.name for account in config.accounts if account.account_sid == SIMULATED}
    found = []
    for contact in contacts(tx, organization, addresses):
        known = contact if contact.id else tx.contacts.ensure(contact.channel_id, contact.address)
        at = known.forget_at or tx.now
        tx.contacts.forget(known.id, at)
        tx.persons.let_go(known, organization.id)
        copies = at_twilio or tx.persons.whose(known, organization.id).account in simulated
        found.append(tx.forgotten.begin(known, organization.id, by, at, at_twilio=copies))
    tx.jobs.hurry(JobKind.FORGET)
    return found


def page(tx: Tx, ids: Sequence[int]) -> tuple[list[dict[str, Any]], int]:
    """The forgettings with these ids, or the newest of the box: how far each is. And when the next backup is due."""
    found = [tx.forgotten.get(each) for each in ids] if ids else tx.forgotten.newest_of_the_box(NEWEST)
    next_at = (tx.box.number(Fact.BACKUP_AT) or tx.now) + backup.EVERY
    return [_told(tx, each) for each in found if each is not None], next_at


def of(tx: Tx, organization: Organization) -> list[dict[str, Any]]:
    """The organization's newest forgettings."""
    return [_told(tx, each) for each in tx.forgotten.newest(organization.id, FEW)]


def _told(tx: Tx, forgetting: Forgetting) -> dict[str, Any]:
    names = (
        "id",
        "state",
        "requested_at",
        "requested_by",
        "erased_at",
        "finished_at",
        "report",
        "waits_for",
        "waits_since",
    )
    left = tx.forgotten.count_copies(forgetting.id)
    told = {name: getattr(forgetting, name) for name in names}
    return told | {
        "organization": forgetting.organization_id,
        "at_twilio": bool(forgetting.at_twilio),
        "left_at_twilio": left,
    }


def with_copies(told: list[dict[str, Any]], directory: Path, next_at: int) -> list[dict[str, Any]]:
    """And which files still know the person. Blocking."""
    every = backup.copies(directory, next_at)
    return [
        each | {"copies": [copy for copy in every if each["erased_at"] is None or copy.taken_at <= each["erased_at"]]}
        for each in told
    ]
