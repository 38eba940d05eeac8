"""What customers asked and nobody could tell them, until it is taught, put away, or answered after all."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from appliance.store.repository import Repository

MOST = 2_000  # questions that one look groups, the newest
LONGEST = 1_600  # characters of one that are kept


@dataclass(frozen=True, slots=True)
class Question:
    """One message of a customer. `words`: equal ones ask the same."""

    id: int
    organization_id: int
    contact_id: int
    message_id: int
    words: str
    question: str
    asked_at: int
    settled_at: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The open questions of the same words. `id` and `question`: of the newest. `people`: each once."""

    id: int
    question: str
    times: int
    people: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked. `name`: as the customer's profile has it, if any."""

    contact_id: int
    name: str
    address: str


class Unanswered(Repository[Question]):
    table = "unanswered"
    type = Question

    def note(self, organization_id: int, contact_id: int, message_id: int, words: str, question: str) -> None:
        """A message is one question, however often it is tried."""
        self._sql.run(
            "INSERT INTO unanswered (organization_id, contact_id, message_id, words, question, asked_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            organization_id,
            contact_id,
            message_id,
            words,
            question,
            self._sql.now,
        )

    def answered(self, contact_id: int, message_ids: Sequence[int]) -> None:
        """It was known after all, as with what came next in the same burst."""
        self._sql.run(
            "DELETE FROM unanswered WHERE contact_id = ? AND settled_at IS NULL "
            "AND message_id IN (SELECT value FROM json_each(?))",
            contact_id,
            msgspec.json.encode(message_ids).decode(),
        )

    def of(self, organization_id: int, question_id: int) -> Question | None:
        """Open or settled."""
        return self._find("id = ? AND organization_id = ?", question_id, organization_id)

    def groups(self, organization_id: int, since: int, limit: int) -> list[Group]:
        """What was asked since a time (ms UTC): what most people asked first."""
        return self._groups(
            "u.organization_id = ? AND u.settled_at IS NULL AND u.asked_at >= ? ORDER BY u.asked_at DESC",
            organization_id,
            since,
            limit=limit,
        )

    def group(self, organization_id: int, words: str) -> Group | None:
        """Those of the same words, whenever they were asked."""
        condition = "u.organization_id = ? AND u.settled_at IS NULL AND u.words = ? ORDER BY u.id DESC"
        found = self._groups(condition, organization_id, words, limit=1)
        return found[0] if found else None

    def _groups(self, condition: str, *values: object, limit: int) -> list[Group]:
        rows = self._sql.all(
            "SELECT g.newest, u.question, g.times, g.people, u.asked_at FROM ("  # noqa: S608  # our own conditions
            "SELECT max(id) AS newest, count(*) AS times, count(DISTINCT person) AS people FROM ("
            "SELECT u.id, u.words, coalesce(-c.person_id, c.id) AS person FROM unanswered u "
            f"JOIN contacts c ON c.id = u.contact_id WHERE {condition} LIMIT ?) "
            "GROUP BY words ORDER BY people DESC, times DESC, newest DESC LIMIT ?) g "
            "JOIN unanswered u ON u.id = g.newest ORDER BY g.people DESC, g.times DESC, g.newest DESC",
            *values,
            MOST,
            limit,
        )
        return [Group(*row) for row in rows]

    def askers(self, organization_id: int, words: str, limit: int) -> list[Asker]:
        """Who asked it, whoever asked last first."""
        rows = self._sql.all(
            "SELECT c.id, c.profile_name, c.address FROM unanswered u JOIN contacts c ON c.id = u.contact_id "
            "WHERE u.organization_id = ? AND u.words = ? AND u.settled_at IS NULL "
            "GROUP BY c.id ORDER BY max(u.id) DESC LIMIT ?",
            organization_id,
            words,
            limit,
        )
        return [Asker(*row) for row in rows]

    def settle(self, organization_id: int, words: str) -> None:
        """All of the same words: taught, or put away."""
        self._sql.run(
            "UPDATE unanswered SET settled_at = ? WHERE organization_id = ? AND words = ? AND settled_at IS NULL",
            self._sql.now,
            organization_id,
            words,
        )
