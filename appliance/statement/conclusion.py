"""What a comparison comes to, in one unit of work: statements, differences that are named or gone, and their cards."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from appliance.model import SECOND, JobKind, is_forgotten
from appliance.statement.account import Comparison, Entry, Part, Settled, absent
from appliance.statement.day import end_of
from appliance.statement.plan import Plan, differences, gone_at_twilio
from appliance.store import Row, Tx, cards
from appliance.store.cards import CardKind
from appliance.store.statements import Difference, Statement
from appliance.wire import LoggedMessage

TOO_MANY = "too_many"  # in `settled`: more messages than can be read


@dataclass(frozen=True, slots=True)
class Asked:
    """`logged`: what the account has by the sids that it was asked for, or that another one has it. `offset`: Twilio's
    clock minus ours. `until`: what is younger is left out, on its clock.
    """

    logged: Mapping[str, LoggedMessage | Literal["elsewhere"] | None]
    offset: int
    until: int


def conclude(tx: Tx, account: str, plan: Plan, parts: Sequence[Part], found: Comparison, asked: Asked) -> None:
    named = gone_at_twilio(tx, account, plan)
    entries = [as_it_is_now(tx, each) for each in found.entries] + list(not_listed(tx, found, asked, named))
    settle(tx, account, plan, entries, {*found.listed, *(sid for sid, logged in asked.logged.items() if logged)})
    too_long = {part.owned.channel.organization_id for part in parts if part.log is None}
    zones = {part.owned.channel.organization_id: part.owned.timezone for part in parts}
    for organization_id, days in plan.days.items():
        for day in days:
            statement = Statement(organization_id, account, day, tx.now, asked.until, 0, 0, {TOO_MANY: 1})
            if organization_id not in too_long:
                of_day = [each for each in entries if (each.organization_id, each.day) == (organization_id, day)]
                statement = state(tx, statement, of_day, end_of(day, zones[organization_id]))
            tx.statements.put(statement)
        if (first := found.misdated.get(organization_id)) is not None:
            name_clock(tx, account, plan, first)


def as_it_is_now(tx: Tx, entry: Entry) -> Entry:
    """Catch-up may have fetched it since the log was read."""
    if entry.settled == Difference.MISSING_HERE and tx.messages.known([entry.sid]):
        return replace(entry, settled=Settled.RECEIVED, is_here=True)
    return entry


def not_listed(tx: Tx, found: Comparison, asked: Asked, named: set[str]) -> Iterator[Entry]:
    """What the list does not show, unless its customer was forgotten meanwhile."""
    for owned, booked in found.absent:
        logged = asked.logged.get(booked.sid)
        if logged != "elsewhere" and tx.statements.is_booked(booked):
            is_known = booked.sid in asked.logged or booked.sid in named
            yield absent(owned, booked, logged, asked.offset, is_asked=is_known)


def state(tx: Tx, statement: Statement, entries: Sequence[Entry], end: int) -> Statement:
    """Of one day; a day of which something is not known yet is looked at again."""
    new: Counter[Difference] = Counter()
    for entry in entries:
        if isinstance(entry.settled, Difference) and tx.statements.name(
            statement.organization_id, statement.account, statement.day, entry.sid, entry.settled, entry.contact_id
        ):
            new[entry.settled] += 1
            if entry.settled == Difference.MISSING_HERE:
                fetch(tx, statement.account, entry)
    for kind, more in new.items():
        _card(tx, statement.organization_id, statement.day, kind, more)
    settled = Counter(str(entry.settled) for entry in entries)
    there, here = sum(entry.is_there for entry in entries), sum(entry.is_here for entry in entries)
    if settled[Settled.AWAITED]:
        statement = replace(statement, compared_to=min(statement.compared_to, end))
    tx.tell(
        "compared with Twilio's log",
        organization=statement.organization_id,
        account=statement.account,
        day=statement.day,
        there=there,
        here=here,
        differences=new.total(),
    )
    return replace(statement, there=there, here=here, settled=dict(settled))


def fetch(tx: Tx, account: str, entry: Entry) -> None:
    """Catch-up has passed it: it looks there once more."""
    channel = tx.channels.get(entry.channel_id)
    if channel is not None and channel.account == account:
        tx.channels.read_again(channel.id, entry.at - SECOND)
        tx.jobs.tick(JobKind.CATCH_UP)


def name_clock(tx: Tx, account: str, plan: Plan, first: Entry) -> None:
    """A clock that was wrong is named once, and not with each message."""
    whose, days = first.organization_id, plan.days[first.organization_id]
    rows = tx.statements.differences(whose, plan.named[whose], days[-1])
    if all(row["kind"] != Difference.CLOCK for row in rows) and tx.statements.name(
        whose, account, first.day, first.sid, Difference.CLOCK, first.contact_id
    ):
        _card(tx, whose, first.day, Difference.CLOCK, 1)


def _card(tx: Tx, organization_id: int, day: str, kind: Difference, more: int) -> None:
    count = tx.statements.count(organization_id, day, kind)
    subject = cards.statement(organization_id, day, kind)
    tx.cards.open(CardKind.STATEMENT, subject, organization_id, more=more, case=kind, day=day, count=count)


def settle(tx: Tx, account: str, plan: Plan, entries: Sequence[Entry], shown: set[str]) -> None:
    """Differences that went away, and each card with the last one of its kind and day."""
    ours = {entry.sid for entry in entries if entry.settled == Settled.SENT}
    for organization_id, row in list(differences(tx, account, plan)):
        if not is_gone(tx, row, ours, shown):
            continue
        tx.statements.settle(row["id"])
        if not tx.statements.count(organization_id, row["day"], row["kind"]):
            tx.cards.close(CardKind.STATEMENT, cards.statement(organization_id, row["day"], row["kind"]))


def is_gone(tx: Tx, row: Row, ours: set[str], shown: set[str]) -> bool:
    """Whether a difference is none any more. `ours`: what turned out to be; `shown`: what Twilio has after all."""
    sid = row["sid"]
    match row["kind"]:
        case Difference.MISSING_HERE:
            gone = bool(tx.messages.known([sid]))
        case Difference.ELSEWHERE:
            gone = sid in ours
        case Difference.DELETED | Difference.NOT_THERE:
            gone = sid in shown
        case _:
            gone = False
    return gone or is_forgotten(sid)
