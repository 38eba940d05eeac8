"""Everything that is held about a person in one organization: as data, and as a transcript that anybody can read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance import __version__
from appliance.inbox import keywords
from appliance.inbox.keywords import Change
from appliance.model import SECOND, Contact, Organization
from appliance.printable import escaped
from appliance.privacy.request import contacts
from appliance.store import Tx
from appliance.store.personal import OF_CUSTOMERS

INDENT = "    "  # before what somebody wrote, so that no text passes for a line of ours
_json = msgspec.json.Encoder()


@dataclass(slots=True)
class _OfContact:
    """What is held about one contact. `held`: tables and their rows, as JSON; `said`: what the transcript shows."""

    channel: str
    held: bytearray
    who: str = ""
    words: list[dict[str, Any]] = field(default_factory=list)  # about consent
    said: list[tuple[int, str]] = field(default_factory=list)


def export(tx: Tx, organization: Organization, addresses: Sequence[str]) -> list[bytes | bytearray]:
    """As JSON, in parts that belong together. Raises RequestError where nothing is held about one of the addresses.

    Made row by row: one step over all that a customer of years has would keep everybody else waiting, also in a thread.
    """
    zone = ZoneInfo(organization.timezone)
    head = {
        "version": __version__,
        "organization": organization.name,
        "timezone": organization.timezone,
        "exported_at": tx.now,
        "times": "milliseconds UTC",
        "addresses": list(addresses),
    }
    parts: list[bytes | bytearray] = [b'{"person":' + _json.encode(head)[:-1] + b',"contacts":[']
    transcript = bytearray(b']},"transcript":"')
    _write(transcript, f"{escaped(organization.name)}, {_moment(tx.now, zone)} ({organization.timezone})")
    for number, contact in enumerate(contacts(tx, organization, addresses)):
        found = _of_contact(tx, organization, contact, zone)
        consent = _consent(tx.contacts.as_person(contact), found.words)
        told = _json.encode({"channel": found.channel, "consent": consent})
        parts += [b"," * (number > 0) + told[:-1] + b',"held":{', found.held, b"}}"]
        _transcribe(transcript, found, consent, zone)
    return [*parts, transcript, b'"}']


def _of_contact(tx: Tx, organization: Organization, contact: Contact, zone: ZoneInfo) -> _OfContact:
    whose = tx.persons.whose(contact, organization.id)
    found = _OfContact(whose.channel, bytearray())
    for name in OF_CUSTOMERS:
        found.held += b"," * bool(found.held) + _json.encode(name) + b":["
        start = len(found.held)
        for row in tx.persons.held(name, whose):
            found.held += b"," * (len(found.held) > start)
            found.held += _json.encode(row)
            _heed(found, name, row, zone)
        found.held += b"]"
    return found


def _heed(found: _OfContact, name: str, row: Mapping[str, Any], zone: ZoneInfo) -> None:
    """What a row adds to the rest: the proof of consent, the transcript, who it is."""
    match name:
        case "messages":
            told = dict(row["parameters"]).get("OptOutType", "")
            if told or row["notice"] or keywords.says(row["body"], found.channel) != Change.NONE:
                proof = {name: row[name] for name in ("sid", "received_at", "body", "notice", "suppressed")}
                found.words.append(proof | {"told_by_twilio": told})
            said = row["received_at"], "customer", row["media"]
        case "outbox":
            said = row["created_at"], f"us ({row['kind']}, {row['state']})", []
        case "orphaned_messages":
            said = row["received_at"], "customer, to an unknown number", []
        case "contacts":
            found.who = f"{row['address']} {row['profile_name']}".strip()
            return
        case _:
            return
    at, by, media = said
    lines = [f"{_moment(at, zone)}  {by}:", *_words(row["body"])]
    lines += [f"{INDENT}[{escaped(f'{content_type} {url}')}]" for url, content_type in media]
    found.said.append((at, "\n".join(lines)))


def _consent(contact: Contact, words: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the customer wants, and the proof: each word about it, as it was written, with its sid and its time."""
    return {
        "may_be_written_to": contact.opted_out_at is None,
        "opted_out_at": contact.opted_out_at,
        "proof": contact.opted_out_sid,
        "words": words,
    }


def _transcribe(transcript: bytearray, found: _OfContact, consent: Mapping[str, Any], zone: ZoneInfo) -> None:
    _write(transcript, f"\n{escaped(found.who)} with {escaped(found.channel)}")
    if consent["opted_out_at"]:
        proof = escaped(str(consent["proof"]))
        _write(transcript, f"No messages wanted since {_moment(consent['opted_out_at'], zone)} (proof: {proof})")
    found.said.sort(key=itemgetter(0))
    for _, text in found.said:
        _write(transcript, text)


def _write(transcript: bytearray, text: str) -> None:
    """Add lines to what is the inside of a JSON string."""
    transcript += _json.encode(f"{text}\n")[1:-1]


def _words(body: str) -> list[str]:
    return [INDENT + escaped(line) for line in body.split("\n")]


def _moment(at: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at / SECOND, zone).strftime("%Y-%m-%d %H:%M:%S")
