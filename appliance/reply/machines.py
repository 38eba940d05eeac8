"""Whether a machine like us writes: two that answer each other would go on for as long as the hour's limit lets them.

It is told by what no hand types: a fixed text of ours, the same words again and again, or more than anybody can write
between two answers, several times in a row. Whoever is taken for one by mistake waits for a person, who is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from appliance import texts
from appliance.model import MINUTE, SECOND
from appliance.reply.case import Case
from appliance.store import Tx

WHY = "writes like a machine"
IN_A_ROW = 4  # answers that were answered so
SHORTEST = 40  # characters; less is written in no time
BY_HAND = 6  # characters a second from one message to the next; our answer came and was read between them
SOON = 2 * MINUTE  # the same words, each time so soon
LOOK_BACK = 20  # messages


@dataclass(frozen=True, slots=True)
class Burst:
    """What one answer answers; `at`: when its last message came (ms UTC)."""

    words: str
    at: int


def writes_like_a_machine(tx: Tx, case: Case) -> bool:
    """It is told once that a person will answer: another one of us then falls silent as well, and tells its owner."""
    if any(texts.is_fixed(message.body) for message in case.messages):
        return True
    before = tx.history.received(case.conversation.id, case.messages[0].id, LOOK_BACK)
    bursts = [
        _burst([(row["body"], row["received_at"]) for row in rows])
        for _, rows in groupby(before, key=lambda row: row["reply_id"])
    ]
    bursts.append(_burst([(each.body, each.received_at) for each in case.messages]))
    return is_machine(bursts)


def is_machine(bursts: Sequence[Burst]) -> bool:
    """Oldest first."""
    last = list(pairwise(bursts))[-IN_A_ROW:]
    if len(last) < IN_A_ROW:
        return False
    repeats = all(old.words == new.words and new.at - old.at < SOON for old, new in last)
    return repeats or all(_is_too_fast(old, new) for old, new in last)


def _is_too_fast(old: Burst, new: Burst) -> bool:
    length = len(new.words)
    return length >= SHORTEST and new.at - old.at < length * SECOND / BY_HAND


def _burst(messages: Sequence[tuple[str, int]]) -> Burst:
    return Burst(" ".join(" ".join(body for body, _ in messages).split()), messages[-1][1])
