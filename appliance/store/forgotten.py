"""The forgotten: who is to be, how far that is, and what is kept so that nothing of them comes back as new."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from appliance.model import Contact
from appliance.store.keyed import NOBODY, Entry, key_of, keyed, make_key
from appliance.store.repository import Repository
from appliance.store.sql import Row

_WORDS = "key"  # before an operator's idempotency key, so that it is nobody's address


def short_hash(text: str | bytes) -> int:
    """64 bits of SHA-256 as SQLite's integer: of ten million sids one more meets another with 5 in 10 ** 13."""
    told = text.encode() if isinstance(text, str) else text
    return int.from_bytes(hashlib.sha256(told).digest()[:8], "big", signed=True)


@dataclass(frozen=True, slots=True)
class Forgetting:
    """A contact that is, or was, to be forgotten. `report`: how many of what; no words, no address. `waits_for`, since
    when, since when Twilio's log is not readable, and when it is looked at next: while it cannot go on.
    """

    id: int
    organization_id: int
    contact_id: int
    state: str
    at_twilio: int
    requested_by: str
    requested_at: int
    erased_at: int | None
    finished_at: int | None
    report: dict[str, Any]
    waits_for: str | None
    waits_since: int | None
    unread_since: int | None
    look_at: int | None


class Forgotten(Repository[Forgetting]):
    table = "forgettings"
    type = Forgetting

    def _load(self, row: Row) -> Forgetting:
        values = {name: row[name] for name in self._names}
        return Forgetting(**values | {"report": msgspec.json.decode(row["report"])})

    # How far it is.

    def begin(self, contact: Contact, organization_id: int, by: str, at: int, *, at_twilio: bool) -> Forgetting:
        """The contact's forgetting that is under way, or a new one; who wants Twilio's copies deleted may say so late.

        It is looked at now.

        `at`: of what was said until then (ms UTC).
        """
        self._sql.run(
            "INSERT INTO forgettings (organization_id, contact_id, state, at_twilio, requested_by, requested_at) "
            "VALUES (?, ?, 'waiting', ?, ?, ?) ON CONFLICT (contact_id) WHERE finished_at IS NULL "
            "DO UPDATE SET look_at = NULL, "
            "at_twilio = iif(state = 'waiting', max(at_twilio, excluded.at_twilio), at_twilio)",
            organization_id,
            contact.id,
            at_twilio,
            by,
            at,
        )
        found = self._find("contact_id = ? AND finished_at IS NULL", contact.id)
        assert found is not None
        return found

    def pending_of_the_box(self) -> list[Forgetting]:
        return self._select("finished_at IS NULL ORDER BY id")

    def newest(self, organization_id: int, limit: int) -> list[Forgetting]:
        return self._select("organization_id = ? ORDER BY id DESC LIMIT ?", organization_id, limit)

    def newest_of_the_box(self, limit: int) -> list[Forgetting]:
        return self._select("true ORDER BY id DESC LIMIT ?", limit)

    def move(self, forgetting_id: int, state: str, **columns: Any) -> None:
        """To the next step; nothing is waited for any more."""
        changes = "".join(f", {name} = ?" for name in columns)
        self._sql.run(
            "UPDATE forgettings SET state = ?, waits_for = NULL, waits_since = NULL, unread_since = NULL, "  # noqa: S608
            f"look_at = NULL{changes} WHERE id = ?",  # literal names
            state,
            *columns.values(),
            forgetting_id,
        )

    def wait(self, forgetting_id: int, why: str, *, since: int, unread_since: int | None, look_at: int) -> None:
        self._sql.run(
            "UPDATE forgettings SET waits_for = ?, waits_since = ?, unread_since = ?, look_at = ? WHERE id = ?",
            why,
            since,
            unread_since,
            look_at,
            forgetting_id,
        )

    def tell(self, forgetting_id: int, **counts: Any) -> None:
        """Add to its report: numbers are summed up, anything else takes the place of what was there."""
        found = self.get(forgetting_id)
        assert found is not None
        for name, value in counts.items():
            is_count = type(value) is int
            found.report[name] = found.report.get(name, 0) + value if is_count else value
        report = msgspec.json.encode(found.report).decode()
        self._sql.run("UPDATE forgettings SET report = ? WHERE id = ?", report, forgetting_id)

    # Who.

    def put(self, entries: Collection[Entry]) -> None:
        for entry in entries:
            self._sql.run(
                "INSERT INTO forgotten (who, at, opted_out_at) VALUES (?, ?, ?) ON CONFLICT (who) "
                "DO UPDATE SET at = excluded.at, opted_out_at = excluded.opted_out_at WHERE excluded.at >= at",
                entry.who,
                entry.at,
                entry.opted_out_at,
            )

    def entries_of_the_box(self) -> dict[bytes, Entry]:
        """Who was forgotten, as this file knows it."""
        rows = self._sql.all("SELECT who, at, opted_out_at FROM forgotten")
        return {row["who"]: Entry(*row) for row in rows}

    def opted_out_at(self, channel_id: int, address: str) -> int | None:
        """Since when somebody who was forgotten wants no messages."""
        who = self._who(channel_id, address)
        found = self._sql.value("SELECT opted_out_at FROM forgotten WHERE who = ?", who) if who else None
        return None if found is None else int(found)

    def is_from_before(self, contact: Contact, at: int) -> bool:
        """Whether something said at a time (ms UTC) belongs to what is forgotten of its contact."""
        if contact.forget_at is not None and at < contact.forget_at:
            return True
        who = self._who(contact.channel_id, contact.address)
        return bool(who and self._sql.value("SELECT 1 FROM forgotten WHERE who = ? AND at > ?", who, at))

    def _who(self, channel_id: int, address: str) -> bytes | None:
        key = self._sql.directory and key_of(self._sql.directory)
        return keyed(key, channel_id, address) if key else None

    # What.

    def knows(self, sid: str) -> bool:
        """Whether a sid was stored in a row that is gone."""
        return bool(self._sql.value("SELECT 1 FROM known_sids WHERE hash = ?", short_hash(sid)))

    def known(self, sids: Sequence[str]) -> set[str]:
        """Those of these sids that were stored in rows that are gone."""
        hashes = {short_hash(sid): sid for sid in sids}
        rows = self._sql.all(
            "SELECT value FROM json_each(?) WHERE value IN (SELECT hash FROM known_sids)",
            msgspec.json.encode(list(hashes)).decode(),
        )
        return {hashes[row["value"]] for row in rows}

    def knows_key(self, idempotency_key: str) -> bool:
        """Whether a forgotten customer's message had this key."""
        found = self._who(NOBODY, f"{_WORDS}|{idempotency_key}")
        return bool(found and self._sql.value("SELECT 1 FROM known_sids WHERE hash = ?", short_hash(found)))

    def keep(self, sids: Collection[str], keys: Collection[str] = ()) -> int:
        """Their rows go; how many were not kept yet. `keys`: of operators' messages."""
        directory = self._sql.directory
        hashes = [short_hash(sid) for sid in sids]
        if keys and directory:
            own = make_key(directory)
            hashes += [short_hash(keyed(own, NOBODY, f"{_WORDS}|{key}")) for key in keys]
        return self._sql.run(
            "INSERT OR IGNORE INTO known_sids (hash) SELECT value FROM json_each(?)",
            msgspec.json.encode(hashes).decode(),
        )

    # Twilio's copies.

    def accounts(self, forgetting_id: int) -> list[str]:
        """Those that may have messages of the contact: its channel's, and those which the channel belonged to."""
        rows = self._sql.all(
            "SELECT h.account FROM forgettings f JOIN contacts c ON c.id = f.contact_id "
            "JOIN (SELECT id, account FROM channels UNION SELECT channel_id, account FROM former_accounts) h "
            "ON h.id = c.channel_id WHERE f.id = ?",
            forgetting_id,
        )
        return [row["account"] for row in rows]

    def add_copies(self, forgetting_id: int, sids: Collection[str], account: str | None = None) -> None:
        """`account`: whose log has them; where none is named, each that may have them."""
        accounts = self.accounts(forgetting_id) if account is None else [account]
        self._sql.run(
            "INSERT OR IGNORE INTO copies_at_twilio (sid, account, forgetting_id) "
            "SELECT s.value, a.value, ? FROM json_each(?) s, json_each(?) a "
            "WHERE NOT EXISTS (SELECT 1 FROM copies_at_twilio k WHERE k.sid = s.value)",
            forgetting_id,
            msgspec.json.encode(list(sids)).decode(),
            msgspec.json.encode(accounts).decode(),
        )

    def copies(self, forgetting_id: int, after: str, limit: int) -> dict[str, list[str]]:
        """By the next sids the accounts that may have them."""
        rows = self._sql.all(
            "SELECT sid, json_group_array(account) AS accounts FROM copies_at_twilio "
            "WHERE forgetting_id = ? AND sid > ? GROUP BY sid ORDER BY sid LIMIT ?",
            forgetting_id,
            after,
            limit,
        )
        return {row["sid"]: msgspec.json.decode(row["accounts"]) for row in rows}

    def count_copies(self, forgetting_id: int) -> int:
        statement = "SELECT count(DISTINCT sid) FROM copies_at_twilio WHERE forgetting_id = ?"
        return int(self._sql.value(statement, forgetting_id))

    def drop_copy(self, sid: str) -> None:
        self._sql.run("DELETE FROM copies_at_twilio WHERE sid = ?", sid)
