"""The clock's triggers: each only enqueues a job. At most one job of a kind is live, whoever enqueues it.

APScheduler stalls after the wall clock steps back; the watch over the clock plans its triggers anew.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from appliance.clock import milliseconds
from appliance.config import Config
from appliance.errors import StorageUnavailableError
from appliance.model import HOUR, SECOND, JobKind
from appliance.outbox import delivery
from appliance.ports import Clock
from appliance.store import Store, Tx

WATCH_EVERY = 15.0  # seconds
JUMP = 60 * SECOND  # a smaller step of the wall clock is ordinary


def enqueue_tick(tx: Tx, kind: JobKind) -> int | None:
    """The new job's id, or None where one of this kind is live already."""
    if kind == JobKind.SETTLE and not tx.outbox.in_doubt():
        return None
    return tx.jobs.tick(kind)


def _intervals(config: Config) -> dict[JobKind, float]:
    """Seconds between two ticks of each kind."""
    every = config.conversations.check_every / SECOND
    catch_up = config.twilio.catch_up_every / SECOND
    found = {JobKind.IDLE: every, JobKind.EXPIRED: every, JobKind.SETTLE: 300.0, JobKind.HOUSEKEEPING: HOUR / SECOND}
    return found | ({JobKind.CATCH_UP: catch_up, JobKind.FOLLOW_UP: HOUR / SECOND} if catch_up else {})


@dataclass(frozen=True, slots=True)
class Earlier:
    """What runs before this one left: the last job and the last outbox row."""

    job: int = 0
    outbox: int = 0


NOTHING = Earlier()


def earlier(tx: Tx) -> Earlier:
    return Earlier(tx.jobs.newest(), tx.outbox.newest())


def _move(tx: Tx, step: int, since: int, before: Earlier, patience: int) -> None:
    """`since`: what was written from then on (by the new time) was written after the clock had been set.

    Nobody knows which of the two times was wrong, and since when: what an earlier run wrote may have been right.
    """
    tx.jobs.shift(step, since, before.job, patience)
    tx.outbox.shift(step, since, before.outbox)
    tx.contacts.shift_waiting(step, since, before.job)
    tx.jobs.forget_future()
    delivery.clock_set(tx)


class _Every(IntervalTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Leaves out what was missed: of a start in 1970 APScheduler would list every run since, one by one."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        planned: datetime = super().get_next_fire_time(previous_fire_time, now)
        return planned if planned > now else now + self.interval


class Schedule:
    def __init__(
        self, store: Store, config: Config, clock: Clock, wake: Callable[[], None], before: Earlier = NOTHING
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._before = before
        self._patience = config.ai.deadline
        self._intervals = _intervals(config)
        self._requested: set[JobKind] = set()
        self._known_offset = self._offset()
        self._looked_at = clock.monotonic()
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def start(self) -> None:
        for kind, seconds in self._intervals.items():
            self._scheduler.add_job(
                self._tick,
                _Every(seconds=seconds, timezone="UTC"),
                args=[kind],
                id=kind,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._scheduler.start()

    async def _tick(self, kind: JobKind) -> None:
        await self._store.write(lambda tx: enqueue_tick(tx, kind))
        self._wake()

    def request(self, kind: JobKind) -> None:
        """Enqueue a tick as soon as the store takes it; it may be full just now."""
        self._requested.add(kind)

    async def _enqueue_requested(self) -> None:
        for kind in list(self._requested):
            with contextlib.suppress(StorageUnavailableError):
                await self._tick(kind)
                self._requested.discard(kind)

    async def watch_clock(self) -> None:
        """When the wall clock jumps against the monotonic one, plan the triggers and the queue anew. For ever."""
        while True:
            await self._clock.sleep(WATCH_EVERY)
            await self._enqueue_requested()
            with contextlib.suppress(StorageUnavailableError):  # the next look sees the same jump
                await self.look_at_clock()

    async def look_at_clock(self) -> None:
        """Where the wall clock moved: what waits keeps its distance to it, and the triggers start again."""
        step = self._offset() - self._known_offset
        now, elapsed = self._clock.now(), int((self._clock.monotonic() - self._looked_at) * SECOND)
        self._known_offset += step  # before the write: two may look at once
        if abs(step) > JUMP:
            try:
                await self._store.write(
                    lambda tx: _move(tx, step, now - elapsed - SECOND, self._before, self._patience)
                )
            except StorageUnavailableError:
                self._known_offset -= step
                raise
            self._restart_triggers()
        self._looked_at = self._clock.monotonic()

    def _restart_triggers(self) -> None:
        if not self._scheduler.running:
            return
        for kind, seconds in self._intervals.items():
            self._scheduler.reschedule_job(kind, trigger=_Every(seconds=seconds, timezone="UTC"))
        self._scheduler.wakeup()
        self._wake()

    def _offset(self) -> int:
        return self._clock.now() - milliseconds(self._clock)

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
