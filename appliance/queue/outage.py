"""No way out of the box: neither the AI provider nor Twilio can be reached.

While it lasts nothing that needs the network is claimed and the deadlines stand still, also over a restart.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from appliance.errors import StorageUnavailableError
from appliance.links.link import NO_ANSWER
from appliance.model import SECOND
from appliance.ports import Clock, Sender
from appliance.queue.bell import Bell
from appliance.store import Store, Tx
from appliance.store.box import Fact

FIRST_PROBE = 5.0  # seconds
LAST_PROBE = 30.0


class Outage:
    def __init__(self, store: Store, senders: Sequence[Sender], clock: Clock, bell: Bell) -> None:
        """`senders`: of all accounts; one that reaches its Twilio proves the way out."""
        self._store = store
        self._senders = senders
        self._clock = clock
        self._bell = bell
        self._began = asyncio.Event()
        self._since = 0.0

    @property
    def active(self) -> bool:
        return self._began.is_set()

    async def resume(self) -> None:
        """At start: an outage that was not over when the process ended goes on until a probe says otherwise."""

        def carry_over(tx: Tx) -> bool:
            """The deadlines stood still until now; whether there was an outage at all."""
            since = tx.box.number(Fact.OUTAGE_SINCE)
            if since is not None:
                tx.jobs.extend_deadlines(max(0, tx.now - since))
                tx.box.put(Fact.OUTAGE_SINCE, tx.now)
            return since is not None

        if await self._store.write(carry_over):
            self._begin(self._clock.monotonic())

    async def is_total(self) -> bool:
        """Asked when the AI provider cannot be reached: is Twilio out of reach as well?"""
        noticed = self._clock.monotonic()  # a probe into the void takes seconds that belong to the outage
        if not self.active and not await self._reachable() and not self.active:
            self._begin(noticed)
            with suppress(StorageUnavailableError):
                await self._store.write(lambda tx: tx.box.put(Fact.OUTAGE_SINCE, tx.now))
        return self.active

    async def _reachable(self) -> bool:
        """All are asked at once: each answer may take until it times out."""
        found = await asyncio.gather(*(sender.probe() for sender in self._senders))
        return any(trouble is None or trouble.fault not in NO_ANSWER for trouble in found)

    def _begin(self, since: float) -> None:
        self._since = since
        self._began.set()

    async def watch(self) -> None:
        """Wait for outages and for their ends, for ever."""
        while True:
            await self._began.wait()
            pause = FIRST_PROBE
            while not (await self._reachable() and await self._end()):
                await self._clock.sleep(pause)
                pause = min(pause * 2, LAST_PROBE)
            self._began.clear()
            self._bell.ring()

    async def _end(self) -> bool:
        """Move the deadlines; False where that cannot be stored now."""
        lasted = int((self._clock.monotonic() - self._since) * SECOND)

        def over(tx: Tx) -> None:
            tx.jobs.extend_deadlines(lasted)
            tx.box.put(Fact.OUTAGE_SINCE, "")

        try:
            await self._store.write(over)
        except StorageUnavailableError:
            return False
        return True
