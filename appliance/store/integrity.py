"""What must hold in the file whatever happened: the evidence behind `appliance verify`."""

import hashlib

from appliance.store.messages import HELD
from appliance.store.sql import Sql

AT_ONCE = 1_000  # bodies in memory


class Integrity:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def damage(self) -> list[str]:
        """SQLite's own findings about the file; empty when it is sound."""
        return [str(row[0]) for row in self._sql.all("PRAGMA quick_check(10)") if row[0] != "ok"]

    def broken_references(self) -> list[str]:
        """Tables with rows that name a row that is not there."""
        return sorted({str(row[0]) for row in self._sql.all("PRAGMA foreign_key_check")})

    def contradictory(self) -> list[int]:
        """Messages with more than one disposition."""
        return self._ids(
            "SELECT id FROM messages "
            "WHERE (reply_id IS NOT NULL) + (suppressed IS NOT NULL) + (card_id IS NOT NULL) > 1"
        )

    def dead_without_card(self) -> list[int]:
        """Messages that nobody answered and no card ever told of."""
        return self._ids(
            """
            SELECT d.id FROM dispositions d JOIN messages m ON m.id = d.id
            WHERE d.disposition = 'dead' AND m.card_id IS NULL
            AND 'outbox:' || d.reply_id NOT IN (SELECT subject FROM cards)
            """
        )

    def held_for_nobody(self) -> list[int]:
        """Messages that wait for a person although nobody has their customer."""
        return self._ids(
            f"SELECT id FROM messages WHERE {HELD} "  # noqa: S608
            "AND contact_id NOT IN (SELECT id FROM contacts WHERE handover IS NOT NULL)"
        )

    def sent_without_sid(self) -> list[int]:
        """Outbox rows that are said to be sent and have no evidence of it."""
        return self._ids("SELECT id FROM outbox WHERE state IN ('sent', 'delivered', 'read') AND sid IS NULL")

    def sharing_a_sid(self) -> list[int]:
        """Outbox rows that claim a message of Twilio's that an older row has already."""
        return self._ids(
            "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY sid ORDER BY id) AS nth "
            "FROM outbox WHERE sid IS NOT NULL) WHERE nth > 1 ORDER BY id"
        )

    def altered_in_the_box(self) -> list[int]:
        """Outbox rows whose body is not what was written."""
        found: list[int] = []
        last = 0
        while rows := self._sql.all(
            "SELECT id, body, body_hash FROM outbox WHERE id > ? ORDER BY id LIMIT ?", last, AT_ONCE
        ):
            found += [row["id"] for row in rows if hashlib.sha256(row["body"].encode()).digest() != row["body_hash"]]
            last = rows[-1]["id"]
        return found

    def _ids(self, statement: str) -> list[int]:
        return [int(row[0]) for row in self._sql.all(statement)]
