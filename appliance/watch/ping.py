"""Asks for `alerts.ping_url` while all is well: when that stops, whoever listens there tells the owner.

What no card can tell, as the box that would tell it is off, without a network, or full.
"""

from collections.abc import Awaitable, Callable

import structlog

from appliance.config import Config
from appliance.errors import StorageBrokenError
from appliance.links import link
from appliance.links.link import Links
from appliance.model import MINUTE
from appliance.ports import Clock
from appliance.store import Store
from appliance.watch.outside import fault_of, session

EVERY = 300.0  # seconds
LONGEST_WAIT = 10 * MINUTE  # of a customer, for an answer that no person was asked for
log = structlog.get_logger()


class Ping:
    """`faults`: why the appliance is not ready, empty where it is."""

    def __init__(
        self, store: Store, links: Links, config: Config, clock: Clock, faults: Callable[[], Awaitable[list[str]]]
    ) -> None:
        self._store = store
        self._links = links
        self._config = config
        self._clock = clock
        self._faults = faults
        self._failed = False

    async def watch(self) -> None:
        """For ever; nothing where nobody listens."""
        while self._config.alerts.ping_url is not None:
            await self._clock.sleep(EVERY)
            try:
                is_well = await self._is_well()
            except StorageBrokenError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it was, it is not well
                log.error("not known whether all is well", error=type(error).__name__)
                is_well = False
            if is_well:
                await self._ask(self._config.alerts.ping_url)

    async def _is_well(self) -> bool:
        accounts = (self._links.get(link.of_account(each.name)) for each in self._config.accounts)
        if any(each.trouble is not None for each in accounts):
            return False
        if await self._faults() or self._store.shortage is not None:  # in this order: the first looks for space again
            return False
        oldest = await self._store.read(lambda tx: tx.counts.oldest_waiting())
        return oldest is None or self._clock.now() - oldest < LONGEST_WAIT

    async def _ask(self, url: str) -> None:
        async with session() as outside:
            fault = await fault_of(outside.get(url, allow_redirects=False))
        if fault and not self._failed:
            log.warning("ping was not taken", error=fault)  # without the address, which is a secret
        elif self._failed and not fault:
            log.info("ping is taken again")
        self._failed = fault is not None
