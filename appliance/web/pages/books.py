"""The accounts of all messages: counted beside everything else while somebody looks, never in a page's way."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

import structlog

from appliance.errors import ApplianceError
from appliance.model import MINUTE
from appliance.operations.status import messages
from appliance.store import Store, Tx

EVERY = 10 * MINUTE
log = structlog.get_logger()


class Books:
    """`changed`: told when they were counted. `at`: when (ms UTC); None: not yet."""

    def __init__(self, store: Store, changed: Callable[[], None]) -> None:
        self._store = store
        self._changed = changed
        self._counting: asyncio.Task[None] | None = None
        self.at: int | None = None
        self.counted: Mapping[str, int] = {}

    def look(self, now: int) -> None:
        """Somebody looks: have them counted where that is long ago. A clock that was set back counts as well."""
        if self._counting is not None and not self._counting.done():
            return
        if self.at is None or abs(now - self.at) >= EVERY:
            self._counting = asyncio.create_task(self._count(), name="books")

    async def stop(self) -> None:
        if self._counting is not None:
            self._counting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._counting

    async def _count(self) -> None:
        def count(tx: Tx) -> tuple[int, Mapping[str, int]]:
            return tx.now, messages(tx)

        try:
            self.at, self.counted = await self._store.inspect(count)
        except ApplianceError as error:
            log.warning("messages were not counted", error=type(error).__name__)
            return
        self._changed()
