"""The whole product in one process: a simulated Twilio, the real appliance, real SQLite, a clock to move by hand."""

import asyncio
import heapq
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from appliance.app import Appliance
from appliance.config import Address, Config
from appliance.identity import Registration, register_organization
from appliance.model import SECOND
from appliance.ports import Clock, Responder
from appliance.simulator.app import run_simulator, simulator_app
from appliance.simulator.twilio import Twilio

ACCOUNT = "AC" + "0" * 32
TOKEN = "test-token-0123456789abcdef012345"
SMS = "+551140000000"
WHATSAPP = "whatsapp:+551140000001"
CUSTOMER = "+5511988887777"
API_KEY = "k" * 32


class ManualClock:
    """Stands still until it is moved; sleepers wake in order."""

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self._start = now
        self._wall_offset = 0
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> int:
        return self._start + self._wall_offset + int(self._elapsed * SECOND)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._elapsed + max(seconds, 0), self._count, future))
        await future

    def jump(self, seconds: float) -> None:
        """Set the wall clock, as an administrator or NTP does; the monotonic clock does not notice."""
        self._wall_offset += int(seconds * SECOND)

    async def advance(self, seconds: float, settle: Callable[[], Awaitable[None]]) -> None:
        """Let time pass; after each wake-up everything that can run gets to run."""
        end = self._elapsed + seconds
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


class World:
    """`async with World(tmp_path) as world`: everything runs; `world.appliance` may be stopped and started again."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock | None = None,
        responder: Responder | None = None,
        language: str = "pt-BR",
        pace: float = 0.0,
        **overrides: dict[str, Any],
    ) -> None:
        self.directory = directory
        self.clock = clock
        self.responder = responder
        self.language = language
        self.twilio = Twilio(
            ACCOUNT, [TOKEN], owned=[SMS, WHATSAPP], pace=pace, **({"now": clock.now} if clock else {})
        )
        self.overrides = overrides
        self._stack = AsyncExitStack()
        self.appliance: Appliance

    async def __aenter__(self) -> "World":
        self._simulator = await run_simulator(simulator_app(self.twilio), "127.0.0.1", 0)
        self._stack.push_async_callback(self._simulator.cleanup)
        self.config = self._configure(self._simulator)
        self._stack.push_async_callback(self.stop)
        await self.start()
        await self.appliance.store.write(
            lambda tx: register_organization(
                tx, Registration("Padaria Aurora", [SMS, WHATSAPP], "dono@example.com", language=self.language)
            )
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    def _configure(self, simulator: web.AppRunner) -> Config:
        port = simulator.addresses[0][1]
        own = free_port()
        self.address = f"http://127.0.0.1:{own}"
        raw: dict[str, dict[str, Any]] = {
            "server": {"listen": Address("127.0.0.1", own), "public_url": self.address, "api_key": API_KEY},
            "storage": {"directory": self.directory / "data"},
            "twilio": {
                "account_sid": ACCOUNT,
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
        await self.appliance.start()
        self.twilio.public_url = self.address

    async def stop(self) -> None:
        await self.appliance.stop()

    async def settle(self) -> None:
        """Until nothing more happens without time passing."""
        for _ in range(100):
            await asyncio.sleep(0.002)
            await self.twilio.settle()
            if not self.appliance.worker.busy and not await self._due():
                await asyncio.sleep(0.002)
                if not self.appliance.worker.busy and not await self._due():
                    return

    async def _due(self) -> bool:
        return await self.appliance.store.read(lambda tx: tx.counts.oldest_ready()) is not None

    def sent(self, to: str = CUSTOMER) -> list[str]:
        """The bodies that Twilio accepted for a customer, oldest first."""
        return [
            entry.body for entry in self.twilio.ledger if entry.direction == "outbound-api" and entry.recipient == to
        ]

    async def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        return await self.appliance.store.read(lambda tx: [dict(row) for row in tx.sql.all(statement, *values)])


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
