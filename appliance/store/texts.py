"""An organization's own wording of the fixed texts."""

from appliance.store.sql import Row, Sql


class Texts:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def of(self, organization_id: int) -> list[Row]:
        """language, key, body, changed_at (ms UTC)."""
        return self._sql.all(
            "SELECT language, key, body, changed_at FROM texts WHERE organization_id = ?", organization_id
        )

    def put(self, organization_id: int, language: str, key: str, body: str) -> None:
        self._sql.run(
            "INSERT OR REPLACE INTO texts (organization_id, language, key, body, changed_at) VALUES (?, ?, ?, ?, ?)",
            organization_id,
            language,
            key,
            body,
            self._sql.now,
        )

    def reset(self, organization_id: int, language: str, key: str) -> None:
        self._sql.run(
            "DELETE FROM texts WHERE organization_id = ? AND language = ? AND key = ?", organization_id, language, key
        )
