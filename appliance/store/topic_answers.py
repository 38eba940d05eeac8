"""How often each topic answered, by day: a figure of its own, so that no look counts messages."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.model import HOUR, SECOND, Organization
from appliance.store.sql import Sql

DAYS = 7  # of a week, today among them
WEEK = DAYS * 24 * HOUR  # ms


class TopicAnswers:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def count(self, organization: Organization, titles: Iterable[str]) -> None:
        """One more answer of each of these topics, today where the organization is."""
        for title in titles:
            self._add(organization.id, title, self._day(organization, 0), 1)

    def of_the_week(self, organization: Organization) -> dict[str, int]:
        """By title, in the last seven days where the organization is."""
        rows = self._sql.all(
            "SELECT title, sum(answers) FROM topic_answers WHERE organization_id = ? AND day >= ? GROUP BY title",
            organization.id,
            self._day(organization, DAYS - 1),
        )
        return {row[0]: row[1] for row in rows}

    def rename(self, organization_id: int, old: str, new: str) -> None:
        """What it answered under its old name, it answered."""
        rows = self._sql.all(
            "DELETE FROM topic_answers WHERE organization_id = ? AND title = ? RETURNING day, answers",
            organization_id,
            old,
        )
        for row in rows:
            self._add(organization_id, new, row["day"], row["answers"])

    def _day(self, organization: Organization, ago: int) -> str:
        now = datetime.fromtimestamp(self._sql.now / SECOND, ZoneInfo(organization.timezone))
        return (now.date() - timedelta(days=ago)).isoformat()

    def _add(self, organization_id: int, title: str, day: str, answers: int) -> None:
        self._sql.run(
            "INSERT INTO topic_answers (organization_id, title, day, answers) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET answers = answers + excluded.answers",
            organization_id,
            title,
            day,
            answers,
        )
