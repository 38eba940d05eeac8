"""The system's time, and waiting for an event or for time, whichever comes first."""

import asyncio
import time

from appliance.model import SECOND
from appliance.ports import Clock

# Goes on while the machine sleeps, so that waking up is no jump of the wall clock. Only Linux has it.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.clock_gettime(_STEADY)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def milliseconds(clock: Clock) -> int:
    """The monotonic clock in the unit of all times."""
    return int(clock.monotonic() * SECOND)


async def wait_for(event: asyncio.Event, seconds: float, clock: Clock) -> None:
    """Return when the event is set or after so many seconds of that clock."""
    tasks = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(clock.sleep(seconds))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
