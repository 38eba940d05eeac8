"""The outbox: what we want to say, written before it is sent. States move forward only (`delivery` decides)."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import takewhile
from typing import Any

import msgspec

from appliance.model import ANSWER, MANUAL, OutboxMessage, OutboxState, TextKey
from appliance.store.contacts import ALIASES
from appliance.store.recent import first_since
from appliance.store.repository import Repository
from appliance.store.sql import Row

# The words of a partial index: SQLite uses it only where a query repeats them.
UNSETTLED = "state IN ('ready', 'sending', 'doubt', 'parked')"
GONE = "('superseded', 'suppressed', 'failed', 'parked')"  # states in which the customer got nothing


class Outbox(Repository[OutboxMessage]):
    table = "outgoing"
    type = OutboxMessage

    def _load(self, row: Row) -> OutboxMessage:
        values = {name: row[name] for name in self._names}
        return OutboxMessage(**values | {"state": OutboxState(row["state"])})

    def insert(self, *, body: str, covers: Sequence[int] = (), options: Sequence[str] = (), **columns: Any) -> int:
        """A draft, ready to be sent. `body` is normalised already. `covers`: the messages that it answers; `options`:
        the titles that a menu offers, or an answer's words are from.
        """
        return self._sql.insert(
            "outbox",
            body=body,
            body_hash=hashlib.sha256(body.encode()).digest(),
            state=OutboxState.READY,
            covers=msgspec.json.encode(covers).decode(),
            options=msgspec.json.encode(options).decode() if options else None,
            created_at=self._sql.now,
            **columns,
        )

    def intact(self, outbox_id: int) -> bool:
        """Whether the body is still what was written."""
        row = self._sql.one("SELECT body, body_hash FROM outbox WHERE id = ?", outbox_id)
        return row is not None and hashlib.sha256(row["body"].encode()).digest() == row["body_hash"]

    def begin(self, row: OutboxMessage, tag: str) -> OutboxMessage:
        """Set to sending: from here on a POST may have happened."""
        self._sql.run(
            "UPDATE outbox SET state = 'sending', attempt = attempt + 1, tag = ?, sending_at = ?, absent_at = NULL "
            "WHERE id = ?",
            tag,
            self._sql.now,
            row.id,
        )
        return replace(row, state=OutboxState.SENDING, attempt=row.attempt + 1, absent_at=None)

    def reword(self, row: OutboxMessage, kind: str, body: str) -> OutboxMessage:
        """Something else is to be said; nobody has it yet. `body` is normalised already."""
        self.update(row.id, kind=kind, body=body, body_hash=hashlib.sha256(body.encode()).digest())
        return replace(row, kind=kind, body=body)

    def end(self, outbox_id: int, state: OutboxState, *, expected: OutboxState, **columns: Any) -> bool:
        """Move from an expected state; False where somebody else (a callback) moved it first."""
        changes = "".join(f", {name} = ?" for name in columns)
        statement = f"UPDATE outbox SET state = ?{changes} WHERE id = ? AND state = ?"  # noqa: S608  # literal names
        return self._sql.run(statement, state, *columns.values(), outbox_id, expected) == 1

    def update(self, outbox_id: int, **columns: Any) -> None:
        changes = ", ".join(f"{name} = ?" for name in columns)
        self._sql.run(f"UPDATE outbox SET {changes} WHERE id = ?", *columns.values(), outbox_id)  # noqa: S608

    def charged(self, outbox_id: int, sid: str, segments: int, price: Decimal | None = None, unit: str = "") -> None:
        """As Twilio reports it of the row's message; where it does not say something yet, what it said before stays."""
        self._sql.run(
            "UPDATE outbox SET segments = coalesce(nullif(?, 0), segments), price = coalesce(?, price), "
            "price_unit = coalesce(nullif(?, ''), price_unit) WHERE id = ? AND sid = ?",
            segments,
            None if price is None else str(price),
            unit,
            outbox_id,
            sid,
        )

    def charges(self, organization_id: int, since: int, until: int) -> list[Row]:
        """What Twilio took between two times (ms UTC): address, price, price_unit, messages, segments; equal prices
        of a channel in one row. Costs what was written since then, not what there is.
        """
        return self._sql.all(
            "SELECT ch.address, o.price, o.price_unit, count(*) AS messages, sum(coalesce(o.segments, 0)) AS segments "
            "FROM outbox o CROSS JOIN channels ch ON ch.id = o.channel_id "
            "WHERE o.id >= ? AND o.organization_id = ? AND o.sid IS NOT NULL AND o.sent_at >= ? AND o.sent_at < ? "
            "GROUP BY ch.id, o.price, o.price_unit",
            first_since(self._sql, "outbox", "coalesce(sent_at, created_at)", since),
            organization_id,
            since,
            until,
        )

    def doubt_all_unsent(self, reason: str) -> None:
        self._sql.run(
            "UPDATE outbox SET state = 'doubt', reason = ?, sending_at = coalesce(sending_at, created_at) "  # noqa: S608
            f"WHERE {UNSETTLED} AND state IN ('ready', 'sending')",
            reason,
        )

    def unsettled_of(self, channel_id: int) -> list[OutboxMessage]:
        """A channel's rows that wait, are being sent or are in doubt; oldest first."""
        return self._select(f"{UNSETTLED} AND state <> 'parked' AND channel_id = ? ORDER BY id", channel_id)

    def in_doubt_in_the_box(self, account: str | None = None) -> list[OutboxMessage]:
        """Of one account, or of all."""
        return self._select(f"{UNSETTLED} AND state = 'doubt' AND account = coalesce(?, account) ORDER BY id", account)

    def doubts_of(self, account: str) -> list[Row]:
        """Its sends in doubt: reason, attempt, sending_at; oldest first."""
        return self._sql.all(
            "SELECT reason, attempt, sending_at FROM outbox WHERE id IN "  # noqa: S608
            f"(SELECT id FROM outgoing WHERE {UNSETTLED} AND state = 'doubt' AND account = ?) ORDER BY sending_at",
            account,
        )

    def was_taken_since(self, account: str, time: int) -> bool:
        """Whether Twilio took one of an account's newest replies since a time (ms UTC)."""
        return bool(
            self._sql.value(
                "SELECT EXISTS (SELECT 1 FROM outgoing WHERE id > (SELECT max(id) FROM outbox) - 2000 "
                "AND account = ? AND sent_at >= ?)",
                account,
                time,
            )
        )

    def in_doubt_to(self, contact_id: int) -> list[OutboxMessage]:
        """Rows to the person, by whichever address, of which nobody knows whether they were sent."""
        return self._select(f"contact_id IN {ALIASES} AND {UNSETTLED} AND state = 'doubt' ORDER BY id", contact_id)

    def is_unsettled_to(self, contact_id: int) -> bool:
        """Whether Twilio's log may hold a message of ours to the person whose sid we do not know yet."""
        statement = f"SELECT 1 FROM outbox WHERE contact_id IN {ALIASES} AND state IN ('sending', 'doubt') LIMIT 1"  # noqa: S608
        return bool(self._sql.value(statement, contact_id))

    def is_manual_waiting(self, contact_id: int) -> bool:
        """Whether somebody's words to the customer have not been tried yet, by whichever address."""
        statement = f"SELECT 1 FROM outbox WHERE contact_id IN {ALIASES} AND state = 'ready' AND kind = ?2 LIMIT 1"  # noqa: S608
        return bool(self._sql.value(statement, contact_id, MANUAL))

    def is_sending_to(self, contact_id: int) -> bool:
        """To the contact or to another address of the same person."""
        statement = f"SELECT 1 FROM outbox WHERE contact_id IN {ALIASES} AND state = 'sending' LIMIT 1"  # noqa: S608
        return bool(self._sql.value(statement, contact_id))

    def holding(self, contact_id: int, sid: str) -> OutboxMessage | None:
        """The person's row that has this message of Twilio's; where it was only guessed, whoever's row it is."""
        return self._find(
            "id IN (SELECT a.outbox_id FROM outbox o JOIN attempts a ON a.outbox_id = o.id "  # noqa: S608
            f"WHERE o.contact_id IN {ALIASES} AND a.sid = ?2 "
            "UNION SELECT outbox_id FROM attempts WHERE guessed = 1 AND sid = ?2)",
            contact_id,
            sid,
        )

    def covers(self, outbox_id: int) -> list[int]:
        """The messages that it was written for, whoever has them now."""
        found: list[int] = msgspec.json.decode(self._sql.value("SELECT covers FROM outbox WHERE id = ?", outbox_id))
        return found

    def unresolved_to(self, contact_id: int) -> list[OutboxMessage]:
        """Rows to the person that have no sid, and an attempt that Twilio did not refuse; oldest first."""
        return self._select(
            f"contact_id IN {ALIASES} AND sid IS NULL AND state <> 'sending' AND EXISTS (SELECT 1 FROM attempts a "  # noqa: S608
            "WHERE a.outbox_id = outgoing.id AND a.sid IS NULL AND a.status <> 'refused') ORDER BY id",
            contact_id,
        )

    def unsent_to(self, contact_id: int) -> list[OutboxMessage]:
        """What waits to be handed over, oldest first."""
        return self._select(f"{UNSETTLED} AND state = 'ready' AND contact_id = ? ORDER BY id", contact_id)

    def unsettled_to(self, contact_id: int) -> list[OutboxMessage]:
        """What is not known to be sent or not, oldest first; what a person must decide is left out."""
        return self._select(f"{UNSETTLED} AND state <> 'parked' AND contact_id = ? ORDER BY id", contact_id)

    def last_doubts(self) -> dict[str, int]:
        """When the last of an account's sends that are in doubt ended (ms UTC), where there is one."""
        rows = self._sql.all(
            "SELECT o.account, max(a.ended_at) FROM outgoing o JOIN attempts a ON a.outbox_id = o.id "
            "WHERE o.state IN ('ready', 'sending', 'doubt', 'parked') AND o.state = 'doubt' "
            "AND a.ended_at IS NOT NULL GROUP BY o.account"
        )
        return {row[0]: row[1] for row in rows}

    def recent(self, conversation_id: int, kind: str, since: int) -> int | None:
        """The newest message of a kind in a conversation since a time that was not withdrawn."""
        row_id = self._sql.value(
            f"SELECT max(id) FROM outbox WHERE conversation_id = ? AND kind = ? AND created_at > ? "  # noqa: S608
            f"AND state NOT IN {GONE}",
            conversation_id,
            kind,
            since,
        )
        return None if row_id is None else int(row_id)

    def apologised_since(self, contact_id: int, at: int, but: Sequence[int]) -> bool:
        """Whether a friendly text answered other messages of a contact than these, it or they later than a time."""
        return bool(
            self._sql.value(
                "SELECT 1 FROM outbox o JOIN messages m ON m.reply_id = o.id WHERE o.contact_id = ? AND o.kind = ? "
                "AND max(o.created_at, m.received_at) >= ? AND m.id NOT IN (SELECT value FROM json_each(?)) LIMIT 1",
                contact_id,
                TextKey.UNAVAILABLE,
                at,
                msgspec.json.encode(but).decode(),
            )
        )

    def superseded_since(self, conversation_id: int, since: int) -> int:
        """How many drafts newer messages made stale since a time."""
        count = self._sql.value(
            "SELECT count(*) FROM outbox WHERE conversation_id = ? AND state = 'superseded' AND created_at >= ?",
            conversation_id,
            since,
        )
        return int(count)

    def menu(self, conversation_id: int) -> tuple[str, ...]:
        """The titles that the last menu offered which the customer has or may have."""
        options = self._sql.value(
            "SELECT options FROM outbox WHERE conversation_id = ? AND kind = ? "  # noqa: S608
            f"AND state NOT IN {GONE} AND state <> 'ready' ORDER BY id DESC LIMIT 1",
            conversation_id,
            TextKey.MENU,
        )
        return tuple(msgspec.json.decode(options, type=list[str])) if options else ()

    def topics(self, outbox_id: int) -> tuple[str, ...]:
        """The titles that an answer's words are from; none of a model's."""
        statement = "SELECT options FROM outbox WHERE id = ? AND kind = ?"
        options = self._sql.value(statement, outbox_id, ANSWER)
        return tuple(msgspec.json.decode(options, type=list[str])) if options else ()

    def asked_of(self, organization_id: int, title: str, since: int, limit: int) -> list[str]:
        """The newest questions that a topic alone answered since a time (ms UTC)."""
        rows = self._sql.all(
            "SELECT m.body FROM (SELECT id, created_at FROM outbox INDEXED BY outbox_topic WHERE organization_id = ? "
            "AND source = ? AND kind = 'answer' ORDER BY id DESC LIMIT ?) o JOIN messages m ON m.reply_id = o.id "
            "WHERE o.created_at >= ? AND m.body <> '' ORDER BY m.id DESC LIMIT ?",
            organization_id,
            title,
            4 * limit,  # some were withdrawn
            since,
            limit,
        )
        return [row["body"] for row in rows]

    def streak(self, conversation_id: int, kind: str, limit: int) -> int:
        """How many of the last replies in a row were of this kind, menus left out; the limit is enough."""
        rows = self._sql.all(
            "SELECT kind FROM outbox WHERE conversation_id = ? AND kind <> ? "  # noqa: S608
            f"AND state NOT IN {GONE} ORDER BY id DESC LIMIT ?",
            conversation_id,
            TextKey.MENU,
            limit,
        )
        return len(list(takewhile(lambda row: row["kind"] == kind, rows)))

    def newer_reply(self, contact_id: int, than: int) -> bool:
        """Whether something later than this row reached Twilio for the person."""
        statement = f"SELECT 1 FROM outbox WHERE contact_id IN {ALIASES} AND id > ?2 AND sid IS NOT NULL LIMIT 1"  # noqa: S608
        return bool(self._sql.value(statement, contact_id, than))

    def attempted_to(self, contacts: Sequence[int], since: int, limit: int, but: int) -> int:
        """How many messages to these contacts but this row were attempted since a time; no further than the limit."""
        rows = [
            row
            for contact_id in contacts  # one after the other, so that each is read from its end
            for row in self._sql.all(
                "SELECT sending_at FROM outbox WHERE contact_id = ? AND id <> ? AND sending_at IS NOT NULL "
                "ORDER BY id DESC LIMIT ?",
                contact_id,
                but,
                limit * 2,
            )
        ]
        return sum(1 for other in rows if other["sending_at"] > since)

    def by_key(self, idempotency_key: str) -> OutboxMessage | None:
        row_id = self._sql.value("SELECT id FROM outbox WHERE idempotency_key = ?", idempotency_key)
        return None if row_id is None else self.get(row_id)

    def in_state(self, state: OutboxState, limit: int = 1000) -> list[int]:
        """The oldest rows in a state that is not settled."""
        rows = self._sql.all(f"SELECT id FROM outbox WHERE {UNSETTLED} AND state = ? ORDER BY id LIMIT ?", state, limit)  # noqa: S608
        return [row["id"] for row in rows]
