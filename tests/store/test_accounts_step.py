"""A file from before accounts: it opens, its conversations and lanes go on, and at size it takes seconds."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.errors import DatabaseError
from appliance.model import MAIN
from appliance.store import Store, database
from tests.support.world import CUSTOMER, SMS, World

BEFORE = 6  # the schema's version
MANY = 100_000
# Everything of the step before, made from what this version wrote.
BACK = """
PRAGMA foreign_keys = 0;
BEGIN;
DROP TABLE sessions;
DROP TABLE sign_in_links;
DROP TABLE pauses;
DROP TABLE handover_events;
DROP TABLE texts;
DROP TABLE unanswered;
DROP TABLE topic_answers;
DROP TABLE statements;
DROP TABLE differences;
DROP INDEX outbox_topic;
DROP INDEX conversations_recent;
DROP INDEX messages_contact;
ALTER TABLE conversations DROP COLUMN is_newest;
DROP VIEW outgoing;
ALTER TABLE users DROP COLUMN admin;
ALTER TABLE users DROP COLUMN language;
ALTER TABLE users DROP COLUMN seen_at;
ALTER TABLE contacts DROP COLUMN handover_by;
ALTER TABLE contacts DROP COLUMN spoke_at;
ALTER TABLE contacts DROP COLUMN due_at;
ALTER TABLE organizations DROP COLUMN hours;
ALTER TABLE knowledge DROP COLUMN changed_by;
ALTER TABLE outbox DROP COLUMN segments;
ALTER TABLE outbox DROP COLUMN price;
ALTER TABLE outbox DROP COLUMN price_unit;
UPDATE conversations SET session_key =
    (SELECT address FROM channels WHERE id = channel_id) || substr(session_key, instr(session_key, '|'));
UPDATE message_queue SET lane = (SELECT address FROM channels
    WHERE id = substr(lane, 1, instr(lane, '|') - 1)) || substr(lane, instr(lane, '|')) WHERE lane LIKE '%|%';
CREATE TABLE old_channels (
    id INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES organizations,
    address TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    watermark_at INTEGER NOT NULL -- Twilio's log is known to be read up to here; first = registration
) STRICT;
INSERT INTO old_channels SELECT id, organization_id, address, created_at, watermark_at FROM channels;
DROP TABLE channels;
ALTER TABLE old_channels RENAME TO channels;
ALTER TABLE channels ADD COLUMN removed_at INTEGER;
CREATE VIEW outgoing AS
SELECT o.*, ch.address AS sender, c.address AS recipient
FROM outbox o JOIN channels ch ON ch.id = o.channel_id JOIN contacts c ON c.id = o.contact_id;
ALTER TABLE attempts DROP COLUMN account;
DROP TABLE former_accounts;
DROP TABLE contact_links;
DROP TABLE contact_aliases;
DROP INDEX contacts_person;
DROP INDEX attempts_guessed;
ALTER TABLE contacts DROP COLUMN person_id;
ALTER TABLE contacts DROP COLUMN opted_in_at;
ALTER TABLE outbox DROP COLUMN seen;
DROP TABLE copies_at_twilio;
DROP TABLE known_sids;
DROP TABLE forgotten;
DROP TABLE forgettings;
ALTER TABLE contacts DROP COLUMN forget_at;
DROP INDEX cards_untold;
DROP INDEX cards_told;
ALTER TABLE cards DROP COLUMN facts;
ALTER TABLE cards DROP COLUMN dismissed;
ALTER TABLE cards DROP COLUMN alerted_at;
ALTER TABLE cards DROP COLUMN reminders;
PRAGMA user_version = 6;
COMMIT;
"""


async def make(directory: Path, steps: int) -> Path:
    """An empty database of an older schema."""
    with pytest.MonkeyPatch.context() as patch:
        known = database.migrations()[:steps]
        patch.setattr(database, "migrations", lambda: known)
        await (await Store.open(directory, SystemClock())).close()
    return directory / database.FILE_NAME


def schema(path: Path) -> set[tuple[str, str]]:
    """Every table, index and view, as it was said; but for how a renamed table is quoted."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL").fetchall()
    return {(name, sql.replace('"channels"', "channels")) for name, sql in found}


async def test_an_open_conversation_goes_on(world: World, tmp_path: Path) -> None:
    """A message waits in its lane when the old version ends: the new one answers it once, in the same conversation, and
    what the customer writes next belongs to that conversation as well.
    """
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    await world.say("Qual o horário?")
    await world.settle()
    await world.stop()
    path = world.appliance.store.path
    waiting = (
        "INSERT INTO messages (sid, organization_id, contact_id, conversation_id, body, media, message_type, parameters, "
        "source, received_at) VALUES ('SMnext', 1, 1, 1, 'Qual o horário?', '[]', '', '[]', 'webhook', 1);"
        "INSERT INTO message_queue (kind, lane, resource, payload, status, run_at, created_at) VALUES "
        "('process_ai_response', (SELECT session_key FROM conversations), 'ai:1', '{\"conversation\":1}', 'ready', 1, 1);"
        "UPDATE messages SET received_at = (SELECT max(received_at) FROM messages);"
        "UPDATE message_queue SET created_at = (SELECT max(created_at) FROM message_queue)"
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(waiting)
        connection.executescript(BACK)
        assert connection.execute("SELECT DISTINCT session_key FROM conversations").fetchall() == [
            (f"{SMS}|{CUSTOMER}",)
        ]
    assert schema(path) == schema(await make(tmp_path / "old", BEFORE))

    await world.start()
    await world.settle()
    await world.say("Qual o horário?")
    await world.settle()

    assert world.sent() == ["Abrimos das 7h às 19h."] * 3
    assert await world.column("SELECT session_key FROM conversations") == [f"1|{CUSTOMER}"]
    assert await world.column("SELECT DISTINCT conversation_id FROM messages") == [1]
    assert await world.column("SELECT DISTINCT account FROM channels") == [MAIN]
    assert await world.column("SELECT name FROM sqlite_master WHERE name LIKE '%new_channels%'") == []
    assert await world.column("SELECT * FROM pragma_foreign_key_check") == []


async def test_a_large_file_takes_seconds(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """A hundred thousand conversations, each with a lane that was used."""
    path = await make(tmp_path, BEFORE)
    numbers = [(number, f"+55119{number:08}") for number in range(1, MANY + 1)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO organizations (id, name, language, timezone, created_at) VALUES (1,'P','en','UTC',1)"
        )
        connection.execute(
            "INSERT INTO channels (id, organization_id, address, created_at, watermark_at) VALUES (7, 1, ?, 1, 1)",
            (SMS,),
        )
        connection.executemany(
            "INSERT INTO contacts (id, channel_id, address, created_at) VALUES (?, 7, ?, 1)", numbers
        )
        connection.execute(
            "INSERT INTO conversations (organization_id, channel_id, contact_id, session_key, status, created_at, "
            "updated_at, expires_at) SELECT 1, 7, id, ? || '|' || address, iif(id % 2, 'closed', 'idle'), 1, 1, 1 "
            "FROM contacts",
            (SMS,),
        )
        connection.execute(
            "INSERT INTO message_queue (kind, lane, resource, status, run_at, created_at) "
            "SELECT 'send_reply', session_key, 'channel:7', iif(id % 3, 'ready', 'dead'), 1, 1 FROM conversations"
        )
        connection.commit()

    began = time.perf_counter()
    store = await Store.open(tmp_path, SystemClock())
    seconds = time.perf_counter() - began
    try:
        keys = (
            "SELECT count(*) FROM conversations v JOIN message_queue q ON q.lane = v.session_key WHERE lane GLOB '7|+*'"
        )
        assert await store.inspect(lambda tx: tx.sql.value(keys)) == MANY
    finally:
        await store.close()
    record_property("told", f"a file with {MANY:,} conversations came to the schema of accounts in {seconds:.1f} s")
    assert seconds < 30


async def test_a_step_that_breaks_references_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Foreign keys rest while the schema changes; what no longer fits afterwards is found before the commit."""
    path = await make(tmp_path, len(database.migrations()))
    known = database.migrations()
    rows = "INSERT INTO contacts (id, channel_id, address, created_at) VALUES (1, 99, '+1', 1);"
    with monkeypatch.context() as patch:
        patch.setattr(database, "migrations", lambda: [*known, (known[-1][0] + 1, rows)])
        with pytest.raises(DatabaseError, match="breaks references"):
            await (await Store.open(tmp_path, SystemClock())).close()

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM contacts").fetchone() == (0,)
        assert connection.execute("PRAGMA user_version").fetchone() == (known[-1][0],)
