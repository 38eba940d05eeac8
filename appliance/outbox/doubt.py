"""Sends whose outcome is unknown, judged by Twilio's own log. Pure.

Equal bodies to one contact are interchangeable to the customer: with k in doubt and m in the log that are nobody's,
the m oldest are bound and k - m were not sent. Absence counts only in a complete read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from appliance.model import MINUTE, OutboxMessage
from appliance.texts import normalise
from appliance.wire import LoggedMessage, LogRead, on_twilios_clock

SKEW = 2 * MINUTE  # Twilio's log has whole seconds, and the two clocks are compared only now
OUTBOUND = "outbound-api"  # what we send; the log also has TwiML replies and calls


class Finding(StrEnum):
    SENT = "sent"
    ABSENT = "absent"
    UNCLEAR = "unclear"  # something else went to the contact that we do not know


@dataclass(frozen=True, slots=True)
class Verdict:
    row: OutboxMessage
    finding: Finding
    logged: LoggedMessage | None = None


def since(rows: Sequence[OutboxMessage], offset: int) -> int:
    """From when on Twilio's log may hold the rows' attempts, on Twilio's clock."""
    return on_twilios_clock(begun(rows), offset)


def begun(rows: Sequence[OutboxMessage]) -> int:
    """When the first of the rows was handed to Twilio, on our clock."""
    return min(row.sending_at or row.created_at for row in rows) - SKEW


def judge(rows: Sequence[OutboxMessage], log: LogRead, known: set[str]) -> list[Verdict]:
    """One verdict for each row in doubt between one channel and one contact. `known`: sids that are rows of ours."""
    start = since(rows, log.offset)
    free = [
        logged
        for logged in log.messages
        if logged.direction.startswith("outbound") and logged.sid not in known and logged.created_at >= start
    ]
    bound: dict[int, LoggedMessage] = {}
    for matches in (_equal, _trial):
        # Longest bodies first: a short one may also be the end of a longer one.
        for row in sorted(rows, key=lambda row: (-len(row.body), row.id)):
            if row.id not in bound and (found := _first(row, free, log.offset, matches)):
                free.remove(found)
                bound[row.id] = found
    leftover = Finding.UNCLEAR if free else Finding.ABSENT
    return [
        Verdict(row, Finding.SENT, bound[row.id]) if row.id in bound else Verdict(row, leftover)
        for row in sorted(rows, key=lambda row: row.id)
    ]


def _first(
    row: OutboxMessage, free: Sequence[LoggedMessage], offset: int, matches: Callable[[str, str], bool]
) -> LoggedMessage | None:
    """The oldest that the row's attempt may have made."""
    start = since([row], offset)
    made = (logged for logged in free if logged.direction == OUTBOUND and logged.created_at >= start)
    return next((logged for logged in made if matches(normalise(logged.body), row.body)), None)


def _equal(logged: str, body: str) -> bool:
    return logged == body


def _trial(logged: str, body: str) -> bool:
    """A trial account's sentence stands before the body: "Sent from your Twilio trial account - …"."""
    return logged.endswith(body) and logged.removesuffix(body).rstrip().endswith("-")
