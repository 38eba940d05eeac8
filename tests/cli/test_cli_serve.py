"""`appliance serve` as a real process: how it starts, refuses and ends."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import ACCOUNT, TOKEN, free_port

COMMAND = [sys.executable, "-m", "appliance"]


class Box:
    """A configuration file, and the processes that were started with it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "box.toml"
        self.port = free_port()
        self.processes: list[subprocess.Popen[str]] = []
        self.write(directory / "data")

    def write(self, storage: Path) -> None:
        self.path.write_text(
            f'server = {{ listen = "127.0.0.1:{self.port}", public_url = "http://127.0.0.1:{self.port}" }}\n'
            f'storage = {{ directory = "{storage}" }}\n'
            f'twilio = {{ account_sid = "{ACCOUNT}", auth_tokens = ["{TOKEN}"], api_url = "http://127.0.0.1:9" }}\n'
        )

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("APPLIANCE_", "TWILIO_"))}
        kept.pop("JOURNAL_STREAM", None)
        return {**kept, "PYTHONPATH": str(Path(__file__).parents[2])}

    def run(self, *arguments: str, program: str = "") -> subprocess.CompletedProcess[str]:
        """The command line; `program`: one that ends in it."""
        command = [sys.executable, "-c", program, "serve"] if program else COMMAND
        return subprocess.run(
            [*command, "--config", str(self.path), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.directory,
            env=self.environ,
            timeout=60,
        )

    def serve(self) -> subprocess.Popen[str]:
        return self.start([*COMMAND, "serve", "--config", str(self.path)])

    def start(self, command: list[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=self.directory, env=self.environ)
        self.processes.append(process)
        return process

    def ready(self) -> subprocess.Popen[str]:
        process = self.serve()
        until(process, "ready")
        return process


def until(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    """The log's line with this event."""
    assert process.stderr is not None
    for line in process.stderr:
        told: dict[str, Any] = json.loads(line)
        if told["event"] == event:
            return told
    raise AssertionError(f"ended without {event}")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(box: Box, number: signal.Signals) -> None:
    """Exit status 0, and the last line says that everything was closed."""
    process = box.ready()

    process.send_signal(number)

    assert until(process, "stopped")["level"] == "info"
    assert process.wait(30) == 0


def test_a_signal_while_it_starts_ends_it_cleanly(box: Box) -> None:
    """systemd may stop a service before it is ready."""
    process = box.serve()
    until(process, "starting")

    process.terminate()

    until(process, "stopped")
    assert process.wait(30) == 0


def test_a_second_signal_ends_it_at_once(box: Box) -> None:
    """An operator who does not want to wait for a stuck stop need not know about SIGKILL."""
    program = (
        "import asyncio, sys\n"
        "from appliance import logs\n"
        "from appliance.app import Appliance\n"
        "from appliance.config import Config\n"
        "from appliance.app import run\n"
        "class Stuck(Appliance):\n"
        "    async def start(self): logs.structlog.get_logger().info('ready')\n"
        "    async def stop(self):\n"
        "        logs.structlog.get_logger().info('stopping')\n"
        "        await asyncio.sleep(600)\n"
        "logs.configure('info', 'json')\n"
        "asyncio.run(run(Stuck(Config())))\n"
    )
    process = box.start([sys.executable, "-c", program])
    until(process, "ready")

    process.terminate()
    until(process, "stopping")
    process.terminate()

    assert process.wait(30) == -signal.SIGTERM


def test_it_says_which_configuration_is_in_force(box: Box) -> None:
    """The first line of the log names the file, the directory and the version."""
    told = until(box.serve(), "starting")

    assert told["config"] == str(box.path)
    assert told["storage"] == str(box.directory / "data")


def test_a_second_process_is_refused_in_one_sentence(box: Box) -> None:
    """Two processes never share a storage directory."""
    first = box.ready()

    second = box.run("serve")

    assert second.returncode == 1
    sentence = second.stderr.splitlines()[-1]
    assert sentence == f"Another appliance (process {first.pid}) is using {box.directory / 'data'}; stop it first."


def test_a_taken_port_is_refused_in_one_sentence(box: Box) -> None:
    """The sentence names the address and the key to change."""
    box.ready()
    box.write(box.directory / "other")

    second = box.run("serve")

    assert second.returncode == 1
    assert second.stderr.splitlines()[-1].startswith(f"Cannot listen on 127.0.0.1:{box.port}: ")


def test_a_foreign_database_is_refused_in_one_sentence(box: Box) -> None:
    """What is no database of ours is never touched."""
    data = box.directory / "data"
    data.mkdir()
    with closing(sqlite3.connect(data / "appliance.db")) as connection:
        connection.execute("CREATE TABLE somebodys (thing)")

    result = box.run("serve")

    assert result.returncode == 78, "systemd must not start it again and again"
    assert result.stderr.splitlines()[-1].startswith("appliance.db belongs to another program")
    assert "Traceback" not in result.stderr


def test_a_directory_that_others_use_is_a_fault_of_the_configuration(box: Box) -> None:
    """systemd must not start it again and again either."""
    data = box.directory / "data"
    data.mkdir()
    (data / "somebodys").touch()
    data.chmod(0o1777)

    result = box.run("serve")

    assert result.returncode == 78
    assert result.stderr.splitlines()[-1].startswith(f"  storage.directory = {data}: others may write there")


def test_the_watchdog_s_signal_leaves_a_trace_of_where_it_was(box: Box) -> None:
    """Of the loop and of each thread, in the log of the service."""
    process = box.ready()

    process.send_signal(signal.SIGABRT)
    _, said = process.communicate(timeout=30)

    assert process.returncode == -signal.SIGABRT
    assert "Current thread" in said
    assert "\nThread" in said
    assert "serve.py" in said


def test_a_damaged_database_keeps_it_up_until_it_is_told_to_stop(box: Box) -> None:
    """It refuses webhooks and ends cleanly: nothing is gained by starting it again and again."""
    data = box.directory / "data"
    data.mkdir()
    (data / "appliance.db").write_bytes(b"nothing that SQLite knows" * 400)
    process = box.serve()
    until(process, "cannot store anything, every webhook gets 503")

    process.terminate()

    until(process, "stopped")
    assert process.wait(30) == 0


def test_a_directory_that_cannot_be_made_is_one_sentence(box: Box) -> None:
    """A file where the directory should be is the operator's to fix."""
    (box.directory / "file").touch()
    box.write(box.directory / "file" / "data")

    result = box.run("serve")

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"Not a directory: {box.directory / 'file' / 'data'}"


def test_configuration_faults_are_told_one_per_line_below_the_file(box: Box) -> None:
    """Exit status 78, the file first, then every fault, no traceback and no secret."""
    box.path.write_text('[server]\nlisten = "nowhere"\npublic_ur = "x"\n[twilio]\nauth_tokens = "hunter2hunter2"\n')

    result = box.run("serve")

    assert result.returncode == 78
    first, *faults = result.stderr.splitlines()
    assert first == f"Configuration: {box.path}"
    assert len(faults) == 5
    assert all(fault.startswith("  ") for fault in faults)
    assert "hunter2" not in result.stderr


def test_a_failed_part_ends_it_with_1(box: Box) -> None:
    """systemd starts it again; the sentence names what failed and quotes nothing."""
    program = (
        "import sys\n"
        "from appliance.app import Appliance\n"
        "from appliance.cli import serve\n"
        "class Faulty(Appliance):\n"
        "    async def start(self):\n"
        "        await super().start()\n"
        "        self.fault = ValueError('what a customer wrote')\n"
        "        self.stopping.set()\n"
        "serve.Appliance = Faulty\n"
        "from appliance.__main__ import main\n"
        "main()\n"
    )

    result = box.run(program=program)

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "Stopped because a part failed: ValueError"
    assert "customer" not in result.stderr
