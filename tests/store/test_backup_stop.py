"""A stop during a backup: it ends at once, nothing of the copy is left, and the next start takes it anew."""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.errors import DatabaseError
from appliance.store import Store, backup
from tests.support.box import Box

ROWS = 100_000
# Read by Python before the process begins: a card on which every thousand instructions of a copy take 10 ms.
SLOW_CARD = """
import sqlite3, threading, time

class Slow(sqlite3.Connection):
    asked = None

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.copies = threading.current_thread().name.startswith("backup")
        if self.copies:
            super().set_progress_handler(self.step, 1_000)

    def set_progress_handler(self, handler, instructions):
        if self.copies:
            self.asked = handler
        else:
            super().set_progress_handler(handler, instructions)

    def step(self):
        time.sleep(0.01)
        return self.asked() if self.asked else 0

connect = sqlite3.connect
sqlite3.connect = lambda *arguments, **options: connect(*arguments, **{"factory": Slow} | options)
"""
QUEUED = (
    "INSERT INTO message_queue (kind, lane, resource, status, run_at, created_at) "
    "VALUES ('backup', 'tick:backup', '', 'ready', 0, 0)"
)


def fill(database: Path) -> None:
    """Rows of no meaning, so that a copy has something to do."""
    with closing(sqlite3.connect(database)) as connection:
        numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        connection.execute("CREATE TABLE ballast (number INTEGER NOT NULL)")
        connection.execute(f"{numbers} INSERT INTO ballast SELECT i FROM n", (ROWS,))
        connection.commit()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    opened = await Store.open(tmp_path, SystemClock())
    yield opened
    await opened.close()


async def until_it_copies(box: Box) -> Path:
    """The file that the copy is written to."""
    async with asyncio.timeout(20):
        while not (found := list((box.directory / "data" / "backups").glob("*.part"))):
            await asyncio.sleep(0.01)
    return found[0]


@pytest.mark.parametrize("by", ["the schedule", "an operator"])
async def test_a_stop_ends_a_backup(tmp_path: Path, by: str) -> None:
    """SIGTERM while the copy is made: the process ends well within its grace, cleanly, and leaves no part of it."""
    (tmp_path / "sitecustomize.py").write_text(SLOW_CARD)
    async with Box(tmp_path) as box:
        fill(box.directory / "data" / "appliance.db")
        if by == "the schedule":
            with closing(sqlite3.connect(box.directory / "data" / "appliance.db")) as connection, connection:
                connection.execute(QUEUED)
        await box.start("env", f"PYTHONPATH={tmp_path}:{box.environ['PYTHONPATH']}")
        asked = asyncio.create_task(box.command("backup")) if by == "an operator" else None
        await until_it_copies(box)
        began = time.monotonic()

        assert await box.stop() == 0
        took = time.monotonic() - began
        print(f"stopped {took:.2f} s after SIGTERM")

        assert took < 5.0
        assert list((box.directory / "data" / "backups").iterdir()) == []
        if asked is not None:
            with pytest.raises(AssertionError):
                await asked
        else:
            found = "SELECT status, attempts, crashes FROM message_queue WHERE kind = 'backup'"
            assert box.rows(found) == [("ready", 0, 0)]


async def test_a_backup_can_be_stopped_wherever_it_is(store: Store) -> None:
    """At every place where it asks: no copy, no part of one, one sentence; and the next one is whole."""
    fill(store.path)
    asked = itertools.count()
    whole = backup.keep_one(store.directory, 0, lambda: next(asked) < 0)
    times = next(asked)
    whole.unlink()

    assert times > 100
    for place in range(0, times, 20):
        asked = itertools.count()
        with pytest.raises(DatabaseError, match="interrupted"):
            backup.keep_one(store.directory, 0, lambda: next(asked) >= place)  # noqa: B023
        assert list(whole.parent.iterdir()) == []
    assert backup.keep_one(store.directory, 0) == whole
