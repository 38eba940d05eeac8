"""The clock's triggers: each only enqueues a job. At most one job of a kind is live, whoever enqueues it.

APScheduler stalls after the wall clock steps back: whenever the clock was set, its triggers are planned anew.
"""

import contextlib
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from appliance.config import Config
from appliance.errors import StorageUnavailableError
from appliance.model import HOUR, SECOND, JobKind
from appliance.ports import Clock
from appliance.queue.bell import Bell
from appliance.store import Store, Tx
from appliance.timekeeping import Timekeeper

WATCH_EVERY = 15.0  # seconds
FIRST = timedelta(minutes=5)


def enqueue_tick(tx: Tx, kind: JobKind) -> int | None:
    """The new job's id, or None where one of this kind is live already."""
    if kind == JobKind.SETTLE and not tx.outbox.in_doubt_in_the_box():
        return None
    if kind == JobKind.FORGET and not tx.forgotten.pending_of_the_box():
        return None
    if kind == JobKind.HAND_BACK and not tx.contacts.is_any_handed_over():
        return None
    return tx.jobs.tick(kind)


def intervals(config: Config) -> dict[JobKind, float]:
    """Seconds between two ticks of each kind."""
    every = config.conversations.check_every / SECOND
    catch_up = config.twilio.catch_up_every / SECOND
    found = {JobKind.IDLE: every, JobKind.EXPIRED: every, JobKind.HAND_BACK: every}
    found |= {JobKind.SETTLE: 300.0, JobKind.HOUSEKEEPING: HOUR / SECOND}
    hourly = (JobKind.FOLLOW_UP, JobKind.STATEMENT)
    return found | ({JobKind.CATCH_UP: catch_up} | dict.fromkeys(hourly, HOUR / SECOND) if catch_up else {})


class _Every(IntervalTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Leaves out what was missed: of a start in 1970 APScheduler would list every run since, one by one. What is rare
    begins soon after the start, or a box that starts often would never come to it.
    """

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        if previous_fire_time is None:
            first: timedelta = min(self.interval, FIRST)
            return now + first
        planned: datetime = super().get_next_fire_time(previous_fire_time, now)
        return planned if planned > now else now + self.interval


class Schedule:
    def __init__(self, store: Store, config: Config, clock: Clock, bell: Bell, timekeeper: Timekeeper) -> None:
        self._store = store
        self._clock = clock
        self._bell = bell
        self._timekeeper = timekeeper
        self._intervals = intervals(config)
        self._requested: dict[JobKind, float] = {}  # and when it may be done (monotonic)
        self._done_at: dict[JobKind, float] = {}
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def start(self) -> None:
        for kind, seconds in self._intervals.items():
            self._scheduler.add_job(
                self.tick,
                _Every(seconds=seconds, timezone="UTC"),
                args=[kind],
                id=kind,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def tick(self, kind: JobKind) -> None:
        await self._store.write(lambda tx: enqueue_tick(tx, kind))
        self._bell.ring()

    def request(self, kind: JobKind, apart: float = 0.0) -> None:
        """Enqueue a tick as soon as the store takes it; it may be full just now. `apart`: seconds since the last one
        that was requested.
        """
        due = self._done_at[kind] + apart if kind in self._done_at else 0.0
        self._requested[kind] = min(due, self._requested.get(kind, due))

    async def watch(self) -> None:
        """Enqueue what was requested, and look at the clock. For ever."""
        while True:
            await self._clock.sleep(WATCH_EVERY)
            now = self._clock.monotonic()
            for kind in [kind for kind, due in self._requested.items() if due <= now]:
                del self._requested[kind]  # what is requested meanwhile counts
                try:
                    await self.tick(kind)
                    self._done_at[kind] = now
                except StorageUnavailableError:
                    self._requested[kind] = now
            with contextlib.suppress(StorageUnavailableError):  # the next look sees the same jump
                await self.look_at_clock()

    async def look_at_clock(self) -> None:
        """Where the wall clock was set, what waits follows it and the triggers start again."""
        if not await self._timekeeper.look() or not self._scheduler.running:
            return
        for kind, seconds in self._intervals.items():
            self._scheduler.reschedule_job(kind, trigger=_Every(seconds=seconds, timezone="UTC"))
        self._scheduler.wakeup()
        self._bell.ring()
