"""Does everything add up? The conservation law and the file's integrity, by evidence.

received = answered + apologised + suppressed + dead + live: each received message has exactly one disposition.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance.operations.status import messages
from appliance.store import Tx

NAMED = 5  # rows that a problem names


@dataclass(frozen=True, slots=True)
class Verdict:
    ok: bool
    problems: list[str]
    messages: dict[str, int]


_CHECKS: tuple[tuple[str, Callable[[Tx], Sequence[object]]], ...] = (
    ("the database file is damaged", lambda tx: tx.integrity.damage()),
    ("rows refer to rows that are missing, in", lambda tx: tx.integrity.broken_references()),
    ("messages with more than one disposition", lambda tx: tx.integrity.contradictory()),
    ("messages that wait and that nothing will answer", lambda tx: tx.counts.stray()),
    ("messages that wait for a person whom nobody asked", lambda tx: tx.integrity.held_for_nobody()),
    ("messages without an answer and without a card", lambda tx: tx.integrity.dead_without_card()),
    ("replies said to be sent without Twilio's sid", lambda tx: tx.integrity.sent_without_sid()),
    ("replies said to be a message that another reply is", lambda tx: tx.integrity.sharing_a_sid()),
    ("replies whose text was altered on disk", lambda tx: tx.integrity.altered_in_the_box()),
)


def verify(tx: Tx) -> Verdict:
    """Reads everything: takes seconds on a large file, so not through the reader that the workers use."""
    counted = messages(tx)
    problems: list[str] = []
    for text, check in _CHECKS:
        if found := check(tx):
            more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
            problems.append(f"{text}: {', '.join(map(str, found[:NAMED]))}{more}")
    if counted["received"] != (stored := tx.counts.received()):
        problems.append(f"{stored} messages are stored, {counted['received']} have a disposition")
    return Verdict(not problems, problems, counted)
