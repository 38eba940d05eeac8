"""No way out of the box: neither the AI provider nor Twilio can be reached.

While it lasts nothing that needs the network is claimed and the deadlines stand still.
"""

import asyncio
from collections.abc import Callable

from appliance.model import SECOND
from appliance.ports import Clock, Sender
from appliance.store import Store

FIRST_PROBE = 5.0  # seconds
LAST_PROBE = 30.0


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

    async def is_total(self) -> bool:
        """Asked when the AI provider cannot be reached: is Twilio out of reach as well?"""
        if not self.active and not await self._sender.reachable() and not self.active:
            self._since = self._clock.monotonic()
            self._began.set()
        return self.active

    async def watch(self) -> None:
        """Wait for outages and for their ends, for ever."""
        while True:
            await self._began.wait()
            pause = FIRST_PROBE
            while not await self._sender.reachable():
                await self._clock.sleep(pause)
                pause = min(pause * 2, LAST_PROBE)
            lasted = int((self._clock.monotonic() - self._since) * SECOND)
            await self._store.write(lambda tx, lasted=lasted: tx.jobs.extend_deadlines(lasted))  # type: ignore[misc]
            self._began.clear()
            self.on_end()
