"""The periodic jobs: conversations go idle, expired ones are closed silently, finished work is forgotten."""

from collections.abc import Callable

from appliance.config import Config
from appliance.model import HOUR, ConversationStatus, Job, JobKind
from appliance.queue.outcome import Dead, Done, Outcome
from appliance.store import Store, Tx

AT_MOST = 100  # conversations a run
KEEP_JOBS = 7 * 24 * HOUR
BACKUP_EVERY = 24 * HOUR


class Sweep:
    """A job whose whole work is one unit at its end."""

    def __init__(self, work: Callable[[Tx], object]) -> None:
        self._work = work

    async def run(self, _job: Job) -> Outcome:
        return Done(self._work)

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Dead(error)


def idle(config: Config) -> Sweep:
    def work(tx: Tx) -> None:
        for conversation in tx.conversations.quiet_since(tx.now - config.conversations.idle_after, AT_MOST):
            tx.conversations.move(conversation, ConversationStatus.IDLE)

    return Sweep(work)


def expired() -> Sweep:
    def work(tx: Tx) -> None:
        for conversation in tx.conversations.expired(tx.now, AT_MOST):
            if tx.conversations.move(conversation, ConversationStatus.CLOSED):
                tx.cards.close("waiting", f"conversation:{conversation.id}")

    return Sweep(work)


def housekeeping(store: Store) -> Sweep:
    def work(tx: Tx) -> None:
        tx.jobs.prune(tx.now - KEEP_JOBS, 2_000)
        store.reserve.keep()
        recent = 0 <= tx.now - int(tx.box.get("backup_at") or 0) < BACKUP_EVERY  # a clock may have been ahead
        if not recent and tx.counts.received():
            tx.jobs.tick(JobKind.BACKUP)

    return Sweep(work)
