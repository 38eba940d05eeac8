"""backup: a checked copy of the database every day."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from appliance.errors import DatabaseError
from appliance.model import HOUR, Job
from appliance.outcome import Dead, Done, Outcome, Snooze
from appliance.ports import Clock
from appliance.store import Store, Tx, backup


class BackupHandler:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        # On a slow card a copy takes its time; the threads that everybody shares also look names up.
        self._thread = ThreadPoolExecutor(1, "backup")

    async def run(self, _job: Job) -> Outcome:
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, backup.keep_one, self._store.directory, self._clock.now())
        except DatabaseError as error:
            text = str(error)
            return Snooze(self._clock.now() + HOUR, "backup failed", lambda tx: tx.cards.open("backup", "box", text))
        return Done(_well)

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Dead(error, lambda tx: tx.cards.open("backup", "box", f"The backup failed: {error}."))


def _well(tx: Tx) -> None:
    tx.cards.close("backup", "box")
    tx.box.put("backup_at", str(tx.now))
