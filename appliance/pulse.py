"""Does the appliance answer, and can it store? The first feeds systemd's watchdog, both together make it ready."""

import asyncio

from appliance import systemd
from appliance.errors import ApplianceError, StorageUnavailableError
from appliance.ports import Clock
from appliance.queue.worker import Worker
from appliance.store import Store, Tx
from appliance.store.box import Fact

SILENCE = 30.0  # seconds without a sign of life from the workers
SPACE = 32 * 1024  # bytes
PATIENCE = 5.0  # seconds for the writer
STOPPING, WORKERS, STORE = "stopping", "the workers do not answer", "the store does not answer"


def _need_space(tx: Tx) -> None:
    """As much as a message with all that belongs to it needs, and gives it back."""
    tx.box.put(Fact.PROBE, "x" * SPACE)
    tx.box.remove(Fact.PROBE)


class Pulse:
    def __init__(self, store: Store, worker: Worker, clock: Clock, stopping: asyncio.Event) -> None:
        self._store = store
        self._worker = worker
        self._clock = clock
        self._stopping = stopping

    async def faults(self) -> list[str]:
        """Why the appliance is not ready; empty when the store writes and the workers run."""
        found = await self._silent()
        if found or self._store.shortage is None:
            return found
        try:  # after a write that found no space: whether there is some again
            await self._store.write(_need_space)
        except ApplianceError as error:
            return [str(error)]
        self._store.shortage = None
        return []

    async def _silent(self) -> list[str]:
        """Loop, writer and workers; a full disk is no reason to be started again."""
        found = [STOPPING] if self._stopping.is_set() else []
        if self._clock.monotonic() - self._worker.beat > SILENCE:
            found.append(WORKERS)
        try:
            await asyncio.wait_for(self._store.write(lambda tx: tx.box.get(Fact.RUN)), PATIENCE)
        except StorageUnavailableError:
            return found
        except ApplianceError as error:
            found.append(str(error))
        except TimeoutError:
            found.append(STORE)
        return found

    async def watch(self) -> None:
        """Feed systemd's watchdog only while loop, writer and workers answer. For ever."""
        period = systemd.watchdog_period()
        while period is not None:
            if not await self._silent():
                systemd.notify("WATCHDOG=1")
            await asyncio.sleep(period)
