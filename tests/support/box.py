"""The real process beside a simulated Twilio: started, killed and started again."""

import asyncio
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL
from collections import Counter
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, Protocol, Self

from appliance.simulator import Twilio, run_simulator, simulator_app
from tests.support.world import ACCOUNT, SMS, TOKEN, WHATSAPP, Line, free_port, hang_up

KNOWLEDGE = "# Horário\nAbrimos das 7h às 19h.\n"
ANSWER = "Abrimos das 7h às 19h."


class Running(Protocol):
    """What a box needs of asyncio's Process."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...
    async def wait(self) -> int: ...


class Box:
    """`async with Box(tmp_path) as box`: a registered organization, no process yet."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.twilio = Twilio(ACCOUNT, [TOKEN], public_url=self.url, owned=[SMS, WHATSAPP], pace=0.0)
        self.settings = settings
        self.stderr: int | None = None  # a descriptor; None: where our own goes
        self.process: Running | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(hang_up)
        runner = await run_simulator(simulator_app(self.twilio), "127.0.0.1", 0)
        self._stack.push_async_callback(runner.cleanup)
        self.line = Line(runner)
        self._stack.callback(self.line.release)
        self._stack.push_async_callback(self.kill)
        self.config = self.directory / "config.toml"
        self.config.write_text(self._toml(runner.addresses[0][1]))
        await self.command(
            "org", "register", "Padaria", "--channel", SMS, "--channel", WHATSAPP, "--user", "a@example.com"
        )
        (self.directory / "knowledge.md").write_text(KNOWLEDGE)
        await self.command("knowledge", "import", str(self.directory / "knowledge.md"))
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    def _toml(self, twilio_port: int) -> str:
        delay = self.settings.get("reply_delay", "0")
        grace = self.settings.get("doubt_grace", "3s")
        return (
            f'server = {{ listen = "127.0.0.1:{self.port}", public_url = "{self.url}", language = "en" }}\n'
            f'storage = {{ directory = "{self.directory / "data"}" }}\n'
            f'twilio = {{ account_sid = "{ACCOUNT}", auth_tokens = ["{TOKEN}"], doubt_grace = "{grace}", timeout = "2s", '
            f'api_url = "http://127.0.0.1:{twilio_port}" }}\n'
            f'conversations = {{ reply_delay = "{delay}", reply_delay_max = "{delay}" }}\n'
            'log = { level = "warning", format = "json" }\n'
        )

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("APPLIANCE_", "TWILIO_"))}
        return kept | {"APPLIANCE_CONFIG": str(self.config), "PYTHONPATH": str(Path(__file__).parents[2])}

    async def command(self, *arguments: str) -> str:
        """Run one command of the command line; it must succeed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", *arguments, env=self.environ, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def start(self, *wrapper: str) -> None:
        """Start `serve` and wait until it listens. `wrapper`: a command that runs it, such as strace."""
        serve = (sys.executable, "-m", "appliance", "serve")
        self.process = await asyncio.create_subprocess_exec(
            *wrapper, *serve, env=self.environ, stdin=DEVNULL, stdout=DEVNULL, stderr=self.stderr
        )
        async with asyncio.timeout(30):
            while not await self._listens():
                assert self.process.returncode is None, f"serve ended with {self.process.returncode}"
                await asyncio.sleep(0.01)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    async def kill(self) -> None:
        """kill -9: nothing is cleaned up."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: int) -> int:
        if self.process is None or self.process.returncode is not None:
            return 0
        self.process.send_signal(number)
        return await self.process.wait()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Read the database of a process that has ended."""
        with closing(sqlite3.connect(self.directory / "data" / "appliance.db")) as connection:
            return connection.execute(statement).fetchall()

    def sent(self) -> Counter[str]:
        """How many messages Twilio accepted for each customer."""
        return Counter(entry.recipient for entry in self.twilio.ledger if entry.direction == "outbound-api")

    async def until_sent(self, contacts: int, seconds: float = 60.0) -> None:
        """Wait until so many customers have an answer."""
        async with asyncio.timeout(seconds):
            while len(self.sent()) < contacts:
                await asyncio.sleep(0.02)
