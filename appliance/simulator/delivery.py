"""The life of an outbound message after it was accepted: one status after the other, each called back."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from appliance.simulator.faults import Fault, Faults
from appliance.simulator.ledger import FINAL, Entry, Ledger
from appliance.simulator.parameters import callback_parameters
from appliance.simulator.refusal import prefix
from appliance.simulator.webhooks import Webhooks

Step: TypeAlias = tuple[str, int | None]  # a status and its ErrorCode
FATES = {
    "failed": ("sending", "failed"),
    "undelivered": ("sending", "sent", "undelivered"),
    "stuck": ("sending", "sent"),
    "held": (),
}
EXPIRED = 30036  # it waited longer in the queue than its ValidityPeriod
EARLY = 2  # an early callback: the steps up to `sent` happen before the POST is answered


class Delivery:
    """Moves messages on in the background, `pace` seconds per status (Twilio docs, "Track the message status of
    outbound messages"). The initial status has no callback. A sender gets `rate` messages per second under way, the
    rest stays queued meanwhile (Twilio support, "Rate limits and message queues")."""

    def __init__(self, ledger: Ledger, webhooks: Webhooks, faults: Faults, now: Callable[[], int], pace: float) -> None:
        self.pace = pace
        self.rate = math.inf
        self._ledger = ledger
        self._webhooks = webhooks
        self._faults = faults
        self._now = now
        self._free: dict[str, float] = {}  # sender → the loop's time at which its next message may start
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, entry: Entry) -> None:
        """Start a new message's way. Returns at once, or after the early callbacks when that fault waits."""
        fault = self._faults.take("callback", entry.sender, entry.recipient)
        fate = self._faults.take("delivery", entry.sender, entry.recipient)
        if fate is None:
            steps = _way(entry)
        else:
            steps = [(status, fate.code if status in FINAL else None) for status in FATES[fate.kind]]
        if fault is not None and fault.kind == "early":
            await self._walk(entry.sid, steps[:EARLY], None, 0)
            steps, fault = steps[EARLY:], None
        self._spawn(self._walk(entry.sid, steps, fault, self.pace, self._turn(entry.sender)))

    def resume(self) -> None:
        """Carry on with what was on its way when the simulator stopped."""
        for entry in self._ledger:
            if not entry.inbound and not entry.finished and entry.status != "scheduled":
                done = {change.status for change in entry.history}
                steps = [step for step in _way(entry) if step[0] not in done]
                self._spawn(self._walk(entry.sid, steps, None, self.pace))

    def _turn(self, sender: str) -> float:
        """Seconds until this sender's next message may start, and the one after it later."""
        now = asyncio.get_running_loop().time()
        start = max(now, self._free.get(sender, now))
        self._free[sender] = start + 1 / self.rate
        return start - now

    async def _walk(self, sid: str, steps: Sequence[Step], fault: Fault | None, pace: float, wait: float = 0.0) -> None:
        kind = fault.kind if fault is not None else ""
        held: list[Entry] = []
        if wait:
            await asyncio.sleep(wait)
        for step in steps:
            await asyncio.sleep(pace)
            entry = self._ledger.get(sid)
            if entry is None or (entry.finished and entry.status != "delivered"):
                return
            is_expired = entry.unsent and self._now() - entry.date_created > entry.validity * 1_000
            status, error_code = ("failed", EXPIRED) if is_expired else step
            entry = self._ledger.set_status(entry, status, self._now(), error_code)
            if kind in {"out_of_order", "delayed"}:
                held.append(entry)
            elif kind != "lost":
                await self._call_back(entry, 2 if kind == "twice" else 1)
        if fault is not None and kind == "delayed":
            await asyncio.sleep(fault.seconds)
        for entry in held if kind == "delayed" else reversed(held):
            await self._call_back(entry)

    async def _call_back(self, entry: Entry, times: int = 1) -> None:
        for _ in range(times if entry.status_callback and not self._faults.callbacks_lost else 0):
            await self._webhooks.call(entry.status_callback, callback_parameters(entry))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until every message is where it goes and every callback was made."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _way(entry: Entry) -> list[Step]:
    statuses = ["sending", "sent", "delivered", *(["read"] if prefix(entry.recipient) == "whatsapp" else [])]
    return [(status, None) for status in statuses]
