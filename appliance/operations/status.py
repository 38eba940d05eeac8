"""The appliance at a glance: counts of everything that has a state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance import __version__
from appliance.model import SECOND, ConversationStatus, Disposition, OutboxState
from appliance.store import Tx

PHASES = ("ready", "running", "scheduled", "retry", "dead")


@dataclass(frozen=True, slots=True)
class Status:
    """Every known name is always there, zero where there is none. `started_at`: ms UTC."""

    version: str
    started_at: int | None
    messages: dict[str, int]
    queue: dict[str, float]
    outbox: dict[str, int]
    conversations: dict[str, int]
    cards: int


def status(tx: Tx, started_at: int | None) -> Status:
    """Counts every message there is (100,000 take 0.15 s), so not through the reader that the workers use."""
    since = tx.counts.oldest_waiting()
    waited = 0 if since is None else (tx.now - since) / SECOND
    return Status(
        version=__version__,
        started_at=started_at,
        messages=messages(tx),
        queue={**complete(PHASES, tx.counts.queue()), "oldest_ready_seconds": waited},
        outbox=complete(OutboxState, tx.counts.outbox()),
        conversations=complete(ConversationStatus, tx.counts.conversations()),
        cards=tx.counts.cards(),
    )


def messages(tx: Tx) -> dict[str, int]:
    """Received messages by what became of them; orphans are not among the received."""
    dispositions = complete(Disposition, tx.counts.messages())
    return {"received": sum(dispositions.values()), **dispositions, "orphaned": tx.counts.orphaned()}


def complete(names: Iterable[str], counted: Mapping[str, int]) -> dict[str, int]:
    return {str(name): counted.get(name, 0) for name in names}
