"""Whoever signs in passes here one by one: a thousand tries a second take no more of the loop than a hundred do."""

import asyncio

PAUSE = 0.01  # seconds between two
MOST = 100  # who wait; more are sent away at once


class Turnstile:
    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def passed(self) -> bool:
        """Once it is one's turn; False: too many wait."""
        if self._waiting >= MOST:
            return False
        self._waiting += 1
        try:
            async with self._lock:
                await asyncio.sleep(PAUSE)
        finally:
            self._waiting -= 1
        return True
