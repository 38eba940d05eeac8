"""Which days of an account are compared now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from appliance import restoration
from appliance.model import HOUR
from appliance.statement.day import days_to, end_of, start_of
from appliance.store import Row, Tx
from appliance.store.box import Fact
from appliance.store.statements import Difference, Owned

DAYS = 7  # that are looked back at
SETTLED_AFTER = 2 * HOUR  # after its end a day is not looked at any more: by then most prices are known too

_GONE = (Difference.DELETED, Difference.NOT_THERE)


@dataclass(frozen=True, slots=True)
class Plan:
    """`days`: by organization, oldest first; `named`: how many days back differences may go away. `since`: the start of
    the first day.
    """

    owned: Sequence[Owned]
    days: Mapping[int, Sequence[str]]
    named: Mapping[int, str]
    since: int


def plan(tx: Tx, account: str, now: int) -> Plan:
    """Nothing while a copy was put in place and the log has not told yet what it does not know."""
    if restoration.restored_at(tx, account) is not None:
        return Plan([], {}, {}, now)
    twilios = now - (tx.box.number(Fact.CLOCK_AHEAD) or 0)
    owned = tx.statements.owned_in_the_box(account, now - DAYS * 24 * HOUR)
    zones = {each.channel.organization_id: each.timezone for each in owned}
    window = {whose: list(days_to(twilios, zone, DAYS)) for whose, zone in zones.items()}
    days = {whose: unsettled(tx, account, whose, zone, window[whose]) for whose, zone in zones.items()}
    since = min((start_of(each[0], zones[whose]) for whose, each in days.items()), default=now)
    return Plan(owned, days, {whose: each[0] for whose, each in window.items()}, since)


def unsettled(tx: Tx, account: str, organization_id: int, timezone: str, days: Sequence[str]) -> Sequence[str]:
    """From the first day on that was not compared to its end, and a while longer; the very first time today alone."""
    if not tx.statements.is_any(organization_id, account):
        return days[-1:]
    rows = tx.statements.of(organization_id, days[0], days[-1])
    stated = {row.day: row.compared_to for row in rows if row.account == account}
    settled = {day for day, to in stated.items() if to >= end_of(day, timezone) + SETTLED_AFTER}
    began = min(stated, default=days[0])
    first = next((day for day in days if day >= began and day not in settled), days[-1])
    return [day for day in days if day >= first]


def differences(tx: Tx, account: str, of: Plan) -> Iterator[tuple[int, Row]]:
    """With their organizations those of the account that are not settled."""
    for organization_id, first in of.named.items():
        for row in tx.statements.differences(organization_id, first, of.days[organization_id][-1]):
            if row["account"] == account and row["settled_at"] is None:
                yield organization_id, row


def gone_at_twilio(tx: Tx, account: str, of: Plan) -> set[str]:
    """By their sids those of which Twilio has said already that it does not have them."""
    return {row["sid"] for _, row in differences(tx, account, of) if row["kind"] in _GONE}
