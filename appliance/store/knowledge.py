"""What an organization tells its customers, by topic, with full-text search that only proposes."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.model import Topic
from appliance.store.repository import Repository
from appliance.store.sql import Row


@dataclass(frozen=True, slots=True)
class Kept:
    """A topic, when it was last changed and by whom: a user's e-mail, 'api' or 'cli'; empty: not known."""

    topic: Topic
    updated_at: int
    changed_by: str


class Knowledge(Repository[Topic]):
    table = "knowledge"
    type = Topic

    def _load(self, row: Row) -> Topic:
        return Topic(row["id"], row["title"], row["body"], tuple(row["aliases"].splitlines()))

    def put(
        self, organization_id: int, title: str, body: str, aliases: Sequence[str] = (), changed_by: str = ""
    ) -> int:
        """Add a topic or replace the one with this title; its id. An alias is one line."""
        topic_id = self._sql.value(
            "INSERT INTO knowledge (organization_id, title, body, aliases, updated_at, changed_by) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (organization_id, title) DO UPDATE SET body = excluded.body, "
            "aliases = excluded.aliases, updated_at = excluded.updated_at, changed_by = excluded.changed_by "
            "RETURNING id",
            organization_id,
            title,
            body,
            "\n".join(aliases),
            self._sql.now,
            changed_by,
        )
        return int(topic_id)

    def change(self, topic_id: int, title: str, body: str, aliases: Sequence[str], changed_by: str) -> None:
        self._sql.run(
            "UPDATE knowledge SET title = ?, body = ?, aliases = ?, updated_at = ?, changed_by = ? WHERE id = ?",
            title,
            body,
            "\n".join(aliases),
            self._sql.now,
            changed_by,
            topic_id,
        )

    def kept(self, organization_id: int, topic_id: int) -> Kept | None:
        row = self._sql.one("SELECT * FROM knowledge WHERE id = ? AND organization_id = ?", topic_id, organization_id)
        return Kept(self._load(row), row["updated_at"], row["changed_by"]) if row else None

    def titles(self, organization_id: int) -> dict[int, str]:
        """By the topic's id."""
        rows = self._sql.all("SELECT id, title FROM knowledge WHERE organization_id = ? ORDER BY id", organization_id)
        return {row["id"]: row["title"] for row in rows}

    def starts(self, organization_id: int, length: int, limit: int) -> list[tuple[int, str, str]]:
        """Of each topic its id, title and the first characters of its text; oldest first."""
        rows = self._sql.all(
            "SELECT id, title, substr(body, 1, ?) FROM knowledge WHERE organization_id = ? ORDER BY id LIMIT ?",
            length,
            organization_id,
            limit,
        )
        return [(row[0], row[1], row[2]) for row in rows]

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
