"""The periodic jobs: conversations go idle, expired ones are closed silently, finished work goes, a copy is taken."""

from collections.abc import Callable

from appliance.config import Config
from appliance.errors import DatabaseError
from appliance.model import HOUR, ConversationStatus, Job, JobKind
from appliance.ports import Clock
from appliance.queue.outcome import Dead, Done, Outcome, Snooze
from appliance.store import Store, Tx, backup, cards
from appliance.store.box import Fact
from appliance.store.cards import BOX, CardKind

AT_MOST = 100  # conversations a run
KEEP_JOBS = 7 * 24 * HOUR
BACKUP_EVERY = backup.EVERY


class Chore:
    """A job whose whole work is one unit at its end."""

    def __init__(self, work: Callable[[Tx], object]) -> None:
        self._work = work

    async def run(self, _job: Job) -> Outcome:
        return Done(self._work)

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Dead(error)


def idle(config: Config) -> Chore:
    def work(tx: Tx) -> None:
        for conversation in tx.conversations.quiet_in_the_box(tx.now - config.conversations.idle_after, AT_MOST):
            tx.conversations.move(conversation, ConversationStatus.IDLE)

    return Chore(work)


def expired() -> Chore:
    def work(tx: Tx) -> None:
        for conversation in tx.conversations.expired_in_the_box(tx.now, AT_MOST):
            if tx.conversations.move(conversation, ConversationStatus.CLOSED):
                tx.cards.close(CardKind.OPTED_OUT, cards.conversation(conversation.id))

    return Chore(work)


def housekeeping(store: Store) -> Chore:
    def work(tx: Tx) -> None:
        tx.jobs.prune(tx.now - KEEP_JOBS, 2_000)
        store.reserve.keep()
        recent = 0 <= tx.now - (tx.box.number(Fact.BACKUP_AT) or 0) < BACKUP_EVERY  # a clock may have been ahead
        if not recent and tx.counts.received():
            tx.jobs.tick(JobKind.BACKUP)

    return Chore(work)


class Backup:
    """A checked copy of the database every day."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run(self, _job: Job) -> Outcome:
        try:
            await backup.take_one(self._store.directory, self._clock.now())
        except DatabaseError as error:
            said, again = str(error).removeprefix(backup.FAILED), self._clock.now() + HOUR
            return Snooze(again, f"backup failed: {said}", lambda tx: tx.cards.open(CardKind.BACKUP, BOX, said=said))
        return Done(taken)

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Dead(error, lambda tx: tx.cards.open(CardKind.BACKUP, BOX, said=error))


def taken(tx: Tx) -> None:
    """A copy is there, whoever asked for it."""
    tx.cards.close(CardKind.BACKUP, BOX)
    tx.box.put(Fact.BACKUP_AT, tx.now)
