"""No way out of the box: neither the AI provider nor Twilio can be reached.

While it lasts nothing that needs the network is claimed and the deadlines stand still, also over a restart.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from appliance.errors import StorageUnavailableError
from appliance.model import SECOND
from appliance.ports import Clock, Sender
from appliance.store import Store, Tx

FIRST_PROBE = 5.0  # seconds
LAST_PROBE = 30.0
_SINCE = "outage_since"  # wall clock, ms UTC; empty while there is a way out


class Outage:
    def __init__(self, store: Store, sender: Sender, clock: Clock) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._began = asyncio.Event()
        self._since = 0.0
        self.on_end: Callable[[], None] = lambda: None

    @property
    def active(self) -> bool:
        return self._began.is_set()

    async def resume(self) -> None:
        """At start: an outage that was not over when the process ended goes on until a probe says otherwise."""
        if await self._store.write(_carry_over):
            self._begin(self._clock.monotonic())

    async def is_total(self) -> bool:
        """Asked when the AI provider cannot be reached: is Twilio out of reach as well?"""
        noticed = self._clock.monotonic()  # a probe into the void takes seconds that belong to the outage
        if not self.active and not await self._sender.reachable() and not self.active:
            self._begin(noticed)
            with suppress(StorageUnavailableError):
                await self._store.write(lambda tx: tx.box.put(_SINCE, str(tx.now)))
        return self.active

    def _begin(self, since: float) -> None:
        self._since = since
        self._began.set()

    async def watch(self) -> None:
        """Wait for outages and for their ends, for ever."""
        while True:
            await self._began.wait()
            pause = FIRST_PROBE
            while not (await self._sender.reachable() and await self._end()):
                await self._clock.sleep(pause)
                pause = min(pause * 2, LAST_PROBE)
            self._began.clear()
            self.on_end()

    async def _end(self) -> bool:
        """Move the deadlines; False where that cannot be stored now."""
        lasted = int((self._clock.monotonic() - self._since) * SECOND)
        try:
            await self._store.write(lambda tx: _extend(tx, lasted, ""))
        except StorageUnavailableError:
            return False
        return True


def _carry_over(tx: Tx) -> bool:
    """The deadlines stood still until now; whether there was an outage at all."""
    since = tx.box.get(_SINCE)
    if not since:
        return False
    _extend(tx, max(0, tx.now - int(since)), str(tx.now))
    return True


def _extend(tx: Tx, milliseconds: int, since: str) -> None:
    tx.jobs.extend_deadlines(milliseconds)
    tx.box.put(_SINCE, since)
