"""backup: a checked copy of the database every day."""

from appliance.errors import DatabaseError
from appliance.model import HOUR, Job
from appliance.ports import Clock
from appliance.queue.outcome import Dead, Done, Outcome, Snooze
from appliance.store import Store, Tx, backup


class BackupHandler:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run(self, _job: Job) -> Outcome:
        try:
            await backup.take_one(self._store.directory, self._clock.now())
        except DatabaseError as error:
            text = str(error)
            return Snooze(self._clock.now() + HOUR, "backup failed", lambda tx: tx.cards.open("backup", "box", text))
        return Done(_well)

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Dead(error, lambda tx: tx.cards.open("backup", "box", f"The backup failed: {error}."))


def _well(tx: Tx) -> None:
    tx.cards.close("backup", "box")
    tx.box.put("backup_at", str(tx.now))
