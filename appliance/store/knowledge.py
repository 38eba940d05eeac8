"""What an organization tells its customers, by topic, with full-text search that only proposes."""

from collections.abc import Sequence

from appliance.model import Topic
from appliance.store.repository import Repository


class Knowledge(Repository[Topic]):
    table = "knowledge"
    type = Topic

    def put(self, organization_id: int, title: str, body: str) -> None:
        """Add a topic or replace the one with this title."""
        self._sql.run(
            "INSERT INTO knowledge (organization_id, title, body, updated_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (organization_id, title) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
            organization_id,
            title,
            body,
            self._sql.now,
        )

    def remove(self, topic_id: int) -> None:
        self._sql.run("DELETE FROM knowledge WHERE id = ?", topic_id)

    def of(self, organization_id: int) -> list[Topic]:
        return self._select("organization_id = ? ORDER BY id", organization_id)

    def all_if_few(self, organization_id: int, limit: int) -> list[Topic]:
        """All topics where there are no more than the limit, else none."""
        topics = self._select("organization_id = ? ORDER BY id LIMIT ?", organization_id, limit + 1)
        return topics if len(topics) <= limit else []

    def propose(self, organization_id: int, terms: Sequence[str], limit: int = 20) -> list[Topic]:
        """Topics that hold any of the terms, best first. A term is quoted: no FTS5 syntax survives in it."""
        if not terms:
            return []
        query = " OR ".join(f'"{term.rstrip("*")}"{"*" if term.endswith("*") else ""}' for term in terms)
        rows = self._sql.all(
            "SELECT k.id, k.title, k.body FROM knowledge_fts f JOIN knowledge k ON k.id = f.rowid "
            "WHERE knowledge_fts MATCH ? AND k.organization_id = ? ORDER BY f.rank LIMIT ?",
            query,
            organization_id,
            limit,
        )
        return [self._load(row) for row in rows]
