"""The promises, checked against Twilio's ledger: lost 0, twice 0, unexpected 0, and everything adds up."""

import json
import re
from collections import Counter
from collections.abc import Callable

from appliance.model import ANSWER
from appliance.outbox.binding import RANK
from tests.lab.inline import Database
from tests.lab.simulation import consents, restraint
from tests.lab.simulation.world import Entry, World

CONTACTS = 100  # of a scenario, at most
_NUMBER = re.compile(r"#\d+")


def at_a_crash(database: Database, world: World) -> list[str]:
    """What must hold at every moment: who heard 200 is on disk."""
    stored = {row[0] for row in database.rows("SELECT sid FROM messages UNION SELECT sid FROM orphaned_messages")}
    return [f"lost: {sid} heard 200 and is not stored" for sid in sorted(world.acknowledged.keys() - stored)]


def at_the_end(database: Database, world: World) -> list[str]:
    checks = (
        _lost,
        _twice,
        _unexpected,
        _crossed,
        consents.problems,
        restraint.problems,
        _conserved,
        _ordered,
        _followed,
    )
    return [problem for check in checks for problem in check(database, world)]


def _rows(database: Database) -> Callable[[Entry], int]:
    """Which row a message of ours belongs to: the one that our books gave its sid, else the one that its post named.

    They differ only where equal bodies to one customer were in doubt together.
    """
    bound: dict[str, int] = dict(database.rows("SELECT sid, id FROM outbox WHERE sid IS NOT NULL"))
    return lambda entry: bound.get(entry.sid, _posted(entry))


def _lost(database: Database, world: World) -> list[str]:
    fate = dict(database.rows("SELECT sid, disposition FROM dispositions"))
    found = [f"lost: {entry.sid} is not stored" for entry in world.inbound() if entry.sid not in fate]
    found += [f"lost: {sid} is still waiting" for sid, disposition in fate.items() if disposition == "live"]
    ours = {entry.sid: entry for entry in world.entries if entry.reference}
    for sid, question, kind, reply_sid, body in database.rows(
        "SELECT m.sid, m.body, o.kind, o.sid, o.body FROM messages m JOIN outbox o ON o.id = m.reply_id "
        "WHERE o.sid IS NOT NULL"
    ):
        is_known = reply_sid in ours and ours[reply_sid].body == body
        if not is_known or (kind == ANSWER and question not in body):
            found.append(f"lost: {sid} counts as answered by {reply_sid}, which is not that answer")
    return found


def _twice(database: Database, world: World) -> list[str]:
    # Equal bodies to one customer are interchangeable: which of them answers which message cannot be told.
    sent = Counter((world.person(entry.recipient), entry.body) for entry in world.ours())
    rows = database.rows("SELECT recipient, body FROM outgoing")
    meant = Counter((world.person(recipient), body) for recipient, body in rows)
    found = [
        f"twice: {count} messages in Twilio's ledger for {meant[key]}"
        for key, count in sent.items()
        if count > meant[key]
    ]
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for entry in world.entries:
        (asked if entry.inbound else answered).update(
            f"{min(world.person(entry.sender if entry.inbound else entry.recipient))} {number}"
            for number in _NUMBER.findall(entry.body)
        )
    found += [
        f"twice: {number} was answered {count} times" for number, count in answered.items() if count > asked[number]
    ]
    sids = Counter(row[0] for row in database.rows("SELECT sid FROM messages"))
    return found + [f"twice: {sid} is stored {count} times" for sid, count in sids.items() if count > 1]


def _unexpected(database: Database, world: World) -> list[str]:
    found = []
    row_of = _rows(database)
    wanted = {row[0]: row for row in database.rows("SELECT id, recipient, body FROM outgoing")}
    for entry in world.ours():
        row = wanted.get(row_of(entry))
        if row is None or row[1] not in world.person(entry.recipient) or row[2] != entry.body:
            found.append(f"unexpected: {entry.sid} is nothing that we wanted to say")
    answering = {row[0] for row in database.rows("SELECT DISTINCT reply_id FROM messages WHERE reply_id NOT NULL")}
    found += [f"unexpected: {entry.sid} answers nothing" for entry in world.ours() if row_of(entry) not in answering]
    return found


def _crossed(database: Database, world: World) -> list[str]:
    """What a customer writes to one account is stored for that account, and nothing reaches the customer by another."""
    own = {world.scenario.address(contact): world.scenario.account(contact) for contact in range(CONTACTS)}
    found = [
        f"crossing: {entry.sid} went to {entry.recipient} by {entry.account}"
        for entry in world.entries
        if entry.reference and entry.account != own[entry.recipient]
    ]
    stored = database.rows(
        "SELECT m.sid, c.address, ch.account FROM messages m JOIN contacts c ON c.id = m.contact_id "
        "JOIN channels ch ON ch.id = c.channel_id"
    )
    return found + [f"crossing: {sid} is stored for {name}" for sid, address, name in stored if own[address] != name]


def _conserved(database: Database, world: World) -> list[str]:
    tx = database.tx
    facts = {
        "contradictory": tx.integrity.contradictory(),
        "stray": tx.counts.stray(),
        "dead without a card": tx.integrity.dead_without_card(),
        "sent without a sid": tx.integrity.sent_without_sid(),
        "sharing a sid": tx.integrity.sharing_a_sid(),
        "broken references": tx.integrity.broken_references(),
    }
    found = [f"conservation: {name} {rows}" for name, rows in facts.items() if rows]
    if sum(tx.counts.messages().values()) != tx.counts.received():
        found.append("conservation: dispositions do not add up")
    return found


def _ordered(database: Database, world: World) -> list[str]:
    """No answer is handed to Twilio while an older one to the same customer is on its way, or before it.

    An older one may still arrive later: a request that we gave up may linger on the wire. Of equal answers it cannot be
    told which is whose: in order by what the posts named, or by what the books say, is in order.
    """
    named = _overtaken(database, world, _posted)
    return named and _overtaken(database, world, _rows(database))


def _posted(entry: Entry) -> int:
    return int(entry.reference.partition(".")[0])


def _overtaken(database: Database, world: World, row_of: Callable[[Entry], int]) -> list[str]:
    first = dict(database.rows("SELECT reply_id, min(id) FROM messages WHERE reply_id NOT NULL GROUP BY reply_id"))
    handed = _handed(database)
    sent = [(first.get(row_of(entry)), entry) for entry in world.ours()]
    return [
        f"order: {newer.sid} overtook {older.sid}"
        for position, (number, newer) in enumerate(sent)
        for other, older in sent[position + 1 :]
        if number is not None and other is not None and other < number and newer.recipient == older.recipient
        if newer.body != older.body  # equal ones are interchangeable
        if world.ended.get(older.reference, world.now) > world.posts[newer.reference][1]
        if handed.get(other, world.now) > world.posts[newer.reference][1]
    ]


def _handed(database: Database) -> dict[int, int]:
    """Message → when an answer to it was handed to Twilio first, or may have been: in vain, it is given once more, behind
    newer ones.
    """
    found: dict[int, int] = {}
    tried = "SELECT o.covers, a.started_at FROM outbox o JOIN attempts a ON a.outbox_id = o.id WHERE a.number > 0"
    for covers, at in database.rows(tried):
        for message in json.loads(covers):
            found[message] = min(at, found.get(message, at))
    return found


def _followed(database: Database, world: World) -> list[str]:
    """A callback that heard 204 is not forgotten: the row never stands behind it."""
    found = []
    row_of, entries = _rows(database), {entry.reference: entry for entry in world.ours()}
    rows = {row[0]: row for row in database.rows("SELECT id, sid, status, state FROM outbox")}
    for reference, status in world.reported:
        if reference in world.forgotten:
            continue
        row = rows[row_of(entries[reference])]
        if row[3] != "failed" and RANK.get(status, 9) > RANK.get(row[2], 0):
            found.append(f"lost: row {row[0]} is {row[2]!r} although Twilio said {status!r}")
    return found
