"""What happened since a time, in figures: of one organization, at the cost of what is new, never of what there is."""

from appliance.model import HOUR, SECOND
from appliance.store.counts import ON_ITS_WAY
from appliance.store.messages import LIVE
from appliance.store.recent import first_since
from appliance.store.sql import Row, Sql


class Figures:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def received(self, organization_id: int, at: int) -> list[Row]:
        """What came in since a time (ms UTC): `hour` since then, disposition, `seconds` until Twilio had taken the
        answer, rounded up and at least 1, of what has one of ours; `count` of each.
        """
        return self._sql.all(
            """
            SELECT (m.received_at - ?2) / ?4 AS hour, d.disposition,
                   iif(d.disposition = 'answered', max(1, (o.sent_at - m.received_at + ?5 - 1) / ?5), NULL) AS seconds,
                   count(*) AS count
            FROM messages m JOIN dispositions d ON d.id = m.id LEFT JOIN outbox o ON o.id = m.reply_id
            WHERE m.id >= ?3 AND m.received_at >= ?2 AND m.organization_id = ?1 GROUP BY 1, 2, 3
            """,
            organization_id,
            at,
            first_since(self._sql, "messages", "received_at", at),
            HOUR,
            SECOND,
        )

    def said(self, organization_id: int, at: int) -> list[Row]:
        """What was written to customers since a time (ms UTC): `count` of each state."""
        return self._sql.all(
            "SELECT state, count(*) AS count FROM outbox "
            "WHERE id >= ?3 AND created_at >= ?2 AND organization_id = ?1 GROUP BY state",
            organization_id,
            at,
            first_since(self._sql, "outbox", "created_at", at),
        )

    def waiting(self, organization_id: int) -> tuple[int, int]:
        """Messages that have no answer yet, or one that Twilio has not taken; and how many customers' they are."""
        row = self._sql.one(
            "SELECT count(*) AS messages, count(DISTINCT contact_id) AS customers FROM ("  # noqa: S608
            f"SELECT contact_id FROM messages WHERE {LIVE} AND organization_id = ?1 UNION ALL "
            "SELECT m.contact_id FROM outbox o JOIN messages m ON m.reply_id = o.id "
            f"WHERE {ON_ITS_WAY} AND o.organization_id = ?1)",
            organization_id,
        )
        assert row is not None
        return row["messages"], row["customers"]

    def is_untouched(self, organization_id: int) -> bool:
        """Whether nobody has ever written to it."""
        return not self._sql.value(
            "SELECT EXISTS (SELECT 1 FROM conversations WHERE organization_id = ?)", organization_id
        )

    def last_webhook(self) -> int | None:
        """When a webhook came in last (ms UTC), with a message or of what became of one; as far as the newest tell."""
        at = self._sql.value(
            "SELECT max(at) FROM (SELECT max(received_at) AS at FROM "
            "(SELECT received_at, source FROM messages ORDER BY id DESC LIMIT 1000) WHERE source = 'webhook' "
            "UNION ALL SELECT max(received_at) FROM (SELECT received_at FROM delivery_events ORDER BY id DESC LIMIT 1))"
        )
        return None if at is None else int(at)
