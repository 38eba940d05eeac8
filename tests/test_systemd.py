"""The service as systemd sees it: the unit file, and what the process tells through $NOTIFY_SOCKET."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.world import ACCOUNT, TOKEN, ManualClock, World, free_port

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "systemd" / "appliance.service"
PERIOD = {"WATCHDOG_USEC": "150000"}  # a sign of life every 50 ms
analyzes = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: sudo apt install systemd"
)


class Manager:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self.environ = {"NOTIFY_SOCKET": str(path)} | PERIOD
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    async def told(self, seconds: float = 30.0) -> str:
        """The next thing the process says. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        return (await asyncio.wait_for(loop.sock_recv(self.socket, 4096), seconds)).decode()

    async def until(self, state: str) -> None:
        while await self.told() != state:
            pass

    def forget(self) -> None:
        """What was said until now."""
        try:
            while True:
                self.socket.recv(4096)
        except BlockingIOError:
            return


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """A service manager that this process, and what it starts, reports to."""
    manager = Manager(tmp_path / "notify")
    for name, value in manager.environ.items():
        monkeypatch.setenv(name, value)
    yield manager
    manager.socket.close()


def configuration(directory: Path, port: int) -> dict[str, str]:
    """Variables that are a whole configuration."""
    ours = {
        "APPLIANCE_SERVER__LISTEN": f"127.0.0.1:{port}",
        "APPLIANCE_SERVER__PUBLIC_URL": f"http://127.0.0.1:{port}",
        "APPLIANCE_STORAGE__DIRECTORY": str(directory / "data"),
        "APPLIANCE_TWILIO__API_URL": "http://127.0.0.1:9",
        "APPLIANCE_TWILIO__ACCOUNT_SID": ACCOUNT,
        "APPLIANCE_TWILIO__AUTH_TOKENS": f'["{TOKEN}"]',
    }
    return os.environ | ours | {"PYTHONPATH": str(ROOT)}


async def test_ready_alive_stopping(tmp_path: Path, manager: Manager) -> None:
    """READY comes once /readyz says 200, then signs of life, at SIGTERM STOPPING and a quick clean end."""
    port = free_port()
    environment = configuration(tmp_path, port)
    command = (sys.executable, "-m", "appliance", "serve")
    process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment)
    try:
        assert await manager.told() == "READY=1"
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as response:
            assert response.status == 200
        assert [await manager.told(), await manager.told()] == ["WATCHDOG=1"] * 2
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        await manager.until("STOPPING=1")
        assert await process.wait() == 0
        assert time.monotonic() - began < 10
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_status_tells_of_a_fault_only_while_there_is_one(tmp_path: Path, manager: Manager) -> None:
    """A damaged database is in `systemctl status` until it is moved away."""
    (tmp_path / "data").mkdir(mode=0o700)
    database = tmp_path / "data" / "appliance.db"
    database.write_bytes(b"nothing that SQLite knows" * 400)
    command = (sys.executable, "-m", "appliance", "serve")
    environment = configuration(tmp_path, free_port())
    process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment)
    try:
        assert re.fullmatch(r"READY=1\nSTATUS=.* is damaged: .*", await manager.told())
        database.unlink()
        await manager.until("STATUS=")
        await manager.until("READY=1")
    finally:
        process.kill()
        await process.wait()


async def test_no_sign_of_life_while_the_writer_hangs(tmp_path: Path, manager: Manager) -> None:
    """A disk that does not answer silences the appliance; when it answers again, so does the appliance."""
    async with World(tmp_path) as world:
        await manager.until("WATCHDOG=1")
        disk = threading.Event()
        hanging = asyncio.create_task(world.appliance.store.write(lambda tx: disk.wait()))
        await asyncio.sleep(0.2)
        manager.forget()
        try:
            with pytest.raises(TimeoutError):
                await manager.told(1.0)
        finally:
            disk.set()
            await hanging
        await manager.until("WATCHDOG=1")


async def test_no_sign_of_life_without_workers(tmp_path: Path, manager: Manager) -> None:
    """Workers that have not moved for half a minute silence the appliance."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await manager.until("WATCHDOG=1")
        worker = next(task for task in asyncio.all_tasks() if task.get_name() == "worker")
        worker.cancel()
        await clock.advance(31, lambda: asyncio.sleep(0.001))
        manager.forget()

        with pytest.raises(TimeoutError):
            await manager.told(1.0)
        async with aiohttp.ClientSession() as http, http.get(f"{world.address}/readyz") as response:
            assert (await response.json())["reasons"] == ["the workers do not answer"]


@analyzes
def test_the_unit_is_understood(tmp_path: Path) -> None:
    """systemd finds nothing to complain about."""
    unit = tmp_path / UNIT.name
    # Its program and user exist only where it is installed.
    text = re.sub("^ExecStart=[^ ]+", f"ExecStart={sys.executable}", UNIT.read_text(), flags=re.MULTILINE)
    unit.write_text(re.sub("^(User|Group)=.*", r"\1=root", text, flags=re.MULTILINE))
    said = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)

    assert (said.returncode, said.stderr) == (0, "")


@analyzes
def test_the_unit_is_locked_down() -> None:
    """systemd's own score of exposure stays at 1.5 of 10 or better."""
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=15", str(UNIT)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stdout


def test_every_group_of_lines_says_why() -> None:
    """Each block of settings in the service begins with a comment."""
    service = UNIT.read_text().split("[Service]\n")[1].split("\n[Install]")[0]

    assert [block for block in service.split("\n\n") if not block.startswith("#")] == []
