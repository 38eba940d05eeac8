"""Group commit: closures gather while a batch is being synced, and share the next BEGIN, COMMIT and fsync.

There is no timer: batch k+1 gathers during the fsync of batch k. A unit of work is a synchronous closure, so awaiting
inside a transaction is impossible by construction.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import aiosqlite

from appliance.errors import ApplianceError, StorageBrokenError, StorageBusyError, StorageFullError
from appliance.store import stir
from appliance.store.news import Audience, Nobody
from appliance.store.tx import Tx

T = TypeVar("T")
Unit = Callable[[Tx], Any]
BATCH_LIMIT = 256
_ROLLING_BACK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT)


class Runner(Protocol):
    """Runs a function over the writer's connection: on its thread in production, in line in a simulation."""

    def __call__(self, work: Callable[[sqlite3.Connection], T]) -> Awaitable[T]: ...


def on_thread(connection: aiosqlite.Connection) -> Runner:
    """The one place that uses aiosqlite's private call: it has no public one for running a function."""

    async def run(work: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await connection._execute(work, connection._conn)  # type: ignore[no-untyped-call]  # noqa: SLF001
        return result

    return run


@dataclass(frozen=True, slots=True)
class Failed:
    error: BaseException


class BatchLostError(Exception):
    """The whole transaction is gone: nothing of the batch was stored, or nobody knows."""


def commit_batch(connection: sqlite3.Connection, tx: Tx, units: list[Unit]) -> list[Any]:
    """Run units in one transaction, each in its savepoint; a unit's own error is its result, as Failed.

    What they have to tell is in `tx.news` afterwards.
    """
    tx.news.clear()
    try:
        connection.execute("BEGIN IMMEDIATE")
        results = [_run_unit(connection, tx, unit) for unit in units]
        began = time.perf_counter()
        connection.execute("COMMIT")
        tx.commit_seconds = time.perf_counter() - began
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _run_unit(connection: sqlite3.Connection, tx: Tx, unit: Unit) -> Any:
    connection.execute("SAVEPOINT unit")
    told = len(tx.news)
    try:
        result = unit(tx)
    except Exception as error:  # a unit's error belongs to its caller
        # SQLITE_FULL and its kin roll the whole transaction back. A rollback to the savepoint would then fail or,
        # worse, let the next unit commit by itself while this batch is reported as stored.
        if not connection.in_transaction or _primary_code(error) in _ROLLING_BACK:
            raise BatchLostError from error
        connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")
        del tx.news[told:]
        return Failed(error)
    connection.execute("RELEASE unit")
    return result


def _primary_code(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def storage_error(error: BaseException) -> ApplianceError | None:
    """What a lost batch means, or None for an error that is a bug of ours."""
    cause = error.__cause__ if isinstance(error, BatchLostError) and error.__cause__ else error
    code = _primary_code(cause)
    if code == sqlite3.SQLITE_FULL:
        return StorageFullError()
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageBusyError()
    if isinstance(cause, sqlite3.DatabaseError) and not isinstance(cause, sqlite3.IntegrityError):
        return StorageBrokenError(f"The storage failed ({getattr(cause, 'sqlite_errorname', 'unknown error')}).")
    return None


class Writer:
    def __init__(
        self,
        run: Runner,
        tx: Tx,
        after: Callable[[], Awaitable[None]],
        on_fault: Callable[[ApplianceError], None],
        audience: Audience | None = None,
    ) -> None:
        """`after` is awaited between batches (checkpoints), `on_fault` is told of every batch that was lost, `audience`
        of what those had to tell that were not.
        """
        self._run = run
        self._tx = tx
        self._after = after
        self._gathered: deque[tuple[Unit, asyncio.Future[Any]]] = deque()
        self._draining: asyncio.Task[None] | None = None
        self.broken: ApplianceError | None = None
        self._on_fault = on_fault
        self._audience = audience or Nobody()
        self.batches = 0
        self._watchers: list[Callable[[frozenset[int]], None]] = []

    @property
    def commit_seconds(self) -> float:
        return self._tx.commit_seconds

    async def listen(self, heard: Callable[[frozenset[int]], None]) -> None:
        """From now on `heard` is told of the organizations that a batch changed something of."""
        self._watchers.append(heard)
        if len(self._watchers) == 1:
            await self._run(stir.begin)

    async def leave(self, heard: Callable[[frozenset[int]], None]) -> None:
        self._watchers.remove(heard)
        if not self._watchers:
            await self._run(stir.end)

    async def write(self, unit: Callable[[Tx], T]) -> T:
        """Run a unit of work and return its result once it is on disk.

        A cancelled caller does not take its unit back: it is committed all the same. Raises what the unit raised, or
        StorageUnavailableError (nothing stored), or StorageBrokenError (not known).
        """
        if self.broken:
            raise self.broken
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._gathered.append((unit, future))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain(), name="store-writer")
        result: T = await future
        return result

    async def close(self) -> None:
        if self._draining is not None:
            await self._draining

    async def _drain(self) -> None:
        while self._gathered:
            batch = [self._gathered.popleft() for _ in range(min(len(self._gathered), BATCH_LIMIT))]
            for (_, future), result in zip(batch, await self._commit([unit for unit, _ in batch]), strict=True):
                if future.done():
                    continue
                if isinstance(result, Failed):
                    future.set_exception(result.error)
                else:
                    future.set_result(result)
            try:
                await self._after()
            except sqlite3.DatabaseError as error:
                self.lost(error)  # it concerns no caller: everything told so far is in the log

    async def _commit(self, units: list[Unit]) -> list[Any]:
        if self.broken:  # by an earlier batch: the connection is not trusted any more
            return [Failed(self.broken)] * len(units)
        self.batches += 1
        try:
            results = await self._run(lambda connection: commit_batch(connection, self._tx, units))
        except Exception as error:  # noqa: BLE001  # every caller of the batch hears of it
            return [Failed(self.lost(error))] * len(units)
        await self._stir()
        self._audience.committed(self._tx.commit_seconds)
        for news in self._tx.news:
            self._audience.hear(news)
        return results

    async def _stir(self) -> None:
        if self._watchers:
            changed = await self._run(stir.take)
            for heard in self._watchers:
                heard(changed)

    def lost(self, error: Exception) -> Exception:
        """What an error of the connection means for whoever waits; where it failed it is not used again."""
        fault = storage_error(error)
        if fault is None:
            return error
        if isinstance(fault, StorageBrokenError):
            self.broken = fault
        self._on_fault(fault)
        return fault
