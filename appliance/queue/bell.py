"""Rung whenever a job may have become ready, by whoever made it so; the worker waits for it."""

import asyncio

from appliance.clock import wait_for
from appliance.ports import Clock


class Bell:
    """Made first and given to all who ring or wait. A ring that nobody waits for is not lost."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    @property
    def is_rung(self) -> bool:
        return self._rung.is_set()

    def ring(self) -> None:
        self._rung.set()

    def clear(self) -> None:
        """Before a look at the queue: a ring during the look makes the next wait short."""
        self._rung.clear()

    async def wait(self, seconds: float, clock: Clock) -> None:
        """Until it is rung, or for so long."""
        await wait_for(self._rung, seconds, clock)
