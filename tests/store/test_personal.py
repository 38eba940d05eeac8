"""Each column of each table is classed, and what is forgotten is what the table says, to the last byte."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.people import identity
from appliance.store import Store, Tx, database
from appliance.store.database import FILE_NAME
from appliance.store.personal import OF_CUSTOMERS, TABLES, Rows, Told
from tests.privacy.scene import NAME, WORDS, forget, live, open_shop, states, traces
from tests.support.world import CUSTOMER

OURS = Path(database.__file__).parent / "migrations"


async def schema(directory: Path, more: str = "") -> dict[str, set[str]]:
    """The columns of each table as SQLite has them, FTS5's own tables included. Views hold nothing of their own."""
    await (await Store.open(directory, SystemClock())).close()
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        connection.executescript(more)
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))}
            for name in names
        }


async def test_every_column_is_classed(tmp_path: Path) -> None:
    """A column or a table that a migration adds fails here until somebody says what it tells about a customer."""
    assert {name: set(table.columns) for name, table in TABLES.items()} == await schema(tmp_path)


async def test_a_new_column_is_noticed(tmp_path: Path) -> None:
    """The control: one more column, one more table."""
    more = "ALTER TABLE messages ADD COLUMN mood TEXT; CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);"
    found = await schema(tmp_path, more)

    assert found["messages"] - set(TABLES["messages"].columns) == {"mood"}
    assert found.keys() - TABLES.keys() == {"notes"}


def test_each_personal_column_says_how_it_goes() -> None:
    """Whose rows they are, and what becomes of the column where the row stays."""
    for name, table in TABLES.items():
        personal = table.named(Told.PERSONAL)
        assert bool(personal) == bool(table.whose), name
        if table.rows == Rows.STAY:
            assert [column for column in personal if not table.columns[column].becomes] == [], name


def _known_otherwise(tx: Tx) -> None:
    """Somebody else is the same person, Twilio calls the customer by one more address, and its log has a message more."""
    identity.join(tx, 1, tx.contacts.ensure(1, "+5511900000001").id, "by hand")
    tx.links.note(1, "+551188887777", "WaId")
    tx.sql.run(
        "INSERT INTO differences (organization_id, account, day, sid, kind, contact_id, found_at) "
        "VALUES (1, 'main', '2026-11-30', 'SM1', 'missing here', 1, 0)"
    )


async def test_what_is_left_is_what_the_table_says(tmp_path: Path) -> None:
    """One person who left something in every table: after forgetting each personal column is what it becomes."""
    async with open_shop(tmp_path) as world:
        await live(world)
        await world.say("quero falar com uma pessoa")  # a card
        await world.say("SAIR")
        await world.settle()
        await world.appliance.store.write(_known_otherwise)
        for name, table in OF_CUSTOMERS.items():
            if table.rows != Rows.LATER:
                assert await world.column(f"SELECT count(*) FROM {name}") != [0], name

        await forget(world)
        await world.settle()

        assert await states(world) == ["done"]
        for name, table in OF_CUSTOMERS.items():
            if table.rows == Rows.STAY:
                personal = [(column, table.columns[column].becomes) for column in table.named(Told.PERSONAL)]
                full = " OR ".join(f"{column} IS NOT {becomes}" for column, becomes in personal)
                # A number of ours, and who had been the same person.
                but = {"cards": "subject LIKE 'number:%'", "contacts": "id <> 1"}.get(name, "false")
                assert await world.rows(f"SELECT * FROM {name} WHERE ({full}) AND NOT ({but})") == [], name
            elif name != "message_queue":
                assert await world.rows(f"SELECT * FROM {name}") == [], name
        assert await world.column("SELECT DISTINCT lane FROM message_queue WHERE lane NOT LIKE 'tick:%'") == []


async def test_what_is_deleted_is_overwritten(tmp_path: Path) -> None:
    """Rows that grew, shrank and went before anybody asked left nothing behind either."""
    async with open_shop(tmp_path) as world:
        await live(world)
        for number in range(200):
            await world.appliance.store.write(
                lambda tx, number=number: tx.sql.run(  # type: ignore[misc]
                    "INSERT INTO message_queue (kind, lane, resource, payload, status, run_at, created_at, finished_at) "
                    "VALUES ('send_reply', ?, '', ?, 'done', 0, 0, 0)",
                    f"+551140000000|{CUSTOMER}",
                    f'{{"x": "{WORDS[0] * (number % 90)}"}}',
                )
            )
        await world.appliance.store.write(lambda tx: tx.sql.run("DELETE FROM message_queue WHERE id % 3 = 0"))
        await forget(world)
        await world.settle()

        assert traces(world.appliance.store.directory, [CUSTOMER[1:], NAME, *WORDS]) == {}


async def test_an_older_file_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What earlier versions deleted without overwriting it goes with the step to this schema."""
    steps = database.migrations()
    with monkeypatch.context() as patch:
        patch.setattr(database, "migrations", lambda: steps[:4])
        patch.setitem(database._WRITER_PRAGMAS, "secure_delete", 0)
        await (await Store.open(tmp_path, SystemClock())).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("PRAGMA secure_delete = 0")
        filler = "INSERT INTO message_queue (kind, lane, resource, status, run_at, created_at) VALUES ('x', ?, '', 'done', 0, 0)"
        connection.executemany(filler, [(f"{WORDS[0]} {number}",) for number in range(500)])
        connection.commit()
        connection.execute("DELETE FROM message_queue")
        connection.commit()
    assert traces(tmp_path, [WORDS[0]]) == {FILE_NAME: [WORDS[0]]}

    await (await Store.open(tmp_path, SystemClock())).close()

    assert traces(tmp_path, [WORDS[0]]) == {}
