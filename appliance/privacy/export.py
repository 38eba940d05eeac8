"""Everything that is held about a person in one organization: as data, and as a transcript that anybody can read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from appliance import __version__
from appliance.inbox import keywords
from appliance.inbox.keywords import Change
from appliance.model import SECOND, Contact, Organization
from appliance.printable import escaped
from appliance.privacy.request import contacts
from appliance.store import Tx

INDENT = "    "  # before what somebody wrote, so that no text passes for a line of ours


def export(tx: Tx, organization: Organization, addresses: Sequence[str]) -> dict[str, Any]:
    """Raises RequestError where nothing is held about one of the addresses."""
    found = [_of_contact(tx, organization, contact) for contact in contacts(tx, organization, addresses)]
    person = {
        "version": __version__,
        "organization": organization.name,
        "timezone": organization.timezone,
        "exported_at": tx.now,
        "times": "milliseconds UTC",
        "addresses": list(addresses),
        "contacts": found,
    }
    zone = ZoneInfo(organization.timezone)
    return {"person": person, "transcript": _transcript(organization, found, zone, tx.now)}


def _of_contact(tx: Tx, organization: Organization, contact: Contact) -> dict[str, Any]:
    whose = tx.persons.whose(contact, organization.id)
    held = tx.persons.held(whose)
    return {
        "channel": whose.channel,
        "consent": _consent(tx.contacts.as_person(contact), whose.channel, held["messages"]),
        "held": held,
    }


def _consent(contact: Contact, channel: str, messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the customer wants, and the proof: each word about it, as it was written, with its sid and its time."""
    words = []
    for message in messages:
        told = dict(message["parameters"]).get("OptOutType", "")
        if told or message["notice"] or keywords.says(message["body"], channel) != Change.NONE:
            words.append(
                {name: message[name] for name in ("sid", "received_at", "body", "notice", "suppressed")}
                | {"told_by_twilio": told}
            )
    return {
        "may_be_written_to": contact.opted_out_at is None,
        "opted_out_at": contact.opted_out_at,
        "proof": contact.opted_out_sid,
        "words": words,
    }


def _transcript(organization: Organization, found: Sequence[dict[str, Any]], zone: ZoneInfo, now: int) -> str:
    lines = [f"{escaped(organization.name)}, {_moment(now, zone)} ({organization.timezone})"]
    for each in found:
        held, consent = each["held"], each["consent"]
        row = held["contacts"][0] if held["contacts"] else {"address": "", "profile_name": ""}
        who = escaped(f"{row['address']} {row['profile_name']}".strip())
        lines += ["", f"{who} with {escaped(each['channel'])}"]
        if consent["opted_out_at"]:
            proof = escaped(str(consent["proof"]))
            lines.append(f"No messages wanted since {_moment(consent['opted_out_at'], zone)} (proof: {proof})")
        said = [(m["received_at"], "customer", m, m["media"]) for m in held["messages"]]
        said += [(o["created_at"], f"us ({o['kind']}, {o['state']})", o, []) for o in held["outbox"]]
        said += [(o["received_at"], "customer, to an unknown number", o, []) for o in held["orphaned_messages"]]
        for at, by, told, media in sorted(said, key=lambda each: each[0]):
            lines += [f"{_moment(at, zone)}  {by}:", *_words(told["body"])]
            lines += [f"{INDENT}[{escaped(f'{content_type} {url}')}]" for url, content_type in media]
    return "\n".join(lines) + "\n"


def _words(body: str) -> list[str]:
    return [INDENT + escaped(line) for line in body.split("\n")]


def _moment(at: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at / SECOND, zone).strftime("%Y-%m-%d %H:%M:%S")
