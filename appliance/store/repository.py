"""What every aggregate's store has in common: get, page, and rows as typed values."""

from dataclasses import fields
from typing import Any, ClassVar, Generic, TypeVar

from appliance.store.sql import Row, Sql

T = TypeVar("T")


class Repository(Generic[T]):
    table: ClassVar[str]
    type: type[T]

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        names = [field.name for field in fields(self.type)]  # type: ignore[arg-type]  # T is always a dataclass
        self._columns = ", ".join(names)
        self._names = names

    def get(self, row_id: int) -> T | None:
        return self._find("id = ?", row_id)

    def page_of_the_box(self, after: int = 0, limit: int = 100) -> list[T]:
        """Rows with a greater id, oldest first."""
        return self._select("id > ? ORDER BY id LIMIT ?", after, limit)

    def _find(self, condition: str, *values: Any) -> T | None:
        rows = self._select(condition, *values)
        return rows[0] if rows else None

    def _select(self, condition: str, *values: Any) -> list[T]:
        # The condition and the names are literals of this package; values are bound.
        statement = f"SELECT {self._columns} FROM {self.table} WHERE {condition}"  # noqa: S608
        return [self._load(row) for row in self._sql.all(statement, *values)]

    def _load(self, row: Row) -> T:
        return self.type(**{name: row[name] for name in self._names})
