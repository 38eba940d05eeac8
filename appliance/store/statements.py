"""How Twilio's log compared with our books, by organization, account and day; and in what they differ."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import msgspec

from appliance.model import HOUR, Channel
from appliance.store.cards import CardKind
from appliance.store.recent import first_since
from appliance.store.sql import Row, Sql

WAITED = 24 * HOUR  # longer before it is sent a reply hardly ever is; who else is found by the customer's address


class Difference(StrEnum):
    MISSING_HERE = "missing_here"  # a customer's message that we do not have
    ELSEWHERE = "elsewhere"  # sent from Twilio's console or another tool
    DELETED = "deleted"  # a customer's message that Twilio does not have any more
    NOT_THERE = "not_there"  # the same of what we sent
    CLOCK = "clock"  # stored with another day's time


@dataclass(frozen=True, slots=True)
class Statement:
    """`compared_to`: what is younger was left out (ms UTC). `settled`: how many as what."""

    organization_id: int
    account: str
    day: str
    compared_at: int
    compared_to: int
    there: int
    here: int
    settled: dict[str, int]


@dataclass(frozen=True, slots=True)
class Owned:
    """A channel as an account has it: its messages are ours from `began_at` to `ended_at` (None: still). `read_to`: up
    to where the log was read for what had not come in (None: to the end). `others`: accounts that it was in before.
    """

    channel: Channel
    timezone: str
    began_at: int
    ended_at: int | None
    read_to: int | None
    others: list[str]


@dataclass(frozen=True, slots=True)
class Booked:
    """A message of Twilio's as our books have it. `at`: ms UTC, `is_prompt`: taken down the moment it came or went.
    `outbox_id`: None where a customer wrote it. `status`: Twilio's last word for it.
    """

    sid: str
    organization_id: int
    channel_id: int
    contact_id: int
    at: int
    is_prompt: int
    outbox_id: int | None
    status: str
    is_priced: int


_RECEIVED = """SELECT m.sid, m.organization_id, c.channel_id, m.contact_id, m.received_at, m.source = 'webhook',
        NULL, '', 0
    FROM messages m CROSS JOIN contacts c ON c.id = m.contact_id WHERE """
_SENT = """SELECT a.sid, o.organization_id, o.channel_id, o.contact_id, a.started_at, a.number > 0 AND a.tag <> '',
        o.id, a.status, o.price IS NOT NULL
    FROM outbox o CROSS JOIN attempts a ON a.outbox_id = o.id CROSS JOIN contacts c ON c.id = o.contact_id
    CROSS JOIN channels ch ON ch.id = o.channel_id WHERE """
_OWNED = """SELECT c.id, c.organization_id, c.address, o.timezone, max(c.created_at, coalesce(c.back_at, 0),
        coalesce((SELECT max(f.moved_at) FROM former_accounts f WHERE f.channel_id = c.id), 0)), NULL, c.watermark_at,
        (SELECT json_group_array(f.account) FROM former_accounts f WHERE f.channel_id = c.id AND f.account <> ?1)
    FROM channels c JOIN organizations o ON o.id = c.organization_id
    WHERE c.account = ?1 AND o.disabled_at IS NULL AND c.removed_at IS NULL
    UNION ALL SELECT c.id, c.organization_id, c.address, o.timezone, c.created_at, f.moved_at, f.read_from,
        json_array(c.account)
    FROM former_accounts f JOIN channels c ON c.id = f.channel_id JOIN organizations o ON o.id = c.organization_id
    WHERE f.account = ?1 AND c.account <> ?1 AND f.moved_at >= ?2 AND o.disabled_at IS NULL AND c.removed_at IS NULL
    ORDER BY 1"""


class Statements:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    # What is compared.

    def owned_in_the_box(self, account: str, since: int) -> list[Owned]:
        """The account's channels, and those that left it since a time (ms UTC)."""
        rows = self._sql.all(_OWNED, account, since)
        return [
            Owned(Channel(row[0], row[1], row[2], account), row[3], row[4], row[5], row[6], msgspec.json.decode(row[7]))
            for row in rows
        ]

    def received(self, sids: Sequence[str]) -> list[Booked]:
        """Those of these sids that are customers' messages."""
        marks = msgspec.json.encode(sids).decode()
        return self._booked(_RECEIVED + "m.sid IN (SELECT value FROM json_each(?))", marks)  # noqa: S608

    def received_since_in_the_box(self, at: int) -> list[Booked]:
        """What customers of whom nothing is to be forgotten wrote since a time (ms UTC)."""
        first = first_since(self._sql, "messages", "received_at", at)
        return self._booked(
            _RECEIVED + "m.id >= ? AND m.received_at >= ? AND m.sid NOT GLOB 'forgotten:*' AND c.forget_at IS NULL",
            first,
            at,
        )

    def sent_since_in_the_box(self, account: str, at: int) -> list[Booked]:
        """The same of what Twilio took from us for an account."""
        first = first_since(self._sql, "outbox", "max(created_at, coalesce(sent_at, 0))", at - WAITED)
        return self._booked(
            _SENT + "o.id >= ? AND coalesce(a.account, ch.account) = ? AND a.sid IS NOT NULL "
            "AND a.started_at >= ? AND c.forget_at IS NULL",
            first,
            account,
            at,
        )

    def is_booked(self, booked: Booked) -> bool:
        """Whether it still is: its person may have been forgotten meanwhile."""
        statement = "SELECT 1 FROM messages WHERE sid = ?1 AND ?2 IS NULL UNION ALL SELECT 1 FROM attempts a "
        where = "WHERE a.outbox_id = ?2 AND a.sid = ?1"
        return bool(self._sql.value(statement + where, booked.sid, booked.outbox_id))

    def _booked(self, statement: str, *values: object) -> list[Booked]:
        return [Booked(*row) for row in self._sql.all(statement, *values)]

    # What came of it.

    def put(self, statement: Statement) -> None:
        values = asdict(statement) | {"settled": msgspec.json.encode(statement.settled).decode()}
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        self._sql.run(f"INSERT OR REPLACE INTO statements ({names}) VALUES ({marks})", *values.values())  # noqa: S608

    def of(self, organization_id: int, since: str, until: str) -> list[Statement]:
        """Of these days, both included; the newest first."""
        rows = self._sql.all(
            "SELECT organization_id, account, day, compared_at, compared_to, there, here, settled FROM statements "
            "WHERE organization_id = ? AND day BETWEEN ? AND ? ORDER BY day DESC, account",
            organization_id,
            since,
            until,
        )
        return [Statement(**dict(row) | {"settled": msgspec.json.decode(row["settled"])}) for row in rows]

    def is_any(self, organization_id: int, account: str) -> bool:
        statement = "SELECT EXISTS (SELECT 1 FROM statements WHERE organization_id = ? AND account = ?)"
        return bool(self._sql.value(statement, organization_id, account))

    # Differences.

    def name(
        self, organization_id: int, account: str, day: str, sid: str, kind: Difference, contact_id: int | None
    ) -> bool:
        """Whether it is new: each is named once."""
        found = self._sql.insert_new(
            "differences",
            "(account, sid, kind)",
            organization_id=organization_id,
            account=account,
            day=day,
            sid=sid,
            kind=kind,
            contact_id=contact_id,
            found_at=self._sql.now,
        )
        return found is not None

    def differences(self, organization_id: int, since: str, until: str) -> list[Row]:
        """Of these days, both included: id, account, day, sid, kind, found_at, settled_at, address and whether it is
        `open`: neither settled nor put away.
        """
        return self._sql.all(
            "SELECT d.id, d.account, d.day, d.sid, d.kind, d.found_at, d.settled_at, c.address, "
            "d.settled_at IS NULL AND EXISTS (SELECT 1 FROM cards k WHERE k.closed_at IS NULL AND k.kind = ? "
            "AND k.subject = 'statement:' || d.organization_id || ':' || d.day || ':' || d.kind) AS open "
            "FROM differences d LEFT JOIN contacts c ON c.id = d.contact_id "
            "WHERE d.organization_id = ? AND d.day BETWEEN ? AND ? ORDER BY d.day DESC, d.id",
            CardKind.STATEMENT,
            organization_id,
            since,
            until,
        )

    def settle(self, difference_id: int) -> None:
        """It went away."""
        self._sql.run("UPDATE differences SET settled_at = ? WHERE id = ?", self._sql.now, difference_id)

    def count(self, organization_id: int, day: str, kind: str) -> int:
        """How many of a kind are not settled."""
        statement = (
            "SELECT count(*) FROM differences WHERE organization_id = ? AND day = ? AND kind = ? AND settled_at IS NULL"
        )
        return int(self._sql.value(statement, organization_id, day, kind))
