"""A disk that is full to the last byte at any stage: 503 at once, everything else answers, and it goes on by itself."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from appliance.simulator import Fault
from tests.lab.faults.desk import Customers, get, get_as_owner, why_not_ready
from tests.lab.faults.forked import ForkedBox
from tests.lab.faults.small_disk import SmallDisk, needs_root, small_disk
from tests.lab.figures import record

pytestmark = needs_root
SMALL, WITH_RESERVE = 4, 48  # MiB; the reserve is kept only where there is plenty
DISKS = [(SMALL, "0"), (WITH_RESERVE, "1s")]  # size and reply delay; with LAB_FAULTS the other pairs too


async def refused(customers: Customers, disk: SmallDisk) -> float:
    """Customers write to a full disk until one is refused. Milliseconds that the refusal took."""
    async with asyncio.timeout(30):
        while True:
            disk.fill()
            began = time.monotonic()
            if (status := await customers.write()) != 200:
                assert status == 503
                return round((time.monotonic() - began) * 1000, 1)


@pytest.mark.parametrize(
    ("size", "reply_delay"), DISKS + [(SMALL, "1s"), (WITH_RESERVE, "0")] * ("LAB_FAULTS" in os.environ)
)
async def test_a_disk_that_fills_while_it_runs(tmp_path: Path, size: int, reply_delay: str) -> None:
    """Webhooks hear 503, health, metrics and API answer, and with space everything is answered once."""
    with small_disk(tmp_path / "data", size) as disk:
        async with ForkedBox(tmp_path, reply_delay=reply_delay) as box:
            customers = Customers(box)
            await box.start()
            assert (tmp_path / "data" / "reserve").exists() == (size == WITH_RESERVE)
            for _ in range(5):
                assert await customers.write() == 200
            healthy = round(customers.slowest * 1000, 1)
            first = await refused(customers, disk)
            again = await refused(customers, disk)  # what the reserve gave back is full as well
            assert any("disk" in reason for reason in await why_not_ready(box))
            pages = [await get(box, "/healthz"), await get_as_owner(box, "/metrics")]
            pages.append(await get_as_owner(box, "/api/v1/status"))
            assert pages == [200, 200, 200]
            assert box.child.returncode is None
            disk.empty()
            recovery = await customers.until_taken()

            figures = {"healthy_ms": healthy, "refused_ms": max(first, again), "recovery_s": recovery}
            record(f"disk of {size} MiB full, reply delay {reply_delay}", **figures, **await customers.judge())


@pytest.mark.parametrize("size", [SMALL, WITH_RESERVE], ids=["no reserve", "reserve"])
async def test_a_disk_that_is_full_before_the_start(tmp_path: Path, size: int) -> None:
    """It starts, says why it stores nothing, and goes on without a restart once there is space."""
    with small_disk(tmp_path / "data", size) as disk:
        async with ForkedBox(tmp_path, reply_delay="1s") as box:
            customers = Customers(box)
            await box.start()
            assert await customers.write() == 200
            await box.kill()
            disk.fill()
            await box.start()
            took = await refused(customers, disk)
            assert any("disk" in reason for reason in await why_not_ready(box))
            assert await get(box, "/healthz") == 200
            disk.empty()
            recovery = await customers.until_taken()

            assert box.child.returncode is None
            record(
                f"disk of {size} MiB full before the start",
                refused_ms=took,
                recovery_s=recovery,
                **await customers.judge(),
            )


async def until_it_sends(box: ForkedBox) -> None:
    """Twilio has the POST, which hangs there."""
    async with asyncio.timeout(10):
        while len(box.twilio.faults):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("timeout", ["2s", "60s"], ids=["its end cannot be stored", "it still runs"])
async def test_a_stop_while_it_is_full_is_no_crash(tmp_path: Path, timeout: str) -> None:
    """A job that cannot be put back stays as it was; the next start takes it up, and no crash is on its record."""
    with small_disk(tmp_path / "data", SMALL) as disk:
        async with ForkedBox(tmp_path) as box:
            box.config.write_text(box.config.read_text().replace('timeout = "2s"', f'timeout = "{timeout}"'))
            customers = Customers(box)
            await box.start()
            box.twilio.faults.add(Fault("create", "hang", seconds=60))
            assert await customers.write() == 200
            await until_it_sends(box)
            await refused(customers, disk)
            began = time.monotonic()
            assert await box.stop() == 0
            took = round(time.monotonic() - began, 1)
            left = "SELECT status, crashes FROM message_queue WHERE kind = 'send_reply'"
            assert box.rows(left) == [("running", 0)]
            disk.empty()
            await box.start()
            await box.stop()

            assert took < 12
            assert {crashes for _, crashes in box.rows(left)} == {0}
            assert "running" not in {status for status, _ in box.rows(left)}


async def test_control_a_kill_while_it_is_full_is_one(tmp_path: Path) -> None:
    """The same with kill -9: the name in the lock tells, and the job has a crash on its record."""
    with small_disk(tmp_path / "data", SMALL) as disk:
        async with ForkedBox(tmp_path) as box:
            customers = Customers(box)
            await box.start()
            box.twilio.faults.add(Fault("create", "hang", seconds=60))
            assert await customers.write() == 200
            await until_it_sends(box)
            await refused(customers, disk)
            await box.kill()
            disk.empty()
            await box.start()
            await box.stop()

            assert 1 in {crashes for (crashes,) in box.rows("SELECT crashes FROM message_queue")}
