"""The real process, everything around it that can go wrong, and what an owner would see of it."""

import asyncio
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.lab.faults.small_disk import SmallDisk
from tests.support.box import ANSWER, Box
from tests.support.certificates import Authority
from tests.support.fake_ai import FakeAi
from tests.support.world import SMS

PATIENCE = 120.0  # seconds: what takes longer than 90 is found to be late, and not given up
LOOK = 0.5


@dataclass(frozen=True)
class Alert:
    """A POST to `alerts.url`. `at`: seconds of the monotonic clock."""

    at: float
    title: str
    body: str


class Ears:
    """What `alerts.url` leads to."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        app = web.Application()
        app.router.add_post("/", self._heard)
        self.server = TestServer(app)

    async def _heard(self, request: web.Request) -> web.Response:
        self.alerts.append(Alert(time.monotonic(), request.headers.get("Title", ""), await request.text()))
        return web.Response()


class Stand(Box):
    """`environment` overrides the configuration; `restart` changes it. With `model` a fake provider answers."""

    def __init__(self, directory: Path, *, model: bool = False, **environment: str) -> None:
        directory.mkdir(exist_ok=True)
        super().__init__(directory)
        self.environment = environment
        self.model = FakeAi() if model else None
        if self.model is not None:
            self.model.answer = ANSWER
        self.ears = Ears()
        self.customers = 0
        self.disk: SmallDisk | None = None
        self.tls = 0  # the port of a server that shows a certificate of another name
        self.log = directory / "log"

    async def __aenter__(self) -> Self:
        await self.ears.server.start_server()
        self._stack.push_async_callback(self.ears.server.close)
        if self.model is not None:
            server = TestServer(self.model.app)
            await server.start_server()
            self._stack.push_async_callback(server.close)
            ai = {"PROVIDER": "llm", "MODEL": "fake", "BASE_URL": str(server.make_url("/v1")), "DEADLINE": "20s"}
            self.environment = {f"APPLIANCE_AI__{key}": value for key, value in ai.items()} | self.environment
        await super().__aenter__()
        self.stderr = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._stack.callback(os.close, self.stderr)
        return self

    @property
    def environ(self) -> dict[str, str]:
        ours = {
            "APPLIANCE_LOG__LEVEL": "info",
            "APPLIANCE_ALERTS__URL": str(self.ears.server.make_url("/")),
            "APPLIANCE_SERVER__LANGUAGE": "en",
            "APPLIANCE_TWILIO__CATCH_UP_EVERY": "60s",
        }
        return super().environ | ours | self.environment

    async def restart(self, **environment: str) -> None:
        await self.stop()
        self.environment = {**self.environment, **environment}
        await self.start()

    async def write(self, number: int = 1) -> None:
        """So many new customers write; Twilio's webhooks may fail."""
        for _ in range(number):
            self.customers += 1
            await self.twilio.receive(f"+55119{self.customers:08}", SMS, "Qual o horário?")

    async def api(self, path: str) -> Any:
        """Asked over the control socket; None where nobody answers."""
        connector = aiohttp.UnixConnector(str(self.directory / "data" / "control.sock"))
        try:
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                session.get(f"http://appliance/api/v1/{path}") as response,
            ):
                return await response.json()
        except (aiohttp.ClientError, OSError):
            return None

    async def card(self, kind: str) -> dict[str, Any] | None:
        found = await self.api("cards") or {"cards": []}
        return next((card for card in found["cards"] if card["kind"] == kind), None)

    async def kinds(self) -> list[str]:
        return [card["kind"] for card in (await self.api("cards"))["cards"]]

    async def until(self, what: Callable[[Any], bool], kind: str) -> tuple[float, dict[str, Any] | None]:
        """Seconds until a kind's card is as wanted, and the card."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            card = await self.card(kind)
            if what(card):
                return time.monotonic() - began, card
            await asyncio.sleep(LOOK)
        raise AssertionError(f"{kind}: not within {PATIENCE} s; open are {await self.kinds()}")

    async def run(self, *arguments: str) -> tuple[int, str]:
        """A command, whatever it ends with: exit status and what it prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", *arguments, env=self.environ, stdout=-1, stderr=asyncio.subprocess.STDOUT
        )
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode()

    def execute(self, statement: str, *values: int) -> None:
        """Change the database of a process that has ended."""
        with closing(sqlite3.connect(self.directory / "data" / "appliance.db")) as connection, connection:
            connection.execute(statement, values)

    def lines(self, *levels: str) -> list[dict[str, Any]]:
        """The log's lines of these levels."""
        if not self.log.exists():
            return []
        read = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in read if not levels or line["level"] in levels]


async def with_tls(stand: Stand, directory: Path) -> None:
    """A server that shows a certificate of another name."""
    server = TestServer(web.Application())
    await server.start_server(ssl=Authority(directory).server("another.example.com"))
    stand.tls = server.port or 0
    stand._stack.push_async_callback(server.close)
