"""The schema's versions: foreign and newer files are refused untouched, a step is all or nothing."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.errors import DatabaseError, StorageFullError
from appliance.store import Store, database

NEWEST = database.migrations()[-1][0]


@dataclass
class Usage:
    free: int


async def open_and_close(directory: Path) -> None:
    await (await Store.open(directory, SystemClock())).close()


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    finally:
        connection.close()


async def test_a_newer_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """An older appliance does not touch what it does not understand."""
    await open_and_close(tmp_path)
    connection = sqlite3.connect(tmp_path / database.FILE_NAME)
    connection.execute(f"PRAGMA user_version = {NEWEST + 1}")
    connection.close()

    with pytest.raises(DatabaseError, match=rf"newer appliance \(schema {NEWEST + 1}, this one knows {NEWEST}\)"):
        await open_and_close(tmp_path)


async def test_a_foreign_database_is_refused_untouched(tmp_path: Path) -> None:
    """Another program's file keeps every byte."""
    path = tmp_path / database.FILE_NAME
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(DatabaseError, match="belongs to another program"):
        await open_and_close(tmp_path)

    assert path.read_bytes() == before


async def test_garbage_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """A file that is no database at all."""
    (tmp_path / database.FILE_NAME).write_bytes(b"not a database" * 1_000)

    with pytest.raises(DatabaseError, match=r"appliance\.db is damaged: file is not a database\.$"):
        await open_and_close(tmp_path)


async def test_a_step_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration whose last statement fails leaves the schema as it was; a copy was taken before."""
    await open_and_close(tmp_path)
    path = tmp_path / database.FILE_NAME
    before = tables(path)
    broken = (NEWEST + 1, "CREATE TABLE extra (id INTEGER); INSERT INTO nowhere VALUES (1);")
    with monkeypatch.context() as patch:
        known = database.migrations()
        patch.setattr(database, "migrations", lambda: [*known, broken])
        with pytest.raises(DatabaseError, match="nowhere"):
            await open_and_close(tmp_path)

    assert tables(path) == before
    assert tables(tmp_path / f"{database.FILE_NAME}.before-{NEWEST + 1}") == before
    await open_and_close(tmp_path)


async def test_a_step_brings_the_file_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version's step runs once, and the data stays."""
    await open_and_close(tmp_path)
    known = database.migrations()
    step = (NEWEST + 1, "CREATE TABLE extra (id INTEGER);")
    monkeypatch.setattr(database, "migrations", lambda: [*known, step])

    await open_and_close(tmp_path)
    await open_and_close(tmp_path)

    assert "extra" in tables(tmp_path / database.FILE_NAME)


async def test_a_step_that_has_no_room_for_its_copy_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried again every two seconds it would fill the disk each time: it says how much it needs instead."""
    await before(tmp_path, "")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free=1_000))

    with pytest.raises(
        StorageFullError, match=r"copies appliance\.db first: 1 MiB must be free on the disk of .* 0 are"
    ):
        await open_and_close(tmp_path)

    assert list(tmp_path.glob("*.before-*")) == []
    monkeypatch.undo()
    await open_and_close(tmp_path)
    assert (tmp_path / f"{database.FILE_NAME}.before-{NEWEST}").exists()


async def before(directory: Path, rows: str) -> None:
    """A file of the first schema with one organization, one channel and these rows."""
    with pytest.MonkeyPatch.context() as patch:
        first = database.migrations()[:1]
        patch.setattr(database, "migrations", lambda: first)
        await open_and_close(directory)
    connection = sqlite3.connect(directory / database.FILE_NAME)
    connection.executescript(f"""
        INSERT INTO organizations (id, name, language, timezone, created_at) VALUES (1, 'P', 'en', 'UTC', 1);
        INSERT INTO channels (id, organization_id, address, created_at, watermark_at) VALUES (1, 1, '+1', 1, 1);
        {rows}
    """)
    connection.close()


async def test_a_database_of_before_hand_overs_ended_opens(tmp_path: Path) -> None:
    """Who was in human hands asked for a person when the text said so; what older conversations left waits for nobody."""
    await before(
        tmp_path,
        """
        INSERT INTO contacts (id, channel_id, address, created_at) VALUES (1, 1, '+2', 1), (2, 1, '+3', 1);
        INSERT INTO conversations (id, organization_id, channel_id, contact_id, session_key, status, created_at,
            updated_at, expires_at) VALUES (1, 1, 1, 1, 'a', 'closed', 1, 1, 1), (2, 1, 1, 1, 'a', 'human', 1, 9, 9),
            (3, 1, 1, 2, 'b', 'progress', 1, 1, 1);
        INSERT INTO outbox (organization_id, channel_id, contact_id, conversation_id, kind, body, body_hash, state,
            created_at) VALUES (1, 1, 1, 2, 'handoff', '', x'', 'sent', 5);
        INSERT INTO messages (sid, organization_id, contact_id, conversation_id, body, media, message_type, parameters,
            source, received_at, suppressed) VALUES
            ('S1', 1, 1, 1, '', '[]', '', '[]', 'webhook', 1, 'a person is in charge'),
            ('S2', 1, 1, 2, '', '[]', '', '[]', 'webhook', 6, 'a person is in charge');
        INSERT INTO cards (kind, subject, text, opened_at, last_at) VALUES
            ('waiting', 'conversation:2', '…7777 asks for a person.', 1, 1),
            ('waiting', 'conversation:3', '…6666 asked for no messages and wrote again.', 1, 1);
    """,
    )

    await open_and_close(tmp_path)

    connection = sqlite3.connect(tmp_path / database.FILE_NAME)
    assert connection.execute("SELECT handover, handover_at FROM contacts").fetchall() == [("asked", 5), (None, None)]
    reasons = [row[0] for row in connection.execute("SELECT suppressed FROM messages ORDER BY id")]
    assert reasons == ["a person was in charge", "a person is in charge"]
    assert [row[0] for row in connection.execute("SELECT kind FROM cards ORDER BY id")] == ["waiting", "opted_out"]
    connection.close()


async def test_sends_of_before_attempts_are_taken_along(tmp_path: Path) -> None:
    """What was parked is a dead letter; a POST under way has no end yet."""
    await before(
        tmp_path,
        """
        INSERT INTO contacts (id, channel_id, address, created_at) VALUES (1, 1, '+2', 1);
        INSERT INTO outbox (organization_id, channel_id, contact_id, kind, body, body_hash, state, attempt, sending_at,
            created_at) VALUES (1, 1, 1, 'answer', '', x'', 'parked', 2, 5, 1),
            (1, 1, 1, 'answer', '', x'', 'sending', 1, 6, 2);
    """,
    )

    await open_and_close(tmp_path)

    connection = sqlite3.connect(tmp_path / database.FILE_NAME)
    dead = connection.execute("SELECT kind, payload FROM message_queue WHERE status = 'dead'").fetchall()
    ends = connection.execute("SELECT ended_at FROM attempts ORDER BY outbox_id").fetchall()
    connection.close()
    assert dead == [("send_reply", '{"outbox":1}')]
    assert ends == [(5,), (None,)]


async def test_topics_and_replies_of_before_menus_are_taken_along(tmp_path: Path) -> None:
    """Old topics are found as before and have no other names; an old reply offered nothing; a change is noticed."""
    await before(
        tmp_path,
        """
        INSERT INTO knowledge (organization_id, title, body, updated_at) VALUES
            (1, 'Opening hours', 'From nine to five.', 1), (1, 'Parking', 'Behind the café.', 1);
        INSERT INTO contacts (id, channel_id, address, created_at) VALUES (1, 1, '+2', 1);
        INSERT INTO conversations (id, organization_id, channel_id, contact_id, session_key, status, created_at,
            updated_at, expires_at) VALUES (1, 1, 1, 1, 'a', 'progress', 1, 1, 9);
        INSERT INTO outbox (organization_id, channel_id, contact_id, conversation_id, kind, body, body_hash, state,
            created_at) VALUES (1, 1, 1, 1, 'dont_know', '', x'', 'delivered', 5);
    """,
    )

    store = await Store.open(tmp_path, SystemClock())
    try:
        found = await store.read(lambda tx: tx.knowledge.propose(1, ("cafe", "hours")))
        first = await store.read(lambda tx: tx.knowledge.version(1))
        await store.write(lambda tx: tx.knowledge.put(1, "Parking", "Behind the bar.", ("garage",)))
        named = await store.read(lambda tx: tx.knowledge.propose(1, ("garage", "cafe")))

        assert sorted((topic.title, topic.aliases) for topic in found) == [("Opening hours", ()), ("Parking", ())]
        assert [(topic.title, topic.aliases) for topic in named] == [("Parking", ("garage",))]
        assert await store.read(lambda tx: tx.knowledge.version(1)) > first
        assert await store.read(lambda tx: (tx.outbox.menu(1), tx.outbox.streak(1, "dont_know", 3))) == ((), 1)
    finally:
        await store.close()


async def test_a_database_of_before_former_accounts_opens(tmp_path: Path) -> None:
    """What was sent before a move names the account that a channel had; a copy that is still to be deleted at Twilio may
    be in either, and one that is no moved channel's in the only one.
    """
    with pytest.MonkeyPatch.context() as patch:
        known = database.migrations()[:9]
        patch.setattr(database, "migrations", lambda: known)
        await open_and_close(tmp_path)
    path = tmp_path / database.FILE_NAME
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            INSERT INTO organizations (id, name, language, timezone, created_at) VALUES (1, 'P', 'en', 'UTC', 1);
            INSERT INTO channels (id, organization_id, account, address, created_at, watermark_at)
                VALUES (1, 1, 'new', '+1', 1, 1), (2, 1, 'main', '+2', 1, 1);
            INSERT INTO contacts (id, channel_id, address, created_at) VALUES (1, 1, '+9', 1), (2, 2, '+9', 1);
            INSERT INTO outbox (id, organization_id, channel_id, contact_id, kind, body, body_hash, state, created_at)
                VALUES (1, 1, 1, 1, 'answer', '', x'', 'sent', 1);
            INSERT INTO attempts (outbox_id, number, tag, started_at, account) VALUES (1, 1, 't', 1, 'old');
            INSERT INTO forgettings (id, organization_id, contact_id, state, at_twilio, requested_by, requested_at)
                VALUES (1, 1, 1, 'at_twilio', 1, 'cli', 1), (2, 1, 2, 'at_twilio', 1, 'cli', 1);
            INSERT INTO copies_at_twilio (sid, forgetting_id) VALUES ('SM1', 1), ('SM2', 2);
        """)

    await open_and_close(tmp_path)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT channel_id, account, read_from FROM former_accounts").fetchall() == [
            (1, "old", None)
        ]
        copies = connection.execute("SELECT sid, account, forgetting_id FROM copies_at_twilio ORDER BY 1, 2").fetchall()
        assert copies == [("SM1", "new", 1), ("SM1", "old", 1), ("SM2", "main", 2)]
        assert connection.execute("SELECT waits_for, look_at FROM forgettings").fetchall() == [(None, None)] * 2
