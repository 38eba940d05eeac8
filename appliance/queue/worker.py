"""The only place that executes jobs: claim → handler → outcome and the job's end in one unit of work.

Woken by the bell and one timer for the next due job; nothing polls. `plan` decides what starts, `lane` what a
conversation does next.
"""

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from appliance.config import Config
from appliance.errors import StorageBrokenError, StorageUnavailableError
from appliance.metrics import Metrics
from appliance.model import HOUR, MINUTE, NOTHING, SECOND, Job, JobKind, JobStatus, Resource
from appliance.ports import Clock
from appliance.queue.bell import Bell
from appliance.queue.gate import Gate
from appliance.queue.lane import rearm
from appliance.queue.outcome import Dead, Done, Handler, Outcome, Retry, Snooze, backoff
from appliance.queue.plan import Offer, Plan, is_alone, plan
from appliance.queue.ready import held_until, ready
from appliance.queue.telling import tell
from appliance.store import Store, Tx, cards
from appliance.store.cards import CardKind

LONGEST_SLEEP = 10.0  # seconds between two signs of life
LONGEST_JOB = 3 * MINUTE  # a handler that hangs longer is cancelled and has failed
LONGEST_BACKUP = 6 * HOUR  # of a large database on a slow card
PUT_BACK = 2.0  # seconds that a full disk has to take a job back, or its end, at a stop
GRACE = 7.0  # seconds that running jobs have at a stop

log = structlog.get_logger()


class Worker:
    """`before_claim` is awaited before each look at the queue. `run_number`: which start of the process this is."""

    def __init__(
        self,
        *,
        store: Store,
        handlers: Mapping[JobKind, Handler],
        config: Config,
        clock: Clock,
        gate: Gate,
        bell: Bell,
        run_number: int,
        metrics: Metrics,
        random: Callable[[], float],
        before_claim: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._config = config
        self._clock = clock
        self._gate = gate
        self._bell = bell
        self._run_number = run_number
        self._metrics = metrics
        self._random = random
        self._before_claim = before_claim
        self._stopping = False
        self._claiming = asyncio.Lock()
        self._running: dict[asyncio.Task[None], Job] = {}
        self._turns: dict[Resource, int] = {}  # which start of a job was each resource's newest
        self._starts = itertools.count(1)
        self.beat = clock.monotonic()

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def live(self) -> None:
        """A sign of life."""
        self.beat = self._clock.monotonic()

    async def run(self) -> None:
        """Claim and execute until stop() is called."""
        while not self._stopping:
            self.live()
            self._bell.clear()
            try:
                await self._before_claim()
                due = await self._claim()
            except StorageUnavailableError:
                due = self._clock.now() + SECOND
            pause = LONGEST_SLEEP if due is None else min(LONGEST_SLEEP, (due - self._clock.now()) / SECOND)
            await self._bell.wait(max(pause, 0.0), self._clock)

    async def stop(self, grace: float = GRACE) -> None:
        """Claim nothing more; what is running may end within `grace` seconds, the rest goes back to the queue."""
        self._stopping = True
        self._bell.ring()
        async with self._claiming:  # what a claim under way starts is running when it ends
            pass
        for task, job in self._running.items():
            if job.kind == JobKind.BACKUP:  # nobody waits for it, and it is taken anew
                task.cancel()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _claim(self) -> int | None:
        """Start what is due and has a place; when to look again (ms UTC), None if an event will tell."""
        places = self._config.queue.concurrency
        limit = max(places, len(JobKind))  # a tick of each kind has a place besides
        found, held = await self._store.read(lambda tx: ready(tx, limit))
        if held.is_one_over:
            await self._store.write(lambda tx: tx.pauses.note_ends())
        async with self._claiming:
            offers = [Offer(each.resource, each.due, each.next_due, self._gate.allows(each.resource)) for each in found]
            planned = Plan([], None) if self._stopping else plan(offers, self._running.values(), places, self._turns)
            for job in await self._start_all(planned.start) if planned.start else []:
                task = asyncio.create_task(self._execute(job), name=f"job-{job.id}")
                self._running[task] = job
                task.add_done_callback(self._ended)
        return min((time for time in (planned.again, held.ends_at) if time is not None), default=None)

    async def _start_all(self, picked: list[Job]) -> list[Job]:
        """Those that are still due; the others make room at the gate again."""

        def start(tx: Tx, job: Job) -> Job | None:
            deadline = tx.now + self._config.ai.deadline if job.kind == JobKind.REPLY else None
            held = held_until(tx, job) if job.deadline_at is not None else 0
            run, is_alone = self._run_number, job.id in alone
            return tx.jobs.start(job, run=run, alone=is_alone, deadline_at=deadline, held_until=held)

        alone = [job.id for job in picked if is_alone(job, self._running.values())]
        for job in picked:
            self._gate.entered(job)
            self._turns[job.resource] = next(self._starts)
        started: list[Job] = []
        try:
            found = await self._store.write(lambda tx: [start(tx, job) for job in picked])
            started = [job for job in found if job is not None]
        finally:
            for job_id in {job.id for job in picked} - {job.id for job in started}:
                self._gate.left(job_id)
        return started

    def _ended(self, task: asyncio.Task[None]) -> None:
        job = self._running.pop(task)
        self._gate.left(job.id)
        if not task.cancelled() and (error := task.exception()):
            log.error("job end was not recorded", job=job.id, error=type(error).__name__)
        self._bell.ring()

    async def _execute(self, job: Job) -> None:
        handler = self._handlers[job.kind]
        self._metrics.job_wait.labels(job.kind).observe(max(0, self._clock.now() - job.run_at) / SECOND)
        try:
            longest = LONGEST_BACKUP if job.kind == JobKind.BACKUP else LONGEST_JOB
            async with asyncio.timeout(longest / SECOND):
                with self._metrics.job_time.labels(job.kind).time():
                    outcome = await handler.run(job)
            if isinstance(outcome, Snooze) and job.resource == NOTHING:  # a tick's row lives on, from crash to crash
                outcome = replace(outcome, acquitted=True)
        except asyncio.CancelledError:
            # On a full disk it stays as it is: the next start makes it ready, and knows that this end was no crash.
            with suppress(TimeoutError):
                async with asyncio.timeout(PUT_BACK):
                    await self._record(job, Snooze(self._clock.now(), "the appliance was stopped", quiet=True))
            raise
        except StorageUnavailableError as error:  # nobody's fault: it costs no attempt
            outcome = Snooze(self._clock.now() + SECOND, str(error), trouble="storage")
        except Exception as error:  # whatever a handler does, the job has an end
            log.exception("job failed", job=job.id, kind=job.kind, message=job.message_sid, attempt=job.attempts)
            outcome = self._failed(job, handler, f"internal error ({type(error).__name__})")
        concluding = asyncio.create_task(self._conclude(job, handler, outcome))
        try:
            await asyncio.shield(concluding)
        except asyncio.CancelledError:  # a stop in the middle of it: the end is written before the store is closed
            await asyncio.wait([concluding], timeout=PUT_BACK)
            raise

    def _failed(self, job: Job, handler: Handler, error: str) -> Outcome:
        now = self._clock.now()
        deadline = sys.maxsize if job.deadline_at is None else job.deadline_at
        if job.attempts >= self._config.queue.max_attempts or now >= deadline:
            return handler.give_up(job, error)
        return Retry(min(now + backoff(job.attempts, self._random), deadline), error)

    async def _conclude(self, job: Job, handler: Handler, outcome: Outcome) -> None:
        """Record the outcome; one whose effects fail is a failed attempt, and in the last resort a card."""
        endings: tuple[Callable[[], Outcome], ...] = (
            lambda: outcome,
            lambda: self._failed(job, handler, "internal error while recording the result"),
            lambda: Dead("internal error", lambda tx: last_resort(tx, job)),
        )
        for ending in endings:
            try:
                return await self._record(job, ending())
            except StorageBrokenError:
                raise
            except Exception:
                log.exception("outcome was not recorded", job=job.id, kind=job.kind)
        return None

    async def _record(self, job: Job, outcome: Outcome) -> None:
        while True:
            try:
                await self._store.write(lambda tx: finish(tx, job, outcome, self._config))
            except StorageUnavailableError:  # the outcome waits for space; a crash before that costs one attempt
                await self._clock.sleep(1.0)
                continue
            break
        self._metrics.jobs.labels(job.kind, type(outcome).__name__.lower()).inc()


def finish(tx: Tx, job: Job, outcome: Outcome, config: Config) -> None:
    """Write an outcome down: the job's end first, which frees the lane, then the effects, then the lane's next job."""
    match outcome:
        case Done():
            ended = tx.jobs.finish(job, JobStatus.DONE)
        case Dead(error=error):
            ended = tx.jobs.finish(job, JobStatus.DEAD, error)
        case Retry(at=at, error=error):
            ended = tx.jobs.put_back(job, at, error, refund=False)
        case Snooze(at=at, reason=reason, acquitted=acquitted):
            ended = tx.jobs.put_back(job, at, reason, refund=True, acquitted=acquitted)
    if ended:
        tell(tx, job, outcome)
        if not isinstance(outcome, Retry):
            outcome.effects(tx)
    rearm(tx, job, config)


def last_resort(tx: Tx, job: Job) -> None:
    """Even giving up failed: nobody will answer these messages by themselves."""
    conversation_id = job.payload.get("conversation", 0)
    subject = cards.conversation(conversation_id)
    about = [message.id for message in tx.messages.live(conversation_id)]
    tx.jobs.remember(job.id, messages=about)
    tx.messages.give_up(about, tx.cards.open(CardKind.COULD_NOT_ANSWER, subject, who="", why="internal error"))


def resume(tx: Tx, handlers: Mapping[JobKind, Handler], config: Config, *, crashed: bool) -> None:
    """At start: every running job belongs to a dead run. Poison ends as its handler says."""
    for job in tx.jobs.resume_the_box(crashed=crashed):
        finish(tx, job, handlers[job.kind].give_up(job, "the appliance crashed three times on it"), config)
