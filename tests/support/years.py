"""Years of a busy shop in one file: as many messages as wanted, each answered, spread over its customers and days."""

import sqlite3
from contextlib import closing
from pathlib import Path

from appliance.model import HOUR, SECOND

CUSTOMER_WRITES = 40  # messages
A_DAY = 200  # messages
_NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)"


def fill(path: Path, count: int, now: int, channel_id: int = 1) -> None:
    """`count` messages until now (ms UTC), A_DAY a day, into a database that nobody has open."""
    customers = max(1, count // CUSTOMER_WRITES)
    values = {
        "count": count,
        "customers": customers,
        "now": now,
        "day": 24 * HOUR,
        "a_day": A_DAY,
        "channel": channel_id,
    }
    at = ":now - (:count - i) * :day / :a_day - 60000"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM contacts").fetchone()[0]
        talk = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM conversations").fetchone()[0]
        reply = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM outbox").fetchone()[0]
        values |= {"first": first, "talk": talk, "reply": reply}
        connection.execute(
            f"{_NUMBERS} INSERT INTO contacts (id, channel_id, address, profile_name, last_inbound_at, created_at) "
            "SELECT :first + i, :channel, '+55119' || printf('%08d', i), 'Cliente ' || i, :now, 0 FROM n",
            values | {"count": customers},
        )
        # A customer's day is a conversation; the last one of each is open.
        connection.execute(
            f"{_NUMBERS} INSERT INTO conversations (id, organization_id, channel_id, contact_id, session_key, status, "
            f"created_at, updated_at, expires_at, is_newest) SELECT :talk + i, 1, :channel, :first + i % :customers, "
            f"'filled|' || i, 'closed', {at}, {at}, {at}, i >= :count - :customers FROM n",
            values,
        )
        connection.execute(
            f"{_NUMBERS} INSERT INTO outbox (id, organization_id, channel_id, contact_id, conversation_id, kind, body, "
            "body_hash, source, state, attempt, sid, created_at, sending_at, sent_at, covers) "
            "SELECT :reply + i, 1, :channel, :first + i % :customers, :talk + i, 'answer', 'Abrimos das 7h às 19h.', "
            f"x'00', 'Horário', 'read', 1, 'SMout' || i, {at}, {at}, {at} + {4 * SECOND}, '[]' FROM n",
            values,
        )
        connection.execute(
            f"{_NUMBERS} INSERT INTO messages (sid, organization_id, contact_id, conversation_id, body, media, "
            "message_type, parameters, source, received_at, reply_id) "
            "SELECT 'SMin' || i, 1, :first + i % :customers, :talk + i, 'Qual é o horário? ' || i, '[]', 'text', '[]', "
            f"'webhook', {at}, :reply + i FROM n",
            values,
        )
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
