"""Organizations, their users and their channels, as an operator sees and names them."""

from typing import Any

from appliance.errors import RequestError
from appliance.model import Organization
from appliance.store import Tx

MOST = 1_000


def page(tx: Tx) -> list[dict[str, Any]]:
    return [
        {
            "id": organization.id,
            "name": organization.name,
            "language": organization.language,
            "timezone": organization.timezone,
            "users": tx.organizations.users(organization.id),
            "channels": [channel.address for channel in tx.channels.of(organization.id)],
        }
        for organization in tx.organizations.page(limit=MOST)
    ]


def channels(tx: Tx) -> list[dict[str, Any]]:
    names = {organization.id: organization.name for organization in tx.organizations.page(limit=MOST)}
    return [
        {"id": channel.id, "address": channel.address, "organization": names[channel.organization_id]}
        for channel in tx.channels.page(limit=MOST)
    ]


def find(tx: Tx, reference: str | int | None) -> Organization:
    """By name or id; nothing need be said where there is exactly one. Raises RequestError."""
    if reference is None:
        return _only(tx)
    text = str(reference)
    found = tx.organizations.named(text)
    if found is None and text.isascii() and text.isdigit() and len(text) < 18:
        found = tx.organizations.get(int(text))
    if found is None:
        raise RequestError("unknown_organization", "There is no such organization.", "organization", 404)
    return found


def _only(tx: Tx) -> Organization:
    found = tx.organizations.page(limit=2)
    if len(found) == 1:
        return found[0]
    if not found:
        raise RequestError("no_organization", "There is no organization yet; register one.", "organization", 404)
    raise RequestError("which_organization", "There are several organizations; name one.", "organization")
