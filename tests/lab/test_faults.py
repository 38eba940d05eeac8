"""The real process on a box whose system calls fail or take long: nothing is acknowledged that is not on disk.

LAB_FAULTS sets at how many places in a row each call fails, LAB_STALL how many seconds the longest sync takes.
"""

import asyncio
import os
import re
import time
from pathlib import Path

import pytest

from tests.lab.faults.desk import Customers, get
from tests.lab.faults.forked import ForkedBox
from tests.lab.faults.strace import attached, inject, needs_strace
from tests.lab.figures import record

PLACES = int(os.environ.get("LAB_FAULTS", "2"))
STALL = float(os.environ.get("LAB_STALL", "2"))
SLOW = [(100, "1+"), (int(STALL * 1000), "1")]  # ms of a sync, which of them
TWILIO_PATIENCE = 15.0  # seconds
FEW = 5  # health checks, of one each 50 ms: a loop that waits for the disk answers those from before the sync only


@needs_strace
async def test_an_input_output_error_ends_the_process_and_loses_nothing(tmp_path: Path) -> None:
    """EIO on the k-th write or sync: no 200 without durability, exit status 1, a clean start, one answer each."""
    async with ForkedBox(tmp_path) as box:
        customers = Customers(box)
        refused = 0
        for call in ("fdatasync", "pwrite64"):
            for place in range(1, PLACES + 1):
                await box.start()
                async with attached(box.child.pid, *inject(call, f"error=EIO:when={place * 2 - 1}")):
                    while box.child.returncode is None:
                        refused += await customers.write() != 200
                        await asyncio.sleep(0.02)
                    assert box.child.returncode == 1
        await box.start()
        await customers.try_again()

        record("input/output errors", places=2 * PLACES, not_acknowledged=refused, **await customers.judge())


@needs_strace
async def test_no_space_for_a_write_refuses_webhooks_until_there_is_some(tmp_path: Path) -> None:
    """ENOSPC on every write: 503, the process stays up and answers, and goes on by itself afterwards."""
    async with ForkedBox(tmp_path) as box:
        customers = Customers(box)
        await box.start()
        assert await customers.write() == 200
        await box.until_sent(1)
        async with attached(box.child.pid, *inject("pwrite64", "error=ENOSPC")):
            assert [await customers.write() for _ in range(3)] == [503] * 3
            assert await get(box, "/healthz") == 200
        await customers.try_again()

        assert box.child.returncode is None
        record("no space", **await customers.judge())


@needs_strace
async def test_out_of_file_descriptors_it_serves_again(tmp_path: Path) -> None:
    """EMFILE on accept: the loop pauses and goes on, also with connections that come after the pause."""
    async with ForkedBox(tmp_path) as box:
        customers = Customers(box)
        await box.start()
        async with attached(box.child.pid, *inject("accept4", "error=EMFILE:when=1..3")):
            await at_once(customers, 6)
            await at_once(customers, 7)  # more than there are connections: one at least is new

        record("no file descriptors", slowest_ms=round(customers.slowest * 1000), **await customers.judge())


async def at_once(customers: Customers, count: int) -> None:
    async with asyncio.timeout(TWILIO_PATIENCE):
        assert set(await asyncio.gather(*(customers.write() for _ in range(count)))) == {200}


@needs_strace
@pytest.mark.parametrize(("milliseconds", "which"), SLOW if STALL < 10 else [(20, "1+"), *SLOW])
async def test_a_slow_disk_slows_nothing_else(tmp_path: Path, milliseconds: int, which: str) -> None:
    """Each sync takes long, or one very long: webhooks are in time for Twilio and the loop goes on."""
    async with ForkedBox(tmp_path) as box:
        customers = Customers(box)
        await box.start()
        async with attached(box.child.pid, *inject("fdatasync", f"delay_enter={milliseconds * 1000}:when={which}")):
            writing = [asyncio.create_task(customers.write()) for _ in range(20)]
            health = []
            meanwhile = 0  # health checks answered before any webhook was
            while not all(task.done() for task in writing):
                began = time.monotonic()
                assert await get(box, "/healthz") == 200
                health.append(time.monotonic() - began)
                meanwhile += not any(task.done() for task in writing)
                await asyncio.sleep(0.05)
            assert {task.result() for task in writing} == {200}
            assert customers.slowest < TWILIO_PATIENCE
            assert which != "1" or meanwhile > FEW, "the loop waited for the disk"
            await box.until_sent(20)

        figures = {"slowest_ms": round(customers.slowest * 1000), "health_ms": round(max(health) * 1000)}
        record(f"sync takes {milliseconds} ms", **figures, **await customers.judge())


async def test_told_to_stop_under_load_it_loses_nothing(tmp_path: Path) -> None:
    """SIGTERM while fifty customers write: exit status 0 within 10 s; the next start answers the rest."""
    async with ForkedBox(tmp_path) as box:
        customers = Customers(box)
        await box.start()
        writing = [asyncio.create_task(customers.write()) for _ in range(50)]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        assert await box.stop() == 0
        took = time.monotonic() - began
        await asyncio.gather(*writing)
        assert took < 10
        await box.start()
        await customers.try_again()

        record("stopped under load", stop_ms=round(took * 1000), **await customers.judge())


@needs_strace
async def test_no_answer_is_written_before_its_commit_is_synced(tmp_path: Path) -> None:
    """Between reading a webhook and writing its 200 lies a sync that began after the one and ended before the other."""
    trace = tmp_path / "trace"
    async with ForkedBox(tmp_path, reply_delay="1h") as box:
        customers = Customers(box)
        await box.start()
        options = ("-s", "400", "-e", "trace=recvfrom,read,fdatasync,fsync,sendto,sendmsg,write,writev")
        async with attached(box.child.pid, *options, output=trace):
            for _ in range(30):
                assert await customers.write() == 200
            await box.kill()

        answers, early = read_trace(trace.read_text())
        record("trace", answers=answers, before_the_sync=early)
        assert (answers, early) == (30, 0)


def read_trace(text: str) -> tuple[int, int]:
    """How many webhooks were answered, and how many of them without a sync in between. One at a time is under way."""
    answers = early = 0
    synced: bool | None = None  # since a webhook was read; None: none is under way
    unfinished: set[str] = set()  # threads in a sync that began after the webhook was read
    for line in text.splitlines():
        thread = line.split()[0]
        if "POST /twilio/messages" in line:
            synced, unfinished = False, set()
        elif re.search(r"(fdatasync|fsync)\(\d+", line):
            if "unfinished" in line:
                unfinished.add(thread)
            elif line.endswith("= 0") and synced is not None:
                synced = True
        elif re.search(r"(fdatasync|fsync) resumed.* = 0$", line) and thread in unfinished:
            synced = True
        elif (
            re.search(r" (sendto|sendmsg|write|writev)\(\d+, .*HTTP/1.1 200 OK.*text/xml", line) and synced is not None
        ):
            answers += 1
            early += not synced
            synced = None
    return answers, early
