"""Facts about the box that must survive it."""

from appliance.store.sql import Sql


class Box:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def get(self, key: str) -> str | None:
        value: str | None = self._sql.value("SELECT value FROM box WHERE key = ?", key)
        return value

    def remove(self, key: str) -> None:
        self._sql.run("DELETE FROM box WHERE key = ?", key)

    def put(self, key: str, value: str) -> None:
        self._sql.run(
            "INSERT INTO box (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            value,
        )
