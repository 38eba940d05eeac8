"""What an organization tells its customers, by topic, with full-text search that only proposes."""

from collections.abc import Sequence

from appliance.model import Topic
from appliance.store.repository import Repository
from appliance.store.sql import Row


class Knowledge(Repository[Topic]):
    table = "knowledge"
    type = Topic

    def _load(self, row: Row) -> Topic:
        return Topic(row["id"], row["title"], row["body"], tuple(row["aliases"].splitlines()))

    def put(self, organization_id: int, title: str, body: str, aliases: Sequence[str] = ()) -> None:
        """Add a topic or replace the one with this title. An alias is one line."""
        self._sql.run(
            "INSERT INTO knowledge (organization_id, title, body, aliases, updated_at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (organization_id, title) DO UPDATE "
            "SET body = excluded.body, aliases = excluded.aliases, updated_at = excluded.updated_at",
            organization_id,
            title,
            body,
            "\n".join(aliases),
            self._sql.now,
        )

    def rebuild_indexes(self) -> None:
        """Made anew from what is there: an index keeps words of deleted topics until it merges its parts."""
        self._sql.run("INSERT INTO knowledge_fts (knowledge_fts) VALUES ('rebuild')")

    def remove(self, topic_id: int) -> None:
        self._sql.run("DELETE FROM knowledge WHERE id = ?", topic_id)

    def of(self, organization_id: int) -> list[Topic]:
        return self._select("organization_id = ? ORDER BY id", organization_id)

    def untaught(self, before: int) -> list[tuple[int, str]]:
        """The enabled organizations without a topic that were registered before a time: (id, name)."""
        rows = self._sql.all(
            "SELECT id, name FROM organizations o WHERE disabled_at IS NULL AND created_at <= ? "
            "AND NOT EXISTS (SELECT 1 FROM knowledge k WHERE k.organization_id = o.id) LIMIT 100",
            before,
        )
        return [(row["id"], row["name"]) for row in rows]

    def version(self, organization_id: int) -> int:
        """Another number after each change of the organization's topics."""
        return int(self._sql.value("SELECT knowledge_version FROM organizations WHERE id = ?", organization_id))

    def propose(self, organization_id: int, terms: Sequence[str], limit: int = 20) -> list[Topic]:
        """Topics that hold any of the terms, best first. A term is quoted: no FTS5 syntax survives in it."""
        if not terms:
            return []
        query = " OR ".join(f'"{term.rstrip("*")}"{"*" if term.endswith("*") else ""}' for term in terms)
        rows = self._sql.all(
            "SELECT k.id, k.title, k.body, k.aliases FROM knowledge_fts f JOIN knowledge k ON k.id = f.rowid "
            "WHERE knowledge_fts MATCH ? AND k.organization_id = ? ORDER BY f.rank LIMIT ?",
            query,
            organization_id,
            limit,
        )
        return [self._load(row) for row in rows]
