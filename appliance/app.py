"""The composition root: Config in, running appliance out. It alone names the concrete adapters.

Start: storage, what the dead run left, workers, HTTP, schedule, READY. Stop: in reverse; HTTP stays up until the
workers have ended.
"""

import asyncio
import contextlib
import random
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog

from appliance import chores, systemd
from appliance.clock import SystemClock
from appliance.config import Config
from appliance.config.keys import CONTROL_SOCKET
from appliance.errors import ApplianceError, StorageBrokenError, StorageUnavailableError
from appliance.inbox.catch_up import CatchUpHandler
from appliance.inbox.intake import Intake
from appliance.metrics import Metrics
from appliance.model import HOUR, MINUTE, SECOND, JobKind
from appliance.opening import open_store
from appliance.outbox import delivery
from appliance.outbox.follow_up import FollowUpHandler
from appliance.outbox.send import SendHandler
from appliance.outbox.settle import SettleHandler
from appliance.ports import Clock, LogUnavailableError, MessageLog, Responder, Sender
from appliance.pulse import Pulse
from appliance.queue.circuit import Circuits
from appliance.queue.gate import Gate
from appliance.queue.outage import Outage
from appliance.queue.outcome import Handler
from appliance.queue.schedule import Schedule, earlier, enqueue_tick
from appliance.queue.worker import Worker, resume
from appliance.reply.handler import ReplyHandler
from appliance.responder.faq import Faq
from appliance.responder.llm import Llm
from appliance.store import Tx
from appliance.twilio.webhook import STATUS_PATH
from appliance.web import applications, offline
from appliance.web.api import Desk
from appliance.web.hooks import Hooks
from appliance.web.listeners import Listeners

BUILT_AT = 1_790_000_000_000  # a clock before the release of this version is wrong
RECONCILE_PATIENCE = 10.0  # seconds that workers wait for Twilio's log at start; a job goes on with it later
DAY = 24 * HOUR
FURTHEST = 10 * MINUTE  # that an attempt is planned ahead
CLOCK_PATIENCE = 120.0  # seconds that workers wait for a wrong clock to be set

log = structlog.get_logger()


def make_responder(config: Config) -> Responder:
    if config.ai.provider == "faq":
        return Faq()
    assert config.ai.base_url is not None
    assert config.ai.model is not None
    return Llm(config.ai.base_url, config.ai.api_key, config.ai.model, config.ai.max_output_tokens)


async def connect_twilio(config: Config, clock: Clock) -> tuple[Sender, MessageLog]:
    """What sends, and what reads Twilio's log, over the same connections."""
    # Twilio's package takes a tenth of a second or, on a small board, a whole one to import: not on the loop.
    module = await asyncio.to_thread(import_module, "appliance.twilio.sender")
    log_module = await asyncio.to_thread(import_module, "appliance.twilio.log")
    twilio = config.twilio
    key = [(twilio.api_key_sid, twilio.api_key_secret)] if twilio.api_key_sid else []
    sender = module.TwilioSender(
        account_sid=twilio.account_sid,
        credentials=key + [(twilio.account_sid, token) for token in twilio.auth_tokens],
        api_url=twilio.api_url,
        status_url=config.server.public_url + STATUS_PATH,
        timeout=twilio.timeout / SECOND,
    )
    return sender, log_module.TwilioLog(sender.clients, clock)


def offline_control(config: Config) -> AbstractAsyncContextManager[None]:
    """The control socket of an appliance that does not run. Raises AlreadyRunningError or DatabaseError."""
    return offline.control(config, SystemClock(), Faq())


class Appliance:
    def __init__(self, config: Config, clock: Clock | None = None, responder: Responder | None = None) -> None:
        self.config = config
        self.clock = clock or SystemClock()
        self.metrics = Metrics()
        self.address = ""
        self.stopping = asyncio.Event()
        self.reconciled = asyncio.Event()
        self.fault: BaseException | None = None
        self._responder = responder
        self._tasks: list[asyncio.Task[None]] = []
        self._listeners = Listeners()

    async def start(self) -> None:
        """Raises ApplianceError where it cannot start; call stop() in any case."""
        config, clock = self.config, self.clock
        self.store = await open_store(config, clock, self.stopping)
        self.store.on_fault = self._storage_fault
        self.sender, self.twilio_log = await connect_twilio(config, clock)
        self.responder = self._responder or make_responder(config)
        await self._resume()
        self.pulse = Pulse(self.store, self.worker, clock, self.stopping)
        self._spawn(self._work(), "worker")
        self._spawn(self.outage.watch(), "outage")
        self._spawn(self.schedule.watch_clock(), "clock")
        await self._listen()
        self.schedule.start()
        self._spawn(self.pulse.watch(), "watchdog")
        systemd.notify("READY=1")
        log.info("ready", address=self.address)

    async def _resume(self) -> None:
        """Put the workers together and take up what the dead run left; nothing is executed yet."""
        circuits = Circuits()
        self.outage = Outage(self.store, self.sender, self.clock)
        handlers = self._handlers(circuits)
        before = await self.store.read(earlier)
        run_number = await self.store.write(lambda tx: _begin_run(tx, handlers, self.config))
        gate = Gate(circuits, self.outage, self.clock)
        gate.held = await self.store.read(delivery.restored_at) is not None
        self._catch_up.on_reviewed = lambda: self._release(gate)
        self.worker = Worker(
            store=self.store,
            handlers=handlers,
            config=self.config,
            clock=self.clock,
            gate=gate,
            run_number=run_number,
            metrics=self.metrics,
            random=random.random,
        )
        self.outage.on_end = self.worker.wake
        await self.outage.resume()
        self.schedule = Schedule(self.store, self.config, self.clock, self.worker.wake, before)
        self.worker.before_claim = self.schedule.look_at_clock

    def _wake(self) -> None:
        self.worker.wake()

    def _release(self, gate: Gate) -> None:
        """A restored box has read Twilio's log: it may speak again."""
        gate.held = False
        self.worker.wake()

    def _handlers(self, circuits: Circuits) -> dict[JobKind, Handler]:
        self._settle = SettleHandler(self.store, self.twilio_log, self.config, self.clock)
        self._catch_up = CatchUpHandler(self.store, self.twilio_log, self.config, self.clock, self._wake)
        reply = ReplyHandler(
            store=self.store,
            responder=self.responder,
            config=self.config,
            clock=self.clock,
            circuits=circuits,
            outage=self.outage,
            random=random.random,
        )
        return {
            JobKind.REPLY: reply,
            JobKind.SEND: SendHandler(self.store, self.sender, self.config, self.clock, circuits),
            JobKind.SETTLE: self._settle,
            JobKind.CATCH_UP: self._catch_up,
            JobKind.FOLLOW_UP: FollowUpHandler(self.store, self.twilio_log, self.clock),
            JobKind.BACKUP: chores.Backup(self.store, self.clock),
            JobKind.IDLE: chores.idle(self.config),
            JobKind.EXPIRED: chores.expired(),
            JobKind.HOUSEKEEPING: chores.housekeeping(self.store),
        }

    async def _listen(self) -> None:
        server, registry = self.config.server, self.metrics.registry
        desk = Desk(self.store, self.config, self.worker.wake, Faq(), self.clock.now())
        intake = Intake(self.store, self.config, self.worker.wake)
        hooks = Hooks(self.store, intake, self.config, self.metrics, self._not_stored)
        app = applications.public(desk, registry, self.pulse.faults, hooks)
        self.address = await self._listeners.tcp(app, server.listen, "server.listen")
        control = applications.control(desk, registry, self.pulse.faults)
        await self._listeners.unix(control, self.store.directory / CONTROL_SOCKET)
        if server.metrics_listen is not None:
            metrics = applications.metrics(desk, registry)
            await self._listeners.tcp(metrics, server.metrics_listen, "server.metrics_listen")

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._task_ended)
        self._tasks.append(task)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        """A part that should run for ever ended: so does the process, and systemd starts it again."""
        if not task.cancelled() and (error := task.exception()):
            log.error("a part of the appliance failed", part=task.get_name(), error=repr(error))
            self.fault = self.fault or error
            self.stopping.set()

    def _storage_fault(self, error: ApplianceError) -> None:
        log.error("storage fault", error=str(error))
        if isinstance(error, StorageBrokenError):
            self.fault = error
            self.stopping.set()

    def _not_stored(self) -> None:
        """A webhook got 503: Twilio has a message that we do not."""
        self.schedule.request(JobKind.CATCH_UP)

    async def _work(self) -> None:
        await self._wait_for_clock()
        with contextlib.suppress(StorageUnavailableError):  # the first claim looks again
            await self.schedule.look_at_clock()
        await self._reconcile()
        self.reconciled.set()
        await self.worker.run()

    async def _reconcile(self) -> None:
        """Before anything is sent: what became of the sends in doubt, and what came in meanwhile. Bounded."""
        complete = not self.config.twilio.catch_up_every
        try:
            async with asyncio.timeout(RECONCILE_PATIENCE):
                await self._settle.settle()
                complete = complete or await self._catch_up.catch_up()
        except (TimeoutError, LogUnavailableError, StorageUnavailableError):
            pass
        except StorageBrokenError:
            raise
        except Exception as error:  # noqa: BLE001  # ending here would end every start; the schedule tries again
            log.error("Twilio's log was not compared at the start", error=type(error).__name__)
        if not complete:
            with contextlib.suppress(StorageUnavailableError):
                await self.store.write(lambda tx: enqueue_tick(tx, JobKind.CATCH_UP))

    async def _wait_for_clock(self) -> None:
        """A board without a battery starts in the past: jobs would all fall due late."""
        latest = await self.store.read(_latest_time)
        give_up = self.clock.monotonic() + CLOCK_PATIENCE
        while self.clock.now() < latest:
            self.worker.beat = self.clock.monotonic()
            if self.clock.monotonic() > give_up:
                await self.store.write(_clock_is_behind)
                return
            await self.clock.sleep(1.0)

    async def stop(self) -> None:
        self.stopping.set()
        systemd.notify("STOPPING=1")
        if hasattr(self, "schedule"):
            self.schedule.stop()
            await self.worker.stop()
        await self._listeners.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for part in ("responder", "sender", "store"):
            if hasattr(self, part):
                await getattr(self, part).close()


def _begin_run(tx: Tx, handlers: dict[JobKind, Handler], config: Config) -> int:
    """What the dead run left: its running jobs are ready again, its sends in flight are in doubt."""
    boot_id = _boot_id()
    run_number = int(tx.box.get("run") or 0) + 1
    # Else the power went, or a copy was put back: nobody is to blame, and what the copy has may have been answered.
    crashed = tx.box.get("boot_id") == boot_id and delivery.restored_at(tx) is None
    if tx.now >= _latest_time(tx):
        tx.cards.close("clock", "box")
    tx.box.put("run", str(run_number))
    tx.box.put("boot_id", boot_id)
    delivery.settle_crashed(tx)
    delivery.predate_attempts(tx)
    resume(tx, handlers, config, crashed=crashed)
    enqueue_tick(tx, JobKind.HOUSEKEEPING)
    return run_number


def _latest_time(tx: Tx) -> int:
    """That any clock has shown so far (ms UTC)."""
    return max(BUILT_AT, tx.jobs.last_written())


def _clock_is_behind(tx: Tx) -> None:
    tx.cards.open("clock", "box", "The clock of this box is behind; check its time setting.")
    # Or the clock of an earlier run was ahead: what that planned would be waited for as long.
    tx.outbox.predate(tx.now - DAY)
    tx.jobs.plan_by(tx.now + FURTHEST)


def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""
