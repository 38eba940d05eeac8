"""An organization's day in figures: by hour what came in and how fast it was answered, and the answers' fates."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from appliance.model import Disposition, OutboxState
from appliance.store import Tx

FATES: Mapping[str, tuple[OutboxState, ...]] = {  # of an answer, best first
    "read": (OutboxState.READ,),
    "delivered": (OutboxState.DELIVERED,),
    "sent": (OutboxState.SENT,),
    "unsure": (OutboxState.DOUBT, OutboxState.PARKED),
    "failed": (OutboxState.FAILED,),
}


@dataclass(frozen=True, slots=True)
class Hour:
    """`hour`: since the day began. `half` and `most`: within how many seconds half, and 95 of 100, had their answer;
    None where nobody had one.
    """

    hour: int
    received: int
    answered: int
    half: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class Day:
    """`replies`: by fate."""

    since: int  # ms UTC
    received: int
    answered: int
    half: int | None
    most: int | None
    hours: list[Hour]
    replies: dict[str, int]


def day(tx: Tx, organization_id: int, since: int) -> Day:
    """`since`: when the day began (ms UTC)."""
    received: Counter[int] = Counter()
    answered: Counter[int] = Counter()
    waits: dict[int, Counter[int]] = {}
    for row in tx.figures.received(organization_id, since):
        hour, count = row["hour"], row["count"]
        received[hour] += count
        if row["disposition"] == Disposition.ANSWERED:
            answered[hour] += count
            if row["seconds"] is not None:
                waits.setdefault(hour, Counter())[row["seconds"]] += count
    hours = [
        Hour(hour, received[hour], answered[hour], within(waits.get(hour, {}), 50), within(waits.get(hour, {}), 95))
        for hour in sorted(received)
    ]
    every = sum(waits.values(), Counter[int]())
    said = tx.figures.said(organization_id, since)
    replies = {fate: sum(row["count"] for row in said if row["state"] in states) for fate, states in FATES.items()}
    total = received.total(), answered.total()
    return Day(since, *total, within(every, 50), within(every, 95), hours, replies)


def within(waits: Mapping[int, int], percent: int) -> int | None:
    """The least value that so many of a hundred do not exceed (nearest rank); `waits`: value → how often."""
    left = -(-sum(waits.values()) * percent // 100)
    for value in sorted(waits):
        left -= waits[value]
        if left <= 0:
            return value
    return None
