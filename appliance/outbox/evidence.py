"""What Twilio's own log says of sends whose outcome is unknown. Pure.

Evidence is asked of every attempt of a row, from the first one's beginning on. Equal bodies to one contact are
interchangeable to the customer: with k in doubt and m in the log that are nobody's, the m oldest are bound and k - m
were not sent. That a read does not show a message proves little by itself, since Twilio promises no time within which
its list is complete: see `proves`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from appliance.model import MINUTE, OutboxMessage, OutboxState
from appliance.queue.tolerance import AGAIN
from appliance.store.attempts import Attempt
from appliance.twilio.encoding import outgoing
from appliance.wire import OUTBOUND, SKEW, LoggedMessage, LogRead, forms, is_within, on_twilios_clock

OPEN = (OutboxState.DOUBT, OutboxState.READY)  # what is not bound of these is sent again


class Finding(StrEnum):
    SENT = "sent"
    ABSENT = "absent"
    WAIT = "wait"  # the log may still show it
    BY_PERSON = "by a person"  # it was not sent, and somebody else wrote to the contact since
    UNCLEAR = "unclear"  # something stands in the log that may be ours in another form


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that was handed to Twilio, with its attempts. `silent_until`: what ended before that counts from then.
    `names`: by which Twilio's log may show its recipient, its own address first.
    """

    row: OutboxMessage
    attempts: Sequence[Attempt]
    silent_until: int = 0
    names: tuple[str, ...] = ()

    @property
    def began(self) -> int:
        """When the first attempt may have been made, on our clock."""
        return min((attempt.started_at for attempt in self.attempts), default=self.row.created_at) - SKEW

    @property
    def ended(self) -> int:
        """When the last attempt was over, on our clock."""
        ends = (attempt.ended_at or attempt.started_at for attempt in self.attempts)
        return max(max(ends, default=self.row.created_at), self.silent_until)

    @property
    def is_given_up(self) -> bool:
        return self.row.state not in OPEN

    def explains(self, logged: LoggedMessage, offset: int) -> bool:
        """Whether one of the attempts may have made this message."""
        spans = [(attempt.started_at, attempt.ended_at or attempt.started_at) for attempt in self.attempts]
        return is_within(logged.created_at, spans, offset)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`due`: when to look again (ms UTC), where the finding is WAIT. `logged`: what was found, where it is SENT."""

    claim: Claim
    finding: Finding
    logged: LoggedMessage | None = None
    due: int = 0


@dataclass(frozen=True, slots=True)
class Books:
    """What else is known of a contact: sids of our rows, those of them that a read from the first attempt on must show,
    the forms of its address that are other contacts' own; and when the youngest message of the channel was made that
    the log shows, whoever got it (ms, Twilio's clock).
    """

    known: Collection[str] = ()
    expected: Collection[str] = ()
    foreign: Collection[str] = ()
    youngest: int = 0


def judge(claims: Sequence[Claim], log: LogRead, books: Books, grace: int) -> list[Verdict]:
    """One verdict for each row that was handed to Twilio between one channel and one person."""
    start = min((on_twilios_clock(claim.began, log.offset) for claim in claims), default=0)
    free = [
        logged
        for logged in log.messages
        if logged.direction == OUTBOUND
        and logged.sid not in books.known
        and logged.created_at >= start
        and logged.recipient not in books.foreign
    ]
    bound = _bound(claims, free, log.offset)
    found = []
    for claim in sorted(claims, key=lambda claim: claim.row.id):
        if claim.row.id in bound:
            found.append(Verdict(claim, Finding.SENT, bound[claim.row.id]))
        elif claim.row.state in OPEN:
            found.append(_absent(claim, free, claims, log, books, grace))
    return found


def _bound(claims: Sequence[Claim], free: list[LoggedMessage], offset: int) -> dict[int, LoggedMessage]:
    """Row → the message that it is; what is bound is free no more.

    First by when the attempts were made; then, as clocks may be wrong, whatever came after the first one of a row that
    is still in doubt. A draft that was given up takes only what its own attempts explain, and what nobody else wants:
    its questions are others' now, and one of those that is not bound is sent again. Equal texts to two addresses of one
    person are interchangeable like those to one, but each goes first to a row of its own address.
    """
    bound: dict[int, LoggedMessage] = {}
    for is_timed, matches, is_its_own in product((True, False), (_equal, _trial), (True, False)):
        # Longest bodies first: a short one may also be the end of a longer one.
        for claim in sorted(claims, key=lambda claim: (-len(claim.row.body), claim.is_given_up, claim.row.id)):
            if claim.row.id in bound or not (is_timed or claim.row.state in OPEN):
                continue
            start = on_twilios_clock(claim.began, offset)
            made = (each for each in free if (claim.explains(each, offset) if is_timed else each.created_at >= start))
            if is_its_own:
                own = forms(claim.row.recipient)
                made = (each for each in made if each.recipient in own)
            body = outgoing(claim.row.body, claim.row.recipient)
            if first := next((each for each in made if matches(outgoing(each.body, each.recipient), body)), None):
                free.remove(first)
                bound[claim.row.id] = first
    return bound


def _absent(
    claim: Claim,
    free: Sequence[LoggedMessage],
    claims: Sequence[Claim],
    log: LogRead,
    books: Books,
    grace: int,
) -> Verdict:
    is_behind = any(sid not in log.sids for sid in books.expected)
    if not proves(claim, log, books.youngest, is_behind, grace):
        return Verdict(claim, Finding.WAIT, due=_due(claim, log, grace))
    if any(other.explains(logged, log.offset) for logged in free for other in claims):
        return Verdict(claim, Finding.UNCLEAR)
    written_at = on_twilios_clock(claim.row.created_at, log.offset)
    by_person = any(logged.created_at >= written_at for logged in free)
    return Verdict(claim, Finding.BY_PERSON if by_person else Finding.ABSENT)


def proves(claim: Claim, log: LogRead, youngest: int, is_behind: bool, grace: int) -> bool:
    """Whether a read that does not show a row proves that Twilio does not have it.

    Two reads, the first at least the grace after the last attempt's end and the second a grace later, where the log
    shows a message of the channel that is younger than that end. Without one four times the grace; ten times while a
    message that we know is missing from it (`is_behind`).
    """
    passed = log.began_at - claim.ended
    if is_behind:
        return passed >= 10 * grace
    if passed >= 4 * grace:
        return True
    absent_at = claim.row.absent_at
    twice = passed >= grace and absent_at is not None and log.began_at - absent_at >= grace
    return twice and youngest - log.offset > claim.ended + min(grace, 2 * MINUTE)


def _due(claim: Claim, log: LogRead, grace: int) -> int:
    first = claim.row.absent_at if claim.row.absent_at is not None else log.began_at
    moments = [claim.ended + grace, first + grace, claim.ended + 4 * grace, claim.ended + 10 * grace]
    return min((at for at in moments if at > log.began_at), default=log.began_at + AGAIN)


def _equal(logged: str, body: str) -> bool:
    return logged == body


def _trial(logged: str, body: str) -> bool:
    """A trial account's sentence stands before the body: "Sent from your Twilio trial account - …"."""
    return logged.endswith(body) and logged.removesuffix(body).rstrip().endswith("-")
