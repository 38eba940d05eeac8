"""How Twilio's log compares with our books: by day and account, and in one look."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appliance.errors import RequestError
from appliance.model import Organization, is_forgotten, masked
from appliance.statement.conclusion import TOO_MANY
from appliance.statement.day import days_to
from appliance.statement.plan import DAYS
from appliance.store import Row, Tx
from appliance.store.statements import Difference, Statement


@dataclass(frozen=True, slots=True)
class Named:
    """One difference. `who`: its customer, masked; empty where nobody here is. `is_open`: neither gone nor put away."""

    sid: str
    kind: str
    who: str
    found_at: int
    settled_at: int | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One day of an organization in one account. `compared_to`: what is younger was left out (ms UTC). `settled`: how
    many as what. `is_too_long`: there were more messages than can be read, so nothing was counted.
    """

    organization_id: int
    account: str
    day: str
    compared_at: int
    compared_to: int
    there: int
    here: int
    settled: Mapping[str, int]
    is_too_long: bool
    differences: list[Named]


@dataclass(frozen=True, slots=True)
class Latest:
    """`differences`: how many of the last days are open, by kind. `is_too_long`: today could not be counted."""

    compared_at: int
    differences: Mapping[str, int]
    is_too_long: bool

    @property
    def missing(self) -> int:
        """But for what somebody sent elsewhere, and for times: of that nothing is missing."""
        return sum(count for kind, count in self.differences.items() if kind not in _WHOLE)


_WHOLE = (Difference.ELSEWHERE, Difference.CLOCK)


def of_day(tx: Tx, organization: Organization, day: str | None = None) -> list[Day]:
    """By account; of the last days, newest first, where none is named. Raises RequestError for what is no day."""
    first, last = _window(tx, organization, day)
    named = tx.statements.differences(organization.id, first, last)
    return [_day(each, named) for each in tx.statements.of(organization.id, first, last)]


def latest(tx: Tx, organization: Organization) -> Latest | None:
    """None where nothing was compared in the last days."""
    first, last = _window(tx, organization, None)
    stated = tx.statements.of(organization.id, first, last)
    if not stated:
        return None
    newest = [each for each in stated if each.day == stated[0].day]
    kinds = Counter(row["kind"] for row in tx.statements.differences(organization.id, first, last) if row["open"])
    return Latest(min(each.compared_at for each in newest), kinds, any(TOO_MANY in each.settled for each in newest))


def _window(tx: Tx, organization: Organization, day: str | None) -> tuple[str, str]:
    if day is None:
        days = list(days_to(tx.now, organization.timezone, DAYS))
        return days[0], days[-1]
    try:
        found = date.fromisoformat(day).isoformat()
    except ValueError:
        raise RequestError("day", "A day looks like 2026-11-30.", "day") from None
    return found, found


def _day(statement: Statement, named: list[Row]) -> Day:
    own = (row for row in named if (row["account"], row["day"]) == (statement.account, statement.day))
    return Day(
        organization_id=statement.organization_id,
        account=statement.account,
        day=statement.day,
        compared_at=statement.compared_at,
        compared_to=statement.compared_to,
        there=statement.there,
        here=statement.here,
        settled={kind: count for kind, count in statement.settled.items() if kind != TOO_MANY},
        is_too_long=TOO_MANY in statement.settled,
        differences=[_named(row) for row in own],
    )


def _named(row: Row) -> Named:
    address = row["address"] or ""
    return Named(
        sid="" if is_forgotten(row["sid"]) else row["sid"],
        kind=row["kind"],
        who="" if is_forgotten(address) else masked(address),
        found_at=row["found_at"],
        settled_at=row["settled_at"],
        is_open=bool(row["open"]),
    )
