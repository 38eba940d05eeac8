"""Organizations, their users and their channels: registered all or nothing, and as an operator sees and names them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.errors import RequestError
from appliance.model import MAIN, Organization
from appliance.store import Tx, cards
from appliance.store.cards import CardKind

MOST = 1_000
LANGUAGES = ("pt-BR", "en", "es")
# A number without its + would be another address than the one that Twilio writes in To; an RCS agent has any name.
_ADDRESS = re.compile(
    r"(?:whatsapp:)?\+[0-9]{7,15}|[0-9]{3,8}|(?:rcs:|(?!whatsapp:)[a-z]+:(?=.*[0-9]))[A-Za-z0-9+._-]{3,200}", re.ASCII
)
_EXAMPLES = "+ and the number with its country code (+5511…, whatsapp:+5511…), or a short code of 3 to 8 digits"
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


@dataclass(frozen=True, slots=True)
class Registration:
    name: str
    channels: Sequence[str]
    user: str
    language: str = "pt-BR"
    timezone: str = "America/Sao_Paulo"
    password_hash: str | None = None
    instructions: str = ""
    contact: str = ""
    account: str = MAIN  # at Twilio, of all its channels


def register_organization(tx: Tx, registration: Registration) -> int:
    """The new organization's id. Raises RequestError; the unit of work then stores nothing of it."""
    check_name(tx, registration.name)
    check_language(registration.language)
    if not EMAIL.fullmatch(registration.user):
        raise RequestError("bad_user", "The user must be an e-mail address.", "user")
    if not registration.channels:
        raise RequestError("no_channel", "At least one channel is needed.", "channels")
    check_timezone(registration.timezone)
    organization_id = tx.organizations.insert(
        registration.name,
        registration.language,
        registration.timezone,
        registration.instructions,
        registration.contact,
    )
    for address in registration.channels:
        add_channel(tx, organization_id, address, registration.account)
    if tx.users.named(registration.user):
        raise RequestError("taken", f"There is a user {registration.user} already.", "user", 409)
    tx.users.add(organization_id, registration.user, registration.password_hash)
    return organization_id


def check_name(tx: Tx, name: str, but: int | None = None) -> None:
    """Whether an organization, a new one or the one with this id, may have the name. Raises RequestError."""
    if not 1 <= len(name.strip()) <= 100 or not name.isprintable():
        raise RequestError("bad_name", "The name must have 1 to 100 printable characters.", "name")
    found = tx.organizations.named(name)
    if found and found.id != but:
        raise RequestError("taken", "There is an organization named {name} already.", "name", 409, name=repr(name))


def check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise RequestError("bad_language", "The language must be one of {all}.", "language", all=", ".join(LANGUAGES))


def check_timezone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RequestError("bad_timezone", "{zone} is not a time zone.", "timezone", zone=repr(timezone)) from None


def add_channel(tx: Tx, organization_id: int, address: str, account: str = MAIN) -> int:
    """The new channel's id: a number of an account of ours at Twilio, as Twilio writes it in To."""
    if not _ADDRESS.fullmatch(address):
        raise RequestError("bad_address", f"{address!r} is not an address; write {_EXAMPLES}.", "channel")
    if tx.channels.exists(address, account):
        raise RequestError("taken", f"The channel {address} belongs to an organization already.", "channel", 409)
    tx.cards.close(CardKind.ORPHAN, cards.number(account, address))
    removed = tx.channels.removed(account, address)
    if removed is None:
        return tx.channels.insert(organization_id, address, account)
    if removed.organization_id != organization_id:
        owner = tx.organizations.get(removed.organization_id)
        text = f"{address} was a channel of {owner.name if owner else '?'}, which keeps its messages; add it there."
        raise RequestError("taken", text, "channel", 409)
    tx.channels.bring_back(removed.id)
    return removed.id


def page(tx: Tx) -> list[dict[str, Any]]:
    return [
        {
            "id": organization.id,
            "name": organization.name,
            "language": organization.language,
            "timezone": organization.timezone,
            "users": [user.email for user in tx.users.of(organization.id)],
            "channels": [channel.address for channel in tx.channels.of(organization.id)],
        }
        for organization in tx.organizations.page_of_the_box(limit=MOST)
    ]


def channels(tx: Tx) -> list[dict[str, Any]]:
    names = {organization.id: organization.name for organization in tx.organizations.page_of_the_box(limit=MOST)}
    return [
        {"id": channel.id, "address": channel.address, "account": channel.account}
        | {"organization": names[channel.organization_id]}
        for channel in tx.channels.in_use(MOST)
    ]


def whose(tx: Tx, reference: str | int | None) -> int | None:
    """The id of the organization that is named; None, all of the box, where none is. Raises RequestError."""
    return None if reference is None else find(tx, reference).id


def find(tx: Tx, reference: str | int | None) -> Organization:
    """By name or id; nothing need be said where there is exactly one. Raises RequestError."""
    if reference is None:
        some = tx.organizations.page_of_the_box(limit=2)
        if len(some) == 1:
            return some[0]
        if not some:
            raise RequestError("no_organization", "There is no organization yet; register one.", "organization", 404)
        raise RequestError("which_organization", "There are several organizations; name one.", "organization")
    text = str(reference)
    found = tx.organizations.named(text)
    if found is None and text.isascii() and text.isdigit() and len(text) < 18:
        found = tx.organizations.get(int(text))
    if found is None:
        raise RequestError("unknown_organization", "There is no such organization.", "organization", 404)
    return found
