"""The box of the other tests, whose process is forked by one that has imported everything already."""

import asyncio
import atexit
import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.support.box import Box

ROOT = Path(__file__).parents[3]


class Nursery:
    """The process that forks. `environment`: what it starts with besides; what that loads is in all that it forks."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        environ = {**os.environ, "PYTHONPATH": f"{ROOT}", **environment}
        command = [sys.executable, "-m", "tests.lab.faults.nursery"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, bufsize=0)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._orders, self._reports = self._process.stdin, self._process.stdout
        self._reports.readline()

    def order(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        order = {"arguments": arguments, "environment": environment}
        self._orders.write(json.dumps(order).encode() + b"\n")

    async def reports(self) -> AsyncIterator[list[str]]:
        """The words of each line that it says from now on, in this event loop."""
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(self._reports.fileno()), "rb", 0)
        )
        with contextlib.closing(transport):
            while line := await reader.readline():
                yield line.decode().split()

    def close(self) -> None:
        self._orders.close()
        self._process.wait()
        self._reports.close()


@functools.cache
def shared_nursery() -> Nursery:
    """Importing everything takes a second: the boxes whose process is an ordinary one share it."""
    nursery = Nursery({})
    atexit.register(nursery.close)
    return nursery


class Child:
    """As asyncio's Process, of a process that somebody else is the parent of."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def returncode(self) -> int | None:
        return self.ended.result() if self.ended.done() else None

    def send_signal(self, number: int) -> None:
        if not self.ended.done():
            os.kill(self.pid, number)

    async def wait(self) -> int:
        return await self.ended


class ForkedBox(Box):
    """`async with ForkedBox(tmp_path) as box`: box.start() takes a fraction of a second.

    `environment`: what its own nursery starts with; to be set before the box is entered. Empty: it shares one.
    """

    def __init__(self, directory: Path, **settings: str) -> None:
        super().__init__(directory, **settings)
        self.environment: dict[str, str] = {}
        self._children: dict[int, Child] = {}
        self._started: asyncio.Queue[Child] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._nursery = self._own_nursery() if self.environment else shared_nursery()
        listener = asyncio.create_task(self._listen())
        self._stack.callback(listener.cancel)
        return await super().__aenter__()

    def _own_nursery(self) -> Nursery:
        nursery = Nursery(self.environment)
        self._stack.callback(nursery.close)
        return nursery

    async def _listen(self) -> None:
        async for event, pid, *status in self._nursery.reports():
            if event == "started":
                self._started.put_nowait(self._children.setdefault(int(pid), Child(int(pid))))
            elif int(pid) in self._children:
                self._children.pop(int(pid)).ended.set_result(int(status[0]))
        for orphan in self._children.values():  # nobody is left who could tell
            with contextlib.suppress(ProcessLookupError):
                orphan.send_signal(signal.SIGKILL)
            orphan.ended.set_result(-signal.SIGKILL)

    @property
    def child(self) -> Child:
        assert isinstance(self.process, Child)
        return self.process

    async def start(self, *wrapper: str) -> None:
        await self.launch()
        assert await self.until_it_listens(), f"serve ended with {self.child.returncode}"

    async def until_it_listens(self) -> bool:
        """False where it ended before."""
        async with asyncio.timeout(30):
            while self.child.returncode is None:
                if await self._listens():
                    return True
                await asyncio.sleep(0.005)
        return False

    async def launch(self) -> None:
        """Start `serve` and wait for nothing."""
        self.process = await self._fork("serve")

    async def command(self, *arguments: str) -> str:
        """Run one command of the command line; it must succeed. What it says is not kept."""
        child = await self._fork(*arguments)
        assert await child.wait() == 0, arguments
        return ""

    async def _fork(self, *arguments: str) -> Child:
        self._nursery.order(arguments, self.environ)
        async with asyncio.timeout(30):
            return await self._started.get()
