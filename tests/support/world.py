"""The whole product in one process: a simulated Twilio, the real appliance, real SQLite, a clock to move by hand."""

import asyncio
import contextlib
import heapq
import inspect
import itertools
import math
import os
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import msgspec
from aiohttp import web

from appliance.app import Appliance
from appliance.clock import wait_for
from appliance.config import Address, Config
from appliance.errors import StorageBrokenError
from appliance.model import MAIN, SECOND
from appliance.notices.sentences import Reader, told
from appliance.operations.organizations import Registration, register_organization
from appliance.ports import Clock, MessageLog, Responder, Sender
from appliance.queue.ready import ready
from appliance.simulator.app import run_simulator, simulator_app
from appliance.simulator.twilio import Twilio
from appliance.timekeeping import BUILT_AT
from tests.support.fake_ai import FakeAi

ACCOUNT = "AC" + "0" * 32
TOKEN = "test-token-0123456789abcdef012345"
SMS = "+551140000000"
WHATSAPP = "whatsapp:+551140000001"
CUSTOMER = "+5511988887777"
API_KEY = "k" * 32
LACKS = ("no_organization", "no_knowledge", "nothing_yet", "no_backup")  # kinds of cards
PATIENCE = 30.0  # seconds that a busy machine has to settle, and to do what must happen soon
TURNS = 5  # of the event loop, in which a task that was woken has begun to do something


class ManualClock:
    """Stands still until it is moved; sleepers wake in order. It counts in whole milliseconds, so that waits add up."""

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self._start = now
        self._wall_offset = 0
        self._elapsed = 0  # ms
        self.set_at = -1.0  # monotonic; when it was last set, if ever
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> int:
        return self.true() + self._wall_offset

    def true(self) -> int:
        """What it would show had nobody set it; Twilio's clock goes by that (ms UTC)."""
        return self._start + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed / SECOND

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:  # the moment is here: who comes late to wait for it is not woken by the next one
            return await asyncio.sleep(0)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._elapsed + _whole(seconds), self._count, future))
        return await future

    def jump(self, seconds: float) -> None:
        """Set the wall clock, as an administrator or NTP does; the monotonic clock does not notice."""
        self._wall_offset += int(seconds * SECOND)
        self.set_at = self.monotonic()

    async def advance(self, seconds: float, settle: Callable[[], Awaitable[None]]) -> None:
        """Let time pass; after each wake-up everything that can run gets to run."""
        end = self._elapsed + _whole(seconds)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._elapsed = max(self._elapsed, self._sleepers[0][0])
            while self._sleepers and self._sleepers[0][0] <= self._elapsed:
                future = heapq.heappop(self._sleepers)[2]
                if not future.done():
                    future.set_result(None)
            await settle()
        self._elapsed = end
        await settle()


def _whole(seconds: float) -> int:
    """In ms, and never less than that."""
    return math.ceil(round(seconds * SECOND, 3))


class Line:
    """The network in front of a server: it can be cut and mended, and the server never notices."""

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        self.host, self.port = runner.addresses[0][:2]
        self._held: socket.socket | None = None

    async def cut(self) -> None:
        """Connections are refused; the port is held, or another test's server may be given it."""
        for site in list(self._runner.sites):
            await site.stop()
        assert self._runner.server is not None
        await self._runner.server.shutdown(0.01)
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind((self.host, self.port))

    def release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    async def mend(self) -> None:
        self.release()
        await web.TCPSite(self._runner, self.host, self.port).start()


class World:
    """`async with World(tmp_path) as world`: everything runs; `world.appliance` may be stopped and started again."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock | None = None,
        responder: Responder | None = None,
        model: FakeAi | None = None,
        language: str = "pt-BR",
        pace: float = 0.0,
        others: Sequence[Twilio] = (),  # more accounts behind the same REST API
        account: str = ACCOUNT,
        registers: bool = True,
        **overrides: Any,  # sections of the configuration
    ) -> None:
        self.directory = directory
        self.clock = clock
        self.responder = responder
        self.model = model
        self.model_line: Line | None = None
        self.language = language
        time: dict[str, Any] = {"now": clock.now} if clock else {}
        self.twilio = Twilio(account, [TOKEN], owned=[SMS, WHATSAPP], pace=pace, **time)
        self.others = tuple(others)
        self.registers = registers
        self.overrides = overrides
        self._stack = AsyncExitStack()
        self._runs = False
        self.appliance: Appliance

    async def __aenter__(self) -> Self:
        try:
            await self._begin()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _begin(self) -> None:
        self._stack.push_async_callback(hang_up)
        self._simulator = await run_simulator(simulator_app(self.twilio, others=self.others), "127.0.0.1", 0)
        self._stack.push_async_callback(self._simulator.cleanup)
        self.twilio_line = Line(self._simulator)
        self._stack.callback(self.twilio_line.release)
        if self.model is not None:
            await self._serve(self.model)
        self.config = self._configure(self._simulator)
        self._stack.push_async_callback(self.stop)
        # First: a connection that is accepted while its server closes is never closed (CPython 3.11 drops it).
        self._stack.push_async_callback(self._no_more_callbacks)
        await self.start()
        if self.registers:
            await self.register()

    async def register(self) -> None:
        """The one organization of most tests."""
        registration = Registration("Padaria Aurora", [SMS, WHATSAPP], "dono@example.com", language=self.language)
        await self.appliance.store.write(lambda tx: register_organization(tx, registration))

    async def _no_more_callbacks(self) -> None:
        for twilio in (self.twilio, *self.others):
            await twilio.delivery.close()
        await hang_up()

    async def _serve(self, model: FakeAi) -> None:
        runner = web.AppRunner(model.app, shutdown_timeout=0.1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.model_line = Line(runner)
        self._stack.callback(self.model_line.release)
        base_url = f"http://127.0.0.1:{self.model_line.port}/v1"
        ours = {"provider": "llm", "base_url": base_url, "model": "fake"}
        self.overrides["ai"] = ours | self.overrides.get("ai", {})

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._runs:
            await self.crash()  # a failed test does not wait for what hangs
        await self._stack.aclose()

    def _configure(self, simulator: web.AppRunner) -> Config:
        port = simulator.addresses[0][1]
        own = free_port()
        self.address = f"http://127.0.0.1:{own}"
        raw: dict[str, dict[str, Any]] = {
            "server": {
                "listen": Address("127.0.0.1", own),
                "public_url": self.address,
                "api_key": API_KEY,
                "language": "en",
            },
            "storage": {"directory": self.directory / "data"},
            "twilio": {
                "account_sid": self.twilio.account_sid,
                "auth_tokens": (TOKEN,),
                "api_url": f"http://127.0.0.1:{port}",
                "timeout": 2000,
            },
            "conversations": {"reply_delay": 0, "reply_delay_max": 0},
        }
        config = Config()
        for section in raw.keys() | self.overrides.keys():
            values = raw.get(section, {}) | self.overrides.get(section, {})
            config = msgspec.structs.replace(
                config, **{section: msgspec.structs.replace(getattr(config, section), **values)}
            )
        return config

    async def start(self) -> None:
        """Start the appliance; Twilio's webhooks go to where it listens, signed for the public URL."""
        self.appliance = Appliance(self.config, self.clock, self.responder)
        self._runs = True
        await self.appliance.start()
        for twilio in (self.twilio, *self.others):
            twilio.public_url = self.address

    async def stop(self) -> None:
        if self._runs:
            self._runs = False
            await self.appliance.stop()

    async def crash(self) -> None:
        """Die as by kill -9: from here on nothing is written, and what was running stays so in the database."""
        self.appliance.store._writer.broken = StorageBrokenError("killed")
        await self.appliance.engine.worker.stop(grace=0)
        self.appliance.store._lock.tells_of_death = True  # nobody takes the name out of the lock
        await self.stop()

    async def settle(self) -> None:
        """Until nothing more happens without time passing; what still runs or is due after a long wait is a fault."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._settle()
        except TimeoutError:
            raise AssertionError(f"not settled within {PATIENCE:g} s: {await self._unsettled()}") from None

    async def _settle(self) -> None:
        if self.appliance.clock.now() > BUILT_AT:  # else it waits for its clock to be set, and so would we
            await self.appliance.engine.reconciled.wait()
        quiet = 0
        while quiet < 2:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            for twilio in (self.twilio, *self.others):
                await twilio.settle()
            quiet = quiet + 1 if not await self._unsettled() else 0
            if not quiet:
                await asyncio.sleep(0.002)

    async def _unsettled(self) -> list[str]:
        """The jobs that run or are due although their gate would let them pass, and what else the appliance does."""
        worker = self.appliance.engine.worker
        found = ["the worker claims"] if worker._claiming.locked() else []
        found += [f"job {job.id} ({job.kind}) runs" for job in worker._running.values()]
        found += [f"{task.get_name()} does something" for task in self.appliance._tasks if not self._sleeps(task)]
        if not self.appliance.engine.reconciled.is_set() or (
            isinstance(self.clock, ManualClock) and worker.beat <= self.clock.set_at
        ):
            return found  # the worker waits for its clock, or slept while that was set and sees it at its next look
        due, _ = await self.appliance.store.read(lambda tx: ready(tx, 1))
        passing = [job for each in due if worker._gate.allows(each.resource).jobs for job in each.due]
        return found + [f"job {job.id} ({job.kind}) of {job.resource!r} is due" for job in passing]

    def _sleeps(self, task: asyncio.Task[None]) -> bool:
        """It waits for the clock or an event that has not come. It has also made up its mind for how long: a clock that
        is moved meanwhile would prolong that.
        """
        appliance, frames = self.appliance, [task.get_coro()]
        while (awaited := getattr(frames[-1], "cr_await", None)) is not None:
            frames.append(awaited)
        codes = {getattr(frame, "cr_code", None) for frame in frames}
        for_time, for_event = type(appliance.clock).sleep.__code__ in codes, asyncio.Event.wait.__code__ in codes
        match task.get_name():
            case "worker" if appliance.engine.reconciled.is_set():
                return wait_for.__code__ in codes and not appliance.engine.bell.is_rung
            case "outage":
                return for_time if appliance.engine.outage.active else for_event
            case "worker" | "clock" | "watch":
                return for_time
            case "ping":
                return for_time or task.done()  # nobody listens
        return True  # a watchdog

    def worker_sleeps(self) -> bool:
        return all(self._sleeps(task) for task in self.appliance._tasks if task.get_name() == "worker")

    async def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
        """Wait (in real time) for something that must happen soon; a coroutine function may be the condition."""
        give_up = asyncio.get_running_loop().time() + seconds
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            assert asyncio.get_running_loop().time() < give_up, f"not within {seconds:g} s"
            await asyncio.sleep(0.005)

    @property
    def sender(self) -> Sender:
        """Of the only account."""
        return self.appliance.engine.adapters.accounts[MAIN].sender

    @property
    def log(self) -> MessageLog:
        return self.appliance.engine.adapters.accounts[MAIN].log

    async def say(self, body: str, sender: str = CUSTOMER, to: str = SMS, **options: Any) -> str:
        """A customer writes and Twilio hears 200. Returns the sid."""
        sid, status = await self.twilio.receive(sender, to, body, **options)
        assert status == 200, status
        return sid

    async def teach(self, title: str, body: str) -> None:
        await self.appliance.store.write(lambda tx: tx.knowledge.put(1, title, body))

    def sent(self, to: str = CUSTOMER) -> list[str]:
        """The bodies that Twilio accepted for a customer, oldest first."""
        return [
            entry.body for entry in self.twilio.ledger if entry.direction == "outbound-api" and entry.recipient == to
        ]

    async def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        return await self.appliance.store.read(lambda tx: [dict(row) for row in tx.sql.all(statement, *values)])

    async def column(self, statement: str, *values: Any) -> list[Any]:
        """The first column of every row."""
        return [next(iter(row.values())) for row in await self.rows(statement, *values)]

    async def dispositions(self) -> list[str]:
        return await self.column("SELECT disposition FROM dispositions ORDER BY id")

    async def opened_cards(self) -> list[dict[str, Any]]:
        """The open cards, oldest first, but for what a box that is being set up lacks."""
        return [
            row
            for row in await self.rows("SELECT * FROM cards WHERE closed_at IS NULL ORDER BY id")
            if row["kind"] not in LACKS
        ]

    async def cards(self) -> list[str]:
        """Their kinds."""
        return [row["kind"] for row in await self.opened_cards()]

    async def told(self) -> list[str]:
        """In English: title and text."""
        rows = await self.opened_cards()
        words = [told(row, Reader("en", "UTC", 0)) for row in rows]
        return [f"{each.title}. {each.text}" for each in words]


async def nothing() -> None:
    """Time passes, and nobody notices yet."""


async def sleep(world: World, minutes: float) -> None:
    """Time passes, and the appliance notices afterwards."""
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(minutes * 60, nothing)
    await world.settle()


async def hang_up() -> None:
    """A server that was just told to close may have accepted one more connection: let it see that nobody is there."""
    for _ in range(5):
        await asyncio.sleep(0.001)


PORTS = 2_500  # for each process that runs tests
FIRST_PORT = 10_000 + PORTS * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.cycle(random.sample(range(FIRST_PORT, FIRST_PORT + PORTS), PORTS))


def free_port() -> int:
    """A port that nothing listens on, and that is not given away before somebody listens, or while a box is off.

    Linux hands those from 32,768 on to every connection and to every server that asks for any.
    """
    for port in itertools.islice(_ports, PORTS):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
