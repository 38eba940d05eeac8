"""Attempts: each POST of an outbox row, and what Twilio made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from appliance.store.contacts import ALIASES
from appliance.store.sql import Sql

_COLUMNS = "number, tag, started_at, ended_at, sid, guessed, status, error_code, account"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of an outbox row. Times on our clock."""

    number: int  # below 1: a message of Twilio's that belongs to the row and to none of its POSTs
    tag: str
    started_at: int
    ended_at: int | None  # None: under way
    sid: str | None = None
    guessed: int = 0  # the sid is by the text that stands in the log
    status: str = ""
    error_code: int | None = None
    account: str | None = None  # that made it, where its channel is another one's by now


class Attempts:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def of(self, outbox_id: int) -> list[Attempt]:
        """The oldest first; those that nobody's POST explains before them."""
        statement = f"SELECT {_COLUMNS} FROM attempts WHERE outbox_id = ? ORDER BY number"  # noqa: S608
        rows = self._sql.all(statement, outbox_id)
        return [Attempt(*row) for row in rows]

    def begin(self, outbox_id: int, number: int, tag: str) -> None:
        """A POST is about to be made."""
        self._sql.run(
            "INSERT INTO attempts (outbox_id, number, tag, started_at) VALUES (?, ?, ?, ?)",
            outbox_id,
            number,
            tag,
            self._sql.now,
        )

    def end(self, outbox_id: int, number: int) -> None:
        """Nobody waits for its answer any more."""
        self._sql.run(
            "UPDATE attempts SET ended_at = ? WHERE outbox_id = ? AND number = ? AND ended_at IS NULL",
            self._sql.now,
            outbox_id,
            number,
        )

    def remain(self, channel_id: int, account: str) -> None:
        """The channel moves: what was sent so far stays the account's that sent it."""
        self._sql.run(
            "UPDATE attempts SET account = ? WHERE account IS NULL "
            "AND outbox_id IN (SELECT id FROM outbox WHERE channel_id = ?)",
            account,
            channel_id,
        )

    def refused(self, outbox_id: int, number: int) -> None:
        """Twilio said no: nothing in its log can be this attempt's."""
        self._sql.run(
            "UPDATE attempts SET status = 'refused', ended_at = coalesce(ended_at, ?) "
            "WHERE outbox_id = ? AND number = ?",
            self._sql.now,
            outbox_id,
            number,
        )

    def forget(self, outbox_id: int, number: int) -> None:
        """Twilio surely did nothing with it."""
        self._sql.run("DELETE FROM attempts WHERE outbox_id = ? AND number = ?", outbox_id, number)

    def name(
        self, outbox_id: int, number: int, sid: str, status: str, error_code: int | None, *, guessed: bool = False
    ) -> None:
        """Twilio has it as this message, with this status."""
        self._sql.run(
            "UPDATE attempts SET sid = ?, status = ?, error_code = ?, guessed = ?, ended_at = coalesce(ended_at, ?) "
            "WHERE outbox_id = ? AND number = ?",
            sid,
            status,
            error_code,
            guessed,
            self._sql.now,
            outbox_id,
            number,
        )

    def add(self, outbox_id: int, sid: str, status: str, error_code: int | None) -> None:
        """A message of Twilio's that belongs to the row and to none of its POSTs."""
        now = self._sql.now
        self._sql.run(
            "INSERT INTO attempts (outbox_id, number, tag, started_at, ended_at, sid, status, error_code) "
            "SELECT ?1, min(0, coalesce(min(number), 0) - 1), '', ?2, ?2, ?3, ?4, ?5 "
            "FROM attempts WHERE outbox_id = ?1",
            outbox_id,
            now,
            sid,
            status,
            error_code,
        )

    def distrust(self) -> None:
        """The database was restored: drafts that the copy calls unsent may have been sent until now."""
        now = self._sql.now
        self._sql.run("UPDATE attempts SET ended_at = ? WHERE ended_at IS NULL", now)
        self._sql.run(
            "INSERT INTO attempts (outbox_id, number, tag, started_at, ended_at) "
            "SELECT id, attempt + 1, '', created_at, ? FROM outbox WHERE state = 'ready'",
            now,
        )
        self._sql.run("UPDATE outbox SET attempt = attempt + 1 WHERE state = 'ready'")

    def sids_since(self, contact_id: int, at: int) -> set[str]:
        """Of those to one person the names of what was handed over from a time on (ms UTC)."""
        rows = self._sql.all(
            "SELECT a.sid FROM outbox o JOIN attempts a ON a.outbox_id = o.id "  # noqa: S608
            f"WHERE o.contact_id IN {ALIASES} AND a.started_at >= ?2 AND a.sid IS NOT NULL",
            contact_id,
            at,
        )
        return {row["sid"] for row in rows}

    def recent(self, sids: Sequence[str]) -> set[str]:
        """Those of these sids that are of our last two thousand replies."""
        rows = self._sql.all(
            "SELECT sid FROM attempts WHERE outbox_id > (SELECT max(id) FROM outbox) - 2000 "
            "AND sid IN (SELECT value FROM json_each(?))",
            msgspec.json.encode(sids).decode(),
        )
        return {row["sid"] for row in rows}

    def spans_to(self, contact_id: int) -> list[tuple[int, int]]:
        """From when to when (ms UTC) something may have been sent to a person whose sid nobody has told."""
        rows = self._sql.all(
            "SELECT a.started_at, coalesce(a.ended_at, ?2) FROM outbox o JOIN attempts a ON a.outbox_id = o.id "  # noqa: S608
            f"WHERE o.contact_id IN {ALIASES} AND a.sid IS NULL AND a.status <> 'refused'",
            contact_id,
            self._sql.now,
        )
        return [(row[0], row[1]) for row in rows]

    def sids_to(self, channel_id: int, addresses: tuple[str, ...]) -> set[str]:
        """Twilio's names of all we know to have sent to somebody with these addresses, from a channel or another one of
        its account: what a Messaging Service has not sent yet stands in the log without its sender.
        """
        marks = ", ".join("?" * len(addresses))
        rows = self._sql.all(
            "SELECT a.sid FROM channels own JOIN channels ch ON ch.account = own.account "  # noqa: S608
            "JOIN contacts c ON c.channel_id = ch.id "
            "JOIN outbox o ON o.contact_id = c.id JOIN attempts a ON a.outbox_id = o.id "
            f"WHERE own.id = ? AND c.address IN ({marks}) AND a.sid IS NOT NULL",
            channel_id,
            *addresses,
        )
        return {row["sid"] for row in rows}
