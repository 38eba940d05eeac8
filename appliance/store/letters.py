"""Dead letters: what a job that gave up was about, and what was said to the customer in the meantime."""

from collections.abc import Sequence

import msgspec

from appliance.store.sql import Row, Sql


class Letters:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def page(self, organization_id: int | None, limit: int) -> list[Row]:
        """Newest first: id, kind, error, attempts, message_sid, created_at, finished_at, contact, channel.

        An organization's own, or with None all of the box.
        """
        return self._sql.all(
            """
            SELECT q.id, q.kind, q.error, q.attempts, q.message_sid, q.created_at, q.finished_at,
                   c.address AS contact, ch.address AS channel
            FROM message_queue q
            LEFT JOIN outbox o ON o.id = json_extract(q.payload, '$.outbox')
            LEFT JOIN conversations v ON v.id = json_extract(q.payload, '$.conversation')
            LEFT JOIN contacts c ON c.id = coalesce(v.contact_id, o.contact_id)
            LEFT JOIN channels ch ON ch.id = c.channel_id
            WHERE q.status = 'dead' AND (?1 IS NULL OR ch.organization_id = ?1) ORDER BY q.id DESC LIMIT ?2
            """,
            organization_id,
            limit,
        )

    def ids(self, *, clear: bool = False) -> list[int]:
        """Oldest first. `clear`: without those of which nobody knows whether the customer has an answer."""
        rows = self._sql.all(
            "SELECT q.id FROM message_queue q LEFT JOIN outbox o ON o.id = json_extract(q.payload, '$.outbox') "
            "WHERE q.status = 'dead' AND NOT (? AND coalesce(o.state, '') = 'parked') ORDER BY q.id",
            clear,
        )
        return [row["id"] for row in rows]

    def owner(self, job_id: int) -> int | None:
        """The organization that a dead letter is about; None for one of the box, or none at all."""
        owner = self._sql.value(
            "SELECT coalesce(v.organization_id, o.organization_id) FROM message_queue q "
            "LEFT JOIN outbox o ON o.id = json_extract(q.payload, '$.outbox') "
            "LEFT JOIN conversations v ON v.id = json_extract(q.payload, '$.conversation') WHERE q.id = ?",
            job_id,
        )
        return None if owner is None else int(owner)

    def about_row(self, outbox_id: int) -> list[int]:
        """The dead letters of one outbox row."""
        rows = self._sql.all(
            "SELECT id FROM message_queue WHERE status = 'dead' AND json_extract(payload, '$.outbox') = ?", outbox_id
        )
        return [row["id"] for row in rows]

    def about_messages(self, conversation_id: int, message_ids: Sequence[int]) -> list[int]:
        """The dead letters of a conversation that are about these messages and no others."""
        rows = self._sql.all(
            "SELECT id FROM message_queue q WHERE status = 'dead' AND json_extract(payload, '$.conversation') = ? "
            "AND json_extract(payload, '$.outbox') IS NULL AND json_extract(payload, '$.messages') IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM json_each(q.payload, '$.messages') "
            "WHERE value NOT IN (SELECT value FROM json_each(?)))",
            conversation_id,
            msgspec.json.encode(message_ids).decode(),
        )
        return [row["id"] for row in rows]

    def about_conversation(self, conversation_id: int) -> bool:
        """Whether one waits that is about a conversation's messages rather than about a row of the outbox."""
        return bool(
            self._sql.value(
                "SELECT EXISTS (SELECT 1 FROM message_queue WHERE status = 'dead' "
                "AND json_extract(payload, '$.conversation') = ? AND json_extract(payload, '$.outbox') IS NULL)",
                conversation_id,
            )
        )

    def too_late(self, conversation_id: int) -> tuple[int, list[int]] | None:
        """The dead letter of what a conversation's customer wrote too long ago: (its id, its messages)."""
        row = self._sql.one(
            "SELECT id, json_extract(payload, '$.messages') AS about FROM message_queue WHERE status = 'dead' "
            "AND lane = (SELECT session_key FROM conversations WHERE id = ?1) "
            "AND json_extract(payload, '$.conversation') = ?1 AND json_extract(payload, '$.too_late') "
            "ORDER BY id DESC",
            conversation_id,
        )
        return None if row is None else (row["id"], msgspec.json.decode(row["about"]))

    def without_a_card_in_the_box(self) -> int:
        """How many customers wait for a decision of which no card tells: the provider's trouble had one for all."""
        return int(
            self._sql.value(
                """
                SELECT count(DISTINCT lane) FROM message_queue WHERE status = 'dead' AND lane IS NOT NULL
                AND json_extract(payload, '$.outbox') IS NULL AND NOT EXISTS (
                    SELECT 1 FROM cards WHERE closed_at IS NULL AND kind IN ('could_not_answer', 'too_late')
                    AND subject = 'conversation:' || json_extract(payload, '$.conversation'))
                """
            )
        )

    def wanted(self, conversation_id: int) -> set[int]:
        """The messages that somebody wanted answered and whose draft was not sent."""
        rows = self._sql.all(
            "SELECT covers FROM outbox WHERE conversation_id = ? AND state = 'superseded' AND intended_by <> ''",
            conversation_id,
        )
        return {message_id for row in rows for message_id in msgspec.json.decode(row["covers"], type=list[int])}

    def in_lane(self, lane: str | None) -> int:
        """How many dead letters a lane has."""
        return int(self._sql.value("SELECT count(*) FROM message_queue WHERE status = 'dead' AND lane = ?", lane))

    def replies_to(self, message_ids: Sequence[int]) -> list[Row]:
        """The outbox rows that have these messages: id, kind, state."""
        return self._sql.all(
            "SELECT DISTINCT o.id, o.kind, o.state FROM messages m JOIN outbox o ON o.id = m.reply_id "
            "WHERE m.id IN (SELECT value FROM json_each(?))",
            msgspec.json.encode(message_ids).decode(),
        )

    def reply_no(self, outbox_id: int) -> int:
        """Which intent to answer this row was: 1 is the appliance's own, the rest are retries."""
        return int(self._sql.value("SELECT reply_no FROM outbox WHERE id = ?", outbox_id))

    def newest_until(self, contact_id: int, time: int) -> int:
        """The last outbox row of a contact that is not younger than a time; 0 for none."""
        return int(
            self._sql.value(
                "SELECT coalesce(max(id), 0) FROM outbox WHERE contact_id = ? AND created_at <= ?", contact_id, time
            )
        )
