"""How many of what: the figures of the status page, of /metrics and of the conservation law."""

from appliance.store.messages import LIVE
from appliance.store.outbox import UNSETTLED
from appliance.store.pauses import END, IN_FORCE
from appliance.store.recent import first_since
from appliance.store.sql import Sql

# In the words of a partial index: SQLite uses it only where a query repeats them.
ON_ITS_WAY = f"{UNSETTLED} AND state <> 'parked'"
_WAITING = (
    f"SELECT organization_id, contact_id, received_at FROM messages WHERE {LIVE} UNION ALL "  # noqa: S608
    "SELECT m.organization_id, m.contact_id, m.received_at FROM outbox o JOIN messages m ON m.reply_id = o.id "
    f"WHERE {ON_ITS_WAY}"
)
# The pauses that each hold the answer to a message w.
_HOLDING = """(SELECT 'box' UNION ALL SELECT 'organization:' || w.organization_id UNION ALL
    SELECT 'contact:' || w.contact_id UNION ALL SELECT 'contact:' || b.id FROM contacts a
    JOIN contacts b ON b.person_id = a.person_id AND b.channel_id = a.channel_id WHERE a.id = w.contact_id)"""


class Counts:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def _grouped(self, statement: str, *values: int) -> dict[str, int]:
        return {str(row[0]): int(row[1]) for row in self._sql.all(statement, *values)}

    def messages(self) -> dict[str, int]:
        return self._grouped("SELECT disposition, count(*) FROM dispositions GROUP BY disposition")

    def messages_since(self, at: int) -> dict[str, int]:
        """Those received since a time (ms UTC), by what became of them; costs what these are, not what there is."""
        return self._grouped(
            "SELECT d.disposition, count(*) FROM messages m JOIN dispositions d ON d.id = m.id "
            "WHERE m.id >= ? AND m.received_at >= ? GROUP BY d.disposition",
            first_since(self._sql, "messages", "received_at", at),
            at,
        )

    def received(self) -> int:
        return int(self._sql.value("SELECT count(*) FROM messages"))

    def is_none_received(self) -> bool:
        return not self._sql.value("SELECT EXISTS (SELECT 1 FROM messages)")

    def orphaned(self) -> int:
        return int(self._sql.value("SELECT count(*) FROM orphaned_messages"))

    def unsettled(self) -> dict[tuple[str, str], int]:
        """Replies that are on their way, by account and state."""
        rows = self._sql.all(
            "SELECT account, state, count(*) FROM outgoing WHERE state IN ('ready', 'sending', 'doubt', 'parked') "
            "GROUP BY account, state"
        )
        return {(row[0], row[1]): row[2] for row in rows}

    def customers_waiting(self, account: str | None) -> int:
        """Who has written and has no answer yet, or one that Twilio has not taken; of an account, or of all."""
        return int(
            self._sql.value(
                "SELECT count(DISTINCT contact_id) FROM ("  # noqa: S608
                f"SELECT contact_id FROM messages WHERE {LIVE} UNION ALL "
                f"SELECT contact_id FROM outbox WHERE {ON_ITS_WAY}) "
                "JOIN contacts c ON c.id = contact_id JOIN channels ch ON ch.id = c.channel_id "
                "WHERE coalesce(ch.account = ?1, 1)",
                account,
            )
        )

    def written(self, organization_id: int, before: int) -> tuple[int, int]:
        """How many of an organization's customers have written and have no answer yet, and how many of them did so
        before a time (ms UTC); costs what waits.
        """
        row = self._sql.all(
            "SELECT count(DISTINCT contact_id), count(DISTINCT iif(received_at < ?2, contact_id, NULL)) "  # noqa: S608
            f"FROM messages WHERE {LIVE} AND organization_id = ?1",
            organization_id,
            before,
        )[0]
        return row[0], row[1]

    def oldest_waiting(self) -> int | None:
        """When the message came in that waits longest for an answer that Twilio has taken (ms UTC); while its answer is
        paused it waits for nobody, and what had waited so counts from the end.
        """
        now = self._sql.now
        at = self._sql.value(f"SELECT min(received_at) FROM ({_WAITING})")  # noqa: S608
        if at is not None and self._sql.value(f"SELECT 1 FROM pauses WHERE {IN_FORCE} OR {END} > ?", now, at):  # noqa: S608
            at = self._sql.value(
                "SELECT min(max(received_at, since)) FROM (SELECT received_at, "  # noqa: S608
                f"(SELECT iif(max(ended_at IS NULL AND (until IS NULL OR until > ?)), NULL, coalesce(max({END}), 0)) "
                f"FROM pauses WHERE subject IN {_HOLDING}) AS since FROM (SELECT organization_id, contact_id, "
                f"min(received_at) AS received_at FROM ({_WAITING}) x WHERE NOT EXISTS (SELECT 1 FROM pauses p "
                f"WHERE p.contact_id IS NULL AND coalesce(p.organization_id = x.organization_id, 1) AND {IN_FORCE}) "
                "GROUP BY contact_id) w)",
                now,
                now,
            )
        return None if at is None else int(at)

    def outbox(self) -> dict[str, int]:
        return self._grouped("SELECT state, count(*) FROM outbox GROUP BY state")

    def conversations(self) -> dict[str, int]:
        return self._grouped("SELECT status, count(*) FROM conversations GROUP BY status")

    def cards(self) -> int:
        return int(self._sql.value("SELECT count(*) FROM cards WHERE closed_at IS NULL"))

    def sent_twice(self) -> int:
        """How often Twilio reported a second message for one reply."""
        return int(self._sql.value("SELECT coalesce(sum(times), 0) FROM cards WHERE kind = 'sent_twice'"))

    def queue(self) -> dict[str, int]:
        """ready (due now), scheduled (first attempt, later), retry (later), running, dead."""
        return self._grouped(  # by the partial indexes: what is done is more every day
            "SELECT phase, count(*) FROM ("
            "SELECT CASE WHEN run_at <= ? THEN 'ready' WHEN attempts = 0 THEN 'scheduled' ELSE 'retry' END AS phase "
            "FROM message_queue WHERE status = 'ready' "
            "UNION ALL SELECT 'running' FROM message_queue WHERE status = 'running' "
            "UNION ALL SELECT 'dead' FROM message_queue WHERE status = 'dead') GROUP BY phase",
            self._sql.now,
        )

    def oldest_ready(self) -> int | None:
        """When the longest waiting due job fell due."""
        time = self._sql.value(
            "SELECT min(run_at) FROM message_queue WHERE status = 'ready' AND run_at <= ?", self._sql.now
        )
        return None if time is None else int(time)

    def stray(self) -> list[int]:
        """Messages said to be live that nothing will ever answer: no lane job and no reply on its way."""
        rows = self._sql.all(
            """
            SELECT d.id FROM dispositions d JOIN conversations c ON c.id = d.conversation_id
            LEFT JOIN outbox o ON o.id = d.reply_id
            WHERE d.disposition = 'live' AND coalesce(o.state, '') <> 'doubt' AND NOT EXISTS (
                SELECT 1 FROM message_queue q WHERE q.lane = c.session_key AND q.status IN ('ready', 'running'))
            """
        )
        return [int(row[0]) for row in rows]
