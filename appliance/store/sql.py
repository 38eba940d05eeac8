"""The only way to run a statement: everything is fetched before the call returns.

An unfetched RETURNING would make the COMMIT fail for the whole batch, so no cursor leaves this module.
"""

import sqlite3
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

Row = sqlite3.Row
VERSION = sqlite3.sqlite_version
_SOME = 500  # rows


class Sql:
    def __init__(self, connection: sqlite3.Connection, now: Callable[[], int]) -> None:
        self._connection = connection
        self._now = now

    @property
    def now(self) -> int:
        """The wall clock, milliseconds UTC."""
        return self._now()

    @cached_property
    def directory(self) -> Path | None:
        """Where the database lies; None for one in memory."""
        file = self._connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0]
        return Path(file).parent if file else None

    def all(self, statement: str, *values: Any, **named: Any) -> list[Row]:
        return self._connection.execute(statement, named or values).fetchall()

    def each(self, statement: str, **named: Any) -> Iterator[Row]:
        """As all(), some rows at a time: only of a reading without limit, whose connection ends with it."""
        cursor = self._connection.execute(statement, named)
        while rows := cursor.fetchmany(_SOME):
            yield from rows

    def one(self, statement: str, *values: Any) -> Row | None:
        rows = self.all(statement, *values)
        return rows[0] if rows else None

    def value(self, statement: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.one(statement, *values)
        return row[0] if row else None

    def run(self, statement: str, *values: Any, **named: Any) -> int:
        """How many rows changed. A statement has either `?` or `:name`."""
        return self._connection.execute(statement, named or values).rowcount

    def insert(self, table: str, **columns: Any) -> int:
        """The id of the new row. A broken constraint raises sqlite3.IntegrityError."""
        return self._insert(table, "", columns) or 0

    def insert_new(self, table: str, conflict: str, **columns: Any) -> int | None:
        """The id of the new row, or None where the unique `conflict` target has one already."""
        return self._insert(table, f" ON CONFLICT {conflict} DO NOTHING", columns)

    def _insert(self, table: str, suffix: str, columns: dict[str, Any]) -> int | None:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        # Table and column names are literals of this package, never input.
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks}){suffix} RETURNING rowid"  # noqa: S608
        row = self.one(statement, *columns.values())
        return int(row[0]) if row else None
