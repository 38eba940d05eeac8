"""The store: one writer with group commit, one read-only reader, one lock over one SQLite file."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import TypeVar

import aiosqlite

from appliance.errors import ApplianceError, StorageFullError
from appliance.ports import Clock
from appliance.store.database import (
    FILE_NAME,
    check,
    configure_reader,
    configure_writer,
    migrate,
    opening_error,
    prepare_directory,
    uri,
    version_of,
)
from appliance.store.erasure import again, compare
from appliance.store.lock import Lock
from appliance.store.news import Audience
from appliance.store.reserve import Reserve
from appliance.store.restoration import complete
from appliance.store.sql import Sql
from appliance.store.tx import Tx
from appliance.store.writer import Runner, Writer, on_thread

T = TypeVar("T")
CHECKPOINT_BYTES = 1_000 * 4_120  # 1,000 pages with their frame headers
OnFault = Callable[[ApplianceError], None]
READ_LIMIT = 0.25  # seconds; a reader that stays longer keeps the WAL from being reset


def ignore(_error: ApplianceError) -> None:
    """Whoever writes hears of it anyway."""


class Store:
    """Use `await Store.open(directory, clock)`; `close()` in a finally, or aiosqlite's thread keeps the process."""

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        on_fault: OnFault,
        opened: AsyncExitStack,
        lock: Lock,
        writer: tuple[Runner, Tx],
        reader: tuple[Runner, Tx],
        audience: Audience | None,
    ) -> None:
        """`opened`: the lock and the connections, closed with the store."""
        self.directory = directory
        self.path = directory / FILE_NAME
        self.reserve = Reserve(directory)
        self.checkpoints = 0
        self.shortage: StorageFullError | None = None  # the last write that found no space
        self._clock = clock
        self._on_fault = on_fault
        self._opened = opened
        self._lock = lock
        self._run, writer_tx = writer
        self._read, self._reader_tx = reader
        self._writer = Writer(self._run, writer_tx, self._checkpoint_if_due, self._fault, audience)

    @classmethod
    async def open(
        cls, directory: Path, clock: Clock, on_fault: OnFault = ignore, audience: Audience | None = None
    ) -> "Store":
        """`on_fault` is told of each write that was lost, `audience` of what the others have to tell. Raises
        AlreadyRunningError or DatabaseError, one sentence.
        """

        async def connect(mode: str) -> Runner:
            connection = await aiosqlite.connect(uri(path, mode), uri=True, isolation_level=None)
            stack.push_async_callback(connection.close)
            return on_thread(connection)

        def begin(connection: sqlite3.Connection) -> Tx:
            return Tx(Sql(connection, clock.now))

        path = directory / FILE_NAME
        prepare_directory(directory)
        async with AsyncExitStack() as stack:
            lock = Lock(directory)
            lock.take()
            stack.callback(lock.release)
            complete(directory)
            try:
                run = await connect("rwc")
                await run(version_of)  # before anything is changed: the file may not be ours
                await run(configure_writer)
                await run(check)
                await run(lambda connection: migrate(connection, path))
                await run(lambda connection: _forget_again(connection, directory, clock))
                read = await connect("ro")
            except sqlite3.DatabaseError as error:
                raise opening_error(error, path) from error
            await read(configure_reader)
            parts = (run, await run(begin)), (read, await read(begin))
            Reserve(directory).keep()
            return cls(directory, clock, on_fault, stack.pop_all(), lock, *parts, audience)

    async def write(self, unit: Callable[[Tx], T]) -> T:
        """Run a unit of work; returns once it is on disk. See Writer.write."""
        return await self._writer.write(unit)

    async def read(self, unit: Callable[[Tx], T], limit: float | None = READ_LIMIT) -> T:
        """Run a reading closure in one snapshot. Over `limit` seconds it is interrupted (sqlite3.OperationalError)."""

        def work(connection: sqlite3.Connection) -> T:
            give_up = None if limit is None else time.monotonic() + limit
            connection.set_progress_handler((lambda: time.monotonic() > give_up) if give_up else None, 10_000)
            connection.execute("BEGIN")
            try:
                return unit(self._reader_tx)
            finally:
                connection.set_progress_handler(None, 0)
                connection.execute("ROLLBACK")

        return await self._read(work)

    async def inspect(self, unit: Callable[[Tx], T]) -> T:
        """Run a long reading closure on a connection of its own, so that nobody waits for it."""

        def work() -> T:
            with closing(sqlite3.connect(uri(self.path, "ro"), uri=True, isolation_level=None)) as connection:
                configure_reader(connection)
                connection.execute("BEGIN")
                return unit(Tx(Sql(connection, self._clock.now)))

        return await asyncio.to_thread(work)

    @property
    def was_left_by_a_death(self) -> bool:
        """Whether the process that had the store before ended without closing it."""
        return self._lock.tells_of_death

    def taken_up(self) -> None:
        """What the dead process left is in the hands of this one: it counts no second time."""
        self._lock.tells_of_death = False

    async def listen(self, heard: Callable[[frozenset[int]], None]) -> None:
        """`heard` is told of the organizations that changed, `stir.BOX` for the box itself, until leave()."""
        await self._writer.listen(heard)

    async def leave(self, heard: Callable[[frozenset[int]], None]) -> None:
        await self._writer.leave(heard)

    @property
    def batches(self) -> int:
        """How many batches the writer has committed."""
        return self._writer.batches

    @property
    def commit_seconds(self) -> float:
        """How long the last batch took to reach the disk."""
        return self._writer.commit_seconds

    def _fault(self, error: ApplianceError) -> None:
        if isinstance(error, StorageFullError):
            self.shortage = error
            self.reserve.release()
        self._on_fault(error)

    async def clean(self) -> bool:
        """Take what is deleted out of the write-ahead log too; False where a reader needs the log, such as a backup.

        It waits for nobody else's: the writer's batches would wait with it. Our own reader stands still meanwhile.
        """
        standing, done = threading.Event(), threading.Event()

        def stand_still(_connection: sqlite3.Connection) -> None:
            standing.set()
            done.wait(2 * READ_LIMIT)

        def truncate(connection: sqlite3.Connection) -> bool:
            standing.wait(2 * READ_LIMIT)
            patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
            connection.execute("PRAGMA busy_timeout = 0").fetchall()
            try:
                return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                connection.execute(f"PRAGMA busy_timeout = {patience}").fetchall()
                done.set()

        reader = asyncio.ensure_future(self._read(stand_still))
        try:
            return await self._run(truncate)
        except sqlite3.DatabaseError as error:
            raise self._writer.lost(error) from error
        finally:
            await reader

    async def _checkpoint_if_due(self) -> None:
        if self.wal_bytes() >= CHECKPOINT_BYTES:
            await self._run(lambda connection: connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())
            self.checkpoints += 1

    def wal_bytes(self) -> int:
        try:
            return self.path.with_name(f"{FILE_NAME}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    async def close(self) -> None:
        await self._writer.close()
        await self._opened.aclose()


def _forget_again(connection: sqlite3.Connection, directory: Path, clock: Clock) -> None:
    """A copy that was put in place may know somebody who was forgotten since: not when anybody is served from it."""
    tx = Tx(Sql(connection, clock.now))
    news = compare(tx, directory)
    if not news:  # as where nobody was ever forgotten
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = again(tx, directory, news)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if found:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
