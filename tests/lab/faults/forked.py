"""The box of the other tests, whose process is forked by one that has imported everything already."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Self

from box import Box

TESTS = Path(__file__).parents[2]


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

    `environment`: what the process has besides; to be set before the box is entered.
    """

    def __init__(self, directory: Path, **settings: str) -> None:
        super().__init__(directory, **settings)
        self.environment: dict[str, str] = {}
        self._children: dict[int, Child] = {}
        self._started: asyncio.Queue[Child] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self.config = self.directory / "config.toml"
        environ = self.environ | self.environment
        environ["PYTHONPATH"] += f":{TESTS}"
        self._nursery = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lab.faults.nursery", env=environ, stdin=PIPE, stdout=PIPE
        )
        self._stack.push_async_callback(self._close_nursery)
        await _line(self._nursery)
        self._listener = asyncio.create_task(self._listen(self._nursery))
        return await super().__aenter__()

    async def _close_nursery(self) -> None:
        self._listener.cancel()
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        await self._nursery.wait()

    async def _listen(self, nursery: Process) -> None:
        while line := await _line(nursery):
            pid = int(line[1])
            child = self._children.setdefault(pid, Child(pid))
            if line[0] == "started":
                self._started.put_nowait(child)
            else:
                del self._children[pid]
                child.ended.set_result(int(line[2]))
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
        self.process = await self._fork("serve")  # type: ignore[assignment]

    async def command(self, *arguments: str) -> str:
        """Run one command of the command line; it must succeed. What it says is not kept."""
        child = await self._fork(*arguments)
        assert await child.wait() == 0, arguments
        return ""

    async def _fork(self, *arguments: str) -> Child:
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(json.dumps(arguments).encode() + b"\n")
        async with asyncio.timeout(30):
            return await self._started.get()


async def _line(nursery: Process) -> list[str]:
    assert nursery.stdout is not None
    return (await nursery.stdout.readline()).decode().split()
