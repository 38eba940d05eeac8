"""The life of the process: Config in, running appliance out, until a signal says stop.

Start: storage, what the dead run left, workers, HTTP, schedule, READY. Stop: in reverse; HTTP stays up until the
workers have ended.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import structlog

from appliance import __version__, engine, systemd
from appliance.assembly.adapters import connect
from appliance.assembly.examination import examine
from appliance.clock import SystemClock
from appliance.config import Config
from appliance.config.keys import CONTROL_SOCKET
from appliance.engine import Engine
from appliance.errors import ApplianceError, StorageBrokenError
from appliance.inbox.intake import Intake
from appliance.inbox.refused import ASK_EVERY
from appliance.journal.journal import Journal
from appliance.logs import Seldom
from appliance.metrics import Metrics
from appliance.model import JobKind, OutboxMessage
from appliance.opening import close_store, open_store
from appliance.outbox import consequences
from appliance.ports import Clock, Responder
from appliance.pulse import Pulse
from appliance.store import Store
from appliance.watch.ping import Ping
from appliance.web import applications
from appliance.web.desk import Desk
from appliance.web.hooks import Hooks
from appliance.web.listeners import Listeners
from appliance.web.probes import Probes

SIGNALS = (signal.SIGTERM, signal.SIGINT)
log = structlog.get_logger()


class Appliance:
    def __init__(self, config: Config, clock: Clock | None = None, responder: Responder | None = None) -> None:
        self.config = config
        self.clock = clock or SystemClock()
        self.metrics = Metrics()
        self._seldom = Seldom()
        self.address = ""
        self.stopping = asyncio.Event()
        self.fault: BaseException | None = None
        self._responder = responder
        self._engine: Engine | None = None
        self._running = AsyncExitStack()  # what stop() ends, the last one first
        self._tasks: list[asyncio.Task[None]] = []
        self._listeners = Listeners()

    @property
    def engine(self) -> Engine:
        """As soon as start() has opened the store."""
        assert self._engine is not None, "not started"
        return self._engine

    @property
    def store(self) -> Store:
        return self.engine.store

    async def start(self) -> None:
        """Raises ApplianceError where it cannot start; call stop() in any case."""
        audience = Journal(self.metrics)
        store = await open_store(self.config, self.clock, self.stopping, self._storage_fault, audience)
        self._running.push_async_callback(close_store, store)
        adapters = await connect(self.config, self.clock, self._responder, self.metrics)
        for account in adapters.accounts.values():
            self._running.push_async_callback(account.sender.close)
        self._running.push_async_callback(adapters.responder.close)
        past = await store.read(lambda tx: engine.past(tx, self.config))
        self._engine = Engine(store, adapters, self.config, self.clock, self.metrics, past)
        await self._engine.resume()
        self._running.push_async_callback(self._end_tasks)
        pulse = Pulse(store, self._engine.worker, self.clock, self.stopping)
        await self._running.enter_async_context(self._listeners)
        self._running.push_async_callback(self._engine.worker.stop)
        self._running.callback(self._engine.schedule.stop)
        self._spawn(self._engine.work(), "worker")
        self._spawn(self._engine.outage.watch(), "outage")
        self._spawn(self._engine.schedule.watch(), "clock")
        self._spawn(self._engine.watch.watch(), "watch")
        ping = Ping(store, adapters.links, self.config, self.clock, pulse.faults)
        self._spawn(ping.watch(), "ping")
        await self._listen(pulse)
        self._engine.schedule.start()
        self._spawn(pulse.watch(), "watchdog")
        systemd.notify("READY=1")
        log.info("ready", address=self.address)

    async def stop(self) -> None:
        self.stopping.set()
        systemd.notify("STOPPING=1")
        await self._running.pop_all().aclose()  # a second stop meanwhile must not overtake the first

    async def _listen(self, pulse: Pulse) -> None:
        server, registry, store, bell = self.config.server, self.metrics.registry, self.store, self.engine.bell
        adapters, shelves = self.engine.adapters, self.engine.shelves
        missed, now, probes = self.engine.missed, self.clock.now(), Probes(server.public_url)
        desk = Desk(
            store,
            self.config,
            bell,
            adapters.offline,
            adapters.responder,
            shelves,
            missed,
            adapters.links,
            self.engine.watch.untold,
            pulse.faults,
            now,
            partial(examine, self.config, store, probes),
        )
        intake, refusals = Intake(store, self.config, bell), self.engine.refusals
        elsewhere = partial(self.engine.schedule.request, JobKind.CATCH_UP, ASK_EVERY)
        hooks = Hooks(store, intake, self.config, self.metrics, refusals, self.not_stored, self.failed, elsewhere)
        app = applications.public(desk, registry, pulse.faults, hooks)
        app.on_response_prepare.append(probes.look)
        self.address = await self._listeners.tcp(app, server.listen, "server.listen")
        control = applications.control(desk, registry, pulse.faults, probes)
        await self._listeners.unix(control, store.directory / CONTROL_SOCKET)
        if server.metrics_listen is not None:
            metrics = applications.metrics(desk, registry)
            await self._listeners.tcp(metrics, server.metrics_listen, "server.metrics_listen")

    def not_stored(self) -> None:
        """A webhook got 503: Twilio has a message that we do not."""
        self.engine.refusals.unheard.excuse()
        self.engine.schedule.request(JobKind.CATCH_UP)

    def failed(self, row: OutboxMessage, error_code: int) -> None:
        """A message came to nothing after Twilio had accepted it."""
        consequences.of_callback(self.engine.circuits, self.clock, row, error_code)

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

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _storage_fault(self, error: ApplianceError) -> None:
        """Not while the store is being opened: a try that fails ends there, or is made again every two seconds."""
        if self._engine is None:
            return
        self._seldom.tell("error", "storage fault", error=str(error))
        if isinstance(error, StorageBrokenError):
            self.fault = error
            self.stopping.set()


async def run(appliance: Appliance, when_ready: Callable[[], Awaitable[None]] | None = None) -> None:
    """Start, wait for the end, stop. Raises ApplianceError where it cannot start or a part of it failed."""
    _stop_on_signals(appliance)
    config = appliance.config
    log.info("starting", version=__version__, config=config.source, storage=str(config.storage.directory))
    try:
        await appliance.start()
        if when_ready is not None:
            await when_ready()
        await appliance.stopping.wait()
    except ApplianceError:
        if not appliance.stopping.is_set():  # else it was told to stop while it could not start
            raise
    finally:
        await appliance.stop()
    if appliance.fault is not None:
        reason = appliance.fault if isinstance(appliance.fault, ApplianceError) else type(appliance.fault).__name__
        raise ApplianceError(f"Stopped because a part failed: {reason}") from appliance.fault


def _stop_on_signals(appliance: Appliance) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        appliance.stopping.set()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)  # the next one ends the process at once

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
