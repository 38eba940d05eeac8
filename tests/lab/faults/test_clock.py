"""The box's clock jumps or starts in 1970: replies are sent, sweeps go on, nothing is sent twice.

LAB_SWEEPS waits until the schedule has noticed each jump by itself.
"""

import asyncio
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.lab.faults.desk import Customers
from tests.lab.faults.preloaded import MovedBox
from tests.lab.figures import record

SWEEPS = bool(os.environ.get("LAB_SWEEPS"))
HOUR, DAY = 3600, 86_400  # seconds
pytestmark = [
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc builds what moves the clock of one process"),
]


class SweepingBox(MovedBox):
    """Its sweeps are due every second, and counted."""

    def _toml(self, twilio_port: int) -> str:
        return super()._toml(twilio_port).replace("conversations = {", 'conversations = { check_every = "1s",')

    def sweeps(self) -> int:
        with closing(sqlite3.connect(f"file:{self.directory}/data/appliance.db?mode=ro", uri=True)) as connection:
            done = "SELECT count(*) FROM message_queue WHERE kind LIKE 'process_%_conversations' AND status = 'done'"
            return int(connection.execute(done).fetchone()[0])


@pytest.mark.parametrize("jump", [-HOUR, DAY])
async def test_the_clock_jumps_while_it_runs(tmp_path: Path, jump: int) -> None:
    """Customers who write before and after the jump have one answer each, soon."""
    async with SweepingBox(tmp_path) as box:
        customers = Customers(box)
        await box.start()
        for _ in range(5):
            assert await customers.write() == 200
        await box.until_sent(5)
        box.move(jump)
        for _ in range(5):
            assert await customers.write() == 200
        await box.until_sent(10, 20)
        if SWEEPS:
            before = box.sweeps()
            async with asyncio.timeout(60):
                while box.sweeps() < before + 4:
                    await asyncio.sleep(0.2)

        record(f"clock jumps {jump} s", **await customers.judge())


async def test_a_start_in_1970_waits_for_the_time(tmp_path: Path) -> None:
    """A board without a battery: messages are taken, and answered once when the clock is set."""
    async with SweepingBox(tmp_path) as box:
        customers = Customers(box)
        box.move(10 - int(time.time()))
        await box.start()
        for _ in range(5):
            assert await customers.write() == 200
        await asyncio.sleep(0.5)
        assert not box.sent()
        box.move(0)
        await box.until_sent(5, 8)

        record("start in 1970", **await customers.judge())
