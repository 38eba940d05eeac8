"""The books of a box against Twilio's ledger, when all has come to its end: who was lost, answered twice or overtaken.

`asked`: each question's sid, and its number, where it has one.
"""

import json
from collections import Counter
from collections.abc import Mapping

from appliance.simulator import Entry
from tests.lab.trouble import NUMBER, Shop


def _said(shop: Shop) -> dict[str, Entry]:
    """What Twilio accepted of ours, oldest first."""
    return {entry.sid: entry for entry in shop.twilio.ledger if entry.direction == "outbound-api"}


def lost(shop: Shop, asked: Mapping[str, str]) -> list[str]:
    """Each question is answered in Twilio's ledger as our books say, or they say that the owner has a card."""
    said = _said(shop)
    fates = {
        sid: (disposition, reply)
        for sid, disposition, reply in shop.rows(
            "SELECT d.sid, d.disposition, o.sid FROM dispositions d LEFT JOIN outbox o ON o.id = d.reply_id"
        )
    }
    found = []
    for sid, number in asked.items():
        disposition, reply = fates.get(sid, ("not stored", None))
        told = reply in said and (disposition == "apologised" or number in said[reply].body)
        if disposition != "dead" and not (told and disposition in ("answered", "apologised")):
            found.append(f"lost: {sid} {number} is {disposition}")
    return found


def twice(shop: Shop) -> list[str]:
    """No number is in two messages, and no text went to a customer more often than there are rows that answer with it.

    Rows that answer nothing do not count: what they covered was answered by others.
    """
    times = Counter(number for entry in _said(shop).values() for number in NUMBER.findall(entry.body))
    found = [f"twice: {number} is answered {count} times" for number, count in times.items() if count > 1]
    answering = "SELECT recipient, body FROM outgoing WHERE id IN (SELECT reply_id FROM messages)"
    meant = Counter(shop.rows(answering))
    accepted = Counter((entry.recipient, entry.body) for entry in _said(shop).values())
    return found + [
        f"twice: {count} messages for {meant[text]} answers {text}"
        for text, count in accepted.items()
        if count > meant[text]
    ]


def overtaken(shop: Shop, asked: Mapping[str, str]) -> list[str]:
    """No answer goes before one to an older question, unless that was handed to Twilio before, and in vain."""
    stored = {asked[sid]: message for message, sid in shop.rows("SELECT id, sid FROM messages")}
    handed: dict[int, int] = {}
    tried = "SELECT o.covers, a.started_at FROM outbox o JOIN attempts a ON a.outbox_id = o.id WHERE a.number > 0"
    for covers, at in shop.rows(tried):
        for message in json.loads(covers):
            handed[message] = min(at, handed.get(message, at))
    answers: dict[str, list[tuple[Entry, int]]] = {}
    for entry in _said(shop).values():
        if numbers := NUMBER.findall(entry.body):
            answers.setdefault(entry.recipient, []).append((entry, min(stored[number] for number in numbers)))
    return [
        f"out of order: {newer.body!r} before {older.body!r}"
        for said in answers.values()
        for place, (newer, second) in enumerate(said)
        for older, first in said[place + 1 :]
        if first < second and handed.get(first, newer.date_created) >= newer.date_created
    ]
