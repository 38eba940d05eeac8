"""Cards: what needs the owner's eye, one open card per kind and subject."""

from appliance.store.sql import Row, Sql


class Cards:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def open(self, kind: str, subject: str, text: str, organization_id: int | None = None) -> int:
        """Open a card, or count one more time on the open one. `text` holds no body and no full address."""
        now = self._sql.now
        self._sql.run(
            "INSERT INTO cards (organization_id, kind, subject, text, opened_at, last_at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (kind, subject) WHERE closed_at IS NULL "
            "DO UPDATE SET times = times + 1, last_at = excluded.last_at, text = excluded.text",
            organization_id,
            kind,
            subject,
            text,
            now,
            now,
        )
        card_id = self._sql.value(
            "SELECT id FROM cards WHERE kind = ? AND subject = ? AND closed_at IS NULL", kind, subject
        )
        return int(card_id)

    def close(self, kind: str, subject: str) -> None:
        self._sql.run(
            "UPDATE cards SET closed_at = ? WHERE kind = ? AND subject = ? AND closed_at IS NULL",
            self._sql.now,
            kind,
            subject,
        )

    def opened(self, limit: int = 200) -> list[Row]:
        return self._sql.all("SELECT * FROM cards WHERE closed_at IS NULL ORDER BY id DESC LIMIT ?", limit)
