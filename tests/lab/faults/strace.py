"""System calls of a running process, failed, delayed or watched from outside."""

import asyncio
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace makes system calls fail")


@asynccontextmanager
async def attached(pid: int, *options: str, output: Path | None = None) -> AsyncIterator[None]:
    """Inside, strace is attached to all threads of a process: `-e inject=…`, `-e trace=…`."""
    place = ["-o", str(output)] if output else ["-o", "/dev/null"]
    tracer = await asyncio.create_subprocess_exec(
        "strace", "-f", "-tt", *options, *place, "-p", str(pid), stdin=DEVNULL, stderr=PIPE
    )
    assert tracer.stderr is not None
    said = await tracer.stderr.readline()
    assert b"attached" in said, said.decode()
    drain = asyncio.create_task(tracer.stderr.read())
    try:
        yield
    finally:
        if tracer.returncode is None:
            tracer.send_signal(signal.SIGINT)
        await tracer.wait()
        await drain


def inject(calls: str, what: str) -> tuple[str, ...]:
    """Options that make some calls fail or wait, such as inject("fdatasync", "error=EIO:when=3")."""
    return "-e", f"trace={calls}", "-e", f"inject={calls}:{what}"
