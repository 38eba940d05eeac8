"""Where the appliance listens: HTTP, the control socket, and a separate address for metrics."""

from pathlib import Path
from typing import Self

from aiohttp import web

from appliance.config import Address
from appliance.errors import ApplianceError

KEEP_ALIVE = 15.0  # seconds an idle HTTP connection may stay
LONGEST_LINE = 64 * 1024  # bytes: a webhook by GET has the customer's words in its first line
SHUTDOWN = 1.0  # seconds that a request under way has at a stop


class Listeners:
    """`async with Listeners() as listeners`: what was opened is closed at the end."""

    def __init__(self) -> None:
        self._runners: list[web.AppRunner] = []
        self._sockets: list[Path] = []

    async def tcp(self, app: web.Application, listen: Address, key: str) -> str:
        """The URL it answers at. `key`: what to set where the address cannot be used (ApplianceError)."""
        runner = await self._runner(app)
        try:
            await web.TCPSite(runner, listen.host, listen.port).start()
        except OSError as error:
            raise ApplianceError(f"Cannot listen on {listen}: {error.strerror}. Set {key}.") from error
        host, port = runner.addresses[0][:2]
        return f"http://{Address(host, port)}"

    async def unix(self, app: web.Application, path: Path) -> None:
        """Only for the owner. A socket left by a dead process is removed: the caller holds the storage's lock."""
        runner = await self._runner(app)
        _remove(path)
        try:
            await web.UnixSite(runner, path).start()
        except OSError as error:
            raise ApplianceError(f"Cannot listen on {path}: {error.strerror}. Set storage.directory.") from error
        self._sockets.append(path)
        _make_private(path)

    async def _runner(self, app: web.Application) -> web.AppRunner:
        runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE,
            shutdown_timeout=SHUTDOWN,
            max_line_size=LONGEST_LINE,
            handle_signals=False,
        )
        self._runners.append(runner)
        await runner.setup()
        return runner

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        for path in self._sockets:
            _remove(path)
        for runner in self._runners:
            await runner.cleanup()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _make_private(path: Path) -> None:
    path.chmod(0o600)
