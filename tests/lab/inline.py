"""The store in line: the product's writer and SQL over one in-memory database, with images that cost microseconds.

Everything the product runs in a unit of work runs here unchanged, through `commit_batch`. Only the thread and the file
are missing: durability is what the power-cut laboratory is for.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from appliance.store.database import migrations
from appliance.store.sql import Sql
from appliance.store.store import ignore
from appliance.store.tx import Tx
from appliance.store.writer import Unit, Writer

T = TypeVar("T")
Image = tuple[list[Any], ...]
# In an order in which rows may be inserted; organizations, users and knowledge never change in a simulation.
_TABLES = (
    "sqlite_sequence",
    "channels",
    "contacts",
    "contact_links",
    "contact_aliases",
    "conversations",
    "outbox",
    "attempts",
    "cards",
    "messages",
    "unanswered",
    "topic_answers",
    "handover_events",
    "pauses",
    "delivery_events",
    "orphaned_messages",
    "message_queue",
    "box",
)
_WRITES = ("INSERT", "UPDATE", "DELETE")


class Disk(sqlite3.Connection):
    """A connection that finds no space where it is told so. SQLite then rolls the whole transaction back."""

    has_space: Callable[[], bool] = staticmethod(lambda: True)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:  # type: ignore[override]
        if statement.startswith(_WRITES) and self.in_transaction and not self.has_space():
            super().execute("ROLLBACK")
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().execute(statement, values)


class Database:
    """One migrated database in memory that can be put back to an image of itself.

    An image is rows, not pages: SQLite then keeps its prepared statements, which is most of the speed. (Switching
    foreign keys off for a restore would expire them too.)
    """

    def __init__(self, now: Callable[[], int], schema: Callable[[str], str] = str) -> None:
        """`schema` may change the migration's text: a control takes a guard away."""
        self.connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=1000, factory=Disk)
        for _, sql in migrations():
            self.connection.executescript(schema(sql))
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA foreign_keys = 1")
        self.tx = Tx(Sql(self.connection, now))
        self._cursor = self.connection.cursor()
        self._cursor.row_factory = None  # plain tuples
        self._inserts: dict[str, str] = {}
        for table in _TABLES:
            width = len(self.rows(f"PRAGMA table_info({table})"))
            self._inserts[table] = f"INSERT INTO {table} VALUES ({', '.join('?' * width)})"

    def rows(self, statement: str, *values: Any) -> list[Any]:
        return self._cursor.execute(statement, values).fetchall()

    def image(self) -> Image:
        """What is committed. Units are synchronous, so nothing is half done between two of them."""
        assert not self.connection.in_transaction
        return tuple(self.rows(f"SELECT * FROM {table}") for table in _TABLES)

    def restore(self, image: Image) -> None:
        execute = self._cursor.execute
        execute("BEGIN")
        for table in reversed(_TABLES):
            execute(f"DELETE FROM {table}")
        for table, rows in zip(_TABLES, image, strict=True):
            if rows and table != "sqlite_sequence":
                self._cursor.executemany(self._inserts[table], rows)
        execute("DELETE FROM sqlite_sequence")  # the inserts above moved it
        self._cursor.executemany(self._inserts["sqlite_sequence"], image[0])
        execute("COMMIT")


class _NoReserve:
    def keep(self) -> None:
        """There is no disk."""


class InlineStore:
    """What the use cases see as appliance.store.Store. It belongs to one life of the process.

    `around` is awaited before and after each commit with the units of the batch: a crash happens there. A write may
    find no space where `has_space` says so.
    """

    def __init__(
        self,
        database: Database,
        around: Callable[[str, list[Unit]], Awaitable[None]],
        has_space: Callable[[], bool],
    ) -> None:
        self._database = database
        self._around = around
        database.connection.has_space = has_space
        self._waiting: list[Unit] = []
        self._writer = Writer(self._run, database.tx, self._nothing_to_checkpoint, ignore)
        self.reserve = _NoReserve()

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        units, self._waiting = self._waiting, []
        await self._around("before", units)
        result = work(self._database.connection)
        await self._around("after", units)
        return result

    async def _nothing_to_checkpoint(self) -> None: ...

    was_left_by_a_death = True  # a life that ends in order leaves nothing that runs

    def taken_up(self) -> None: ...

    @property
    def is_busy(self) -> bool:
        """Whether a batch is on its way to the disk."""
        return self._writer._draining is not None and not self._writer._draining.done()

    async def write(self, unit: Callable[[Tx], T]) -> T:
        self._waiting.append(unit)
        return await self._writer.write(unit)

    async def read(self, unit: Callable[[Tx], T], limit: float | None = None) -> T:
        return unit(self._database.tx)
