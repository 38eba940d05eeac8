"""Threads: what was said with each customer, newest first, at a cost that does not grow with what is stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from appliance.model import Handover
from appliance.store.sql import Row, Sql

_PEOPLE = """
    SELECT v.id, v.contact_id, v.updated_at, c.address, c.profile_name AS name, c.channel_id, ch.address AS channel,
           c.handover, c.opted_out_at, c.person_id
    FROM conversations v JOIN contacts c ON c.id = v.contact_id JOIN channels ch ON ch.id = v.channel_id
    WHERE v.is_newest = 1 AND v.organization_id = ? AND {condition}
"""
_NEWEST_FIRST = "ORDER BY v.updated_at DESC, v.id DESC LIMIT ?"
_MATTERS = 2_000  # open at once
_LAST = 2**63 - 1

Side = Literal["messages", "outbox"]
_SIDES: dict[Side, tuple[str, str]] = {  # when it was said, and what of it is shown
    "messages": ("received_at", "true"),
    "outbox": ("created_at", "state NOT IN ('superseded', 'suppressed')"),
}
Place = tuple[int, int]  # in the list: when the conversation was last touched (ms UTC), and its id


@dataclass(frozen=True, slots=True)
class Correspondent:
    """A customer's address on a channel. `id`: of the newest conversation; `name`: what WhatsApp calls the customer."""

    id: int
    contact_id: int
    updated_at: int
    address: str
    name: str
    channel_id: int
    channel: str
    handover: Handover | None
    opted_out_at: int | None
    person_id: int | None

    @property
    def place(self) -> Place:
        return self.updated_at, self.id


class Threads:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    # Who.

    def recent(self, organization_id: int, before: Place | None, limit: int) -> list[Correspondent]:
        """Who was last in touch, newest first."""
        if before is None:
            return self._people("true", organization_id, limit)
        return self._people("(v.updated_at, v.id) < (?, ?)", organization_id, *before, limit)

    def of_contacts(self, organization_id: int, contact_ids: Iterable[int], limit: int) -> list[Correspondent]:
        """Those of them who are this organization's and have a conversation."""
        newest = (
            "v.id IN (SELECT (SELECT max(n.id) FROM conversations n WHERE n.contact_id = j.value) FROM json_each(?) j)"
        )
        return self._people(newest, organization_id, _json(sorted(contact_ids)), limit)

    def with_conversation(self, organization_id: int, conversation_id: int) -> Correspondent | None:
        """Whose conversation it is, also where it is an older one."""
        whose = "SELECT contact_id FROM conversations WHERE id = ? AND organization_id = ?"
        contact_id = self._sql.value(whose, conversation_id, organization_id)
        found = self.of_contacts(organization_id, [contact_id], 1) if contact_id is not None else []
        return found[0] if found else None

    def _people(self, condition: str, *values: str | int) -> list[Correspondent]:
        statement = f"{_PEOPLE.format(condition=condition)} {_NEWEST_FIRST}"
        return [_correspondent(row) for row in self._sql.all(statement, *values)]

    def matters(self, organization_id: int) -> list[Row]:
        """Open cards about its customers, and what may not have arrived: kind, contact_id."""
        return self._sql.all(
            "SELECT k.kind, iif(k.subject LIKE 'outbox:%', "
            "(SELECT contact_id FROM outbox WHERE id = CAST(substr(k.subject, 8) AS INTEGER)), "
            "(SELECT contact_id FROM conversations WHERE id = CAST(substr(k.subject, 14) AS INTEGER))) AS contact_id "
            "FROM (SELECT kind, subject FROM cards WHERE closed_at IS NULL AND organization_id = ?1 AND kind IN "
            "('waiting', 'not_sent', 'undelivered', 'doubt', 'could_not_answer', 'too_late') LIMIT ?2) k "
            "UNION SELECT 'doubt', contact_id FROM (SELECT contact_id FROM outbox "
            "WHERE state IN ('ready', 'sending', 'doubt', 'parked') AND state IN ('doubt', 'parked') "
            "AND organization_id = ?1 LIMIT ?2)",
            organization_id,
            _MATTERS,
        )

    def handed_over(self, organization_id: int) -> list[int]:
        """Customers of whom a person is in charge, or was asked for."""
        rows = self._sql.all(
            "SELECT id FROM contacts WHERE handover IS NOT NULL AND handover <> 'unknown' "
            "AND +channel_id IN (SELECT id FROM channels WHERE organization_id = ?) LIMIT ?",  # by the other index
            organization_id,
            _MATTERS,
        )
        return [row["id"] for row in rows]

    # Looked for.

    def names(self, organization_id: int, limit: int) -> list[Row]:
        """Who was last in touch: contact_id, name, address."""
        return self._sql.all(
            "SELECT v.contact_id, c.profile_name AS name, c.address FROM conversations v "
            "JOIN contacts c ON c.id = v.contact_id WHERE v.is_newest = 1 AND v.organization_id = ? "
            "ORDER BY v.updated_at DESC, v.id DESC LIMIT ?",
            organization_id,
            limit,
        )

    def with_addresses(self, organization_id: int, addresses: Sequence[str]) -> list[int]:
        """Whoever has exactly one of these addresses, however long ago."""
        rows = self._sql.all(
            "SELECT c.id FROM channels ch CROSS JOIN json_each(?2) j CROSS JOIN contacts c "  # in this order
            "ON c.channel_id = ch.id AND c.address = j.value WHERE ch.organization_id = ?1",
            organization_id,
            _json(addresses),
        )
        return [row["id"] for row in rows]

    def mentioning(
        self, organization_id: int, side: Side, patterns: Sequence[str], newest: int, limit: int
    ) -> list[Row]:
        """Among the box's newest messages of a side those of an organization that are like all patterns, newest first:
        contact_id, body, at.
        """
        at, shown = _SIDES[side]
        like = " AND ".join(["body LIKE ? ESCAPE '\\'"] * len(patterns))
        return self._sql.all(
            f"SELECT contact_id, substr(body, 1, 2000) AS body, {at} AS at FROM {side} "  # noqa: S608  # literals
            f"WHERE id > (SELECT max(id) FROM {side}) - ? AND organization_id = ? AND {shown} AND {like} "
            "ORDER BY id DESC LIMIT ?",
            newest,
            organization_id,
            *patterns,
            limit,
        )

    def looked_back_to(self, side: Side, newest: int) -> int | None:
        """When the oldest of the box's newest messages of a side was said (ms UTC); None where that is all."""
        at, _ = _SIDES[side]
        statement = f"SELECT {at} FROM {side} WHERE id <= (SELECT max(id) FROM {side}) - ? ORDER BY id DESC LIMIT 1"  # noqa: S608
        found: int | None = self._sql.value(statement, newest)
        return found

    # What was said.

    def heard(self, contact_id: int, before: int | None, limit: int) -> list[Row]:
        """What a customer wrote, newest first, older than a message's id."""
        return self._sql.all(
            "SELECT m.id, m.sid, m.conversation_id, m.body, m.media, m.message_type, m.received_at AS at, m.reply_id, "
            "m.suppressed, m.notice, m.card_id, o.state AS reply_state, o.reason AS reply_reason "
            "FROM messages m LEFT JOIN outbox o ON o.id = m.reply_id WHERE m.contact_id = ? AND m.id < ? "
            "ORDER BY m.id DESC LIMIT ?",
            contact_id,
            _LAST if before is None else before,
            limit,
        )

    def said(self, contact_id: int, before: int | None, limit: int) -> list[Row]:
        """Ours to a customer, newest first, older than a row's id; with what was withdrawn."""
        return self._sql.all(
            "SELECT o.id, o.body, o.kind, o.source, o.options, o.state, o.reason, o.error_code, o.sid, o.intended_by, "
            "o.created_at, o.created_at AS at, o.sending_at, o.absent_at FROM outbox o "
            "WHERE o.contact_id = ? AND o.id < ? ORDER BY o.id DESC LIMIT ?",
            contact_id,
            _LAST if before is None else before,
            limit,
        )

    def topics(self, organization_id: int, titles: Sequence[str]) -> dict[str, int]:
        """Which of these are topics: their ids by the title, folded."""
        rows = self._sql.all(
            "SELECT k.title, k.id FROM json_each(?) j JOIN knowledge k ON k.title = j.value AND k.organization_id = ?",
            _json(titles),
            organization_id,
        )
        return {row["title"].casefold(): row["id"] for row in rows}

    def letters(self, lane: str) -> list[Row]:
        """The dead letters of a customer: id, outbox, conversation, messages (JSON), error."""
        return self._sql.all(
            "SELECT id, error, json_extract(payload, '$.outbox') AS outbox, "
            "json_extract(payload, '$.conversation') AS conversation, json_extract(payload, '$.messages') AS messages "
            "FROM message_queue WHERE status = 'dead' AND lane = ? ORDER BY id DESC LIMIT 200",
            lane,
        )


def _correspondent(row: Row) -> Correspondent:
    values = {name: row[name] for name in Correspondent.__slots__}
    return Correspondent(**values | {"handover": row["handover"] and Handover(row["handover"])})


def _json(values: Sequence[int] | Sequence[str]) -> str:
    return msgspec.json.encode(values).decode()
