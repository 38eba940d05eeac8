"""The real process, killed before any one of the system calls that one message costs: answered once all the same.

LAB_KILLS sets how often; from the number of calls on every one of them is met.
"""

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from world import SMS

from lab.faults.counted import CountedBox
from lab.figures import record

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc builds the counter of system calls"),
]
KILLS = int(os.environ.get("LAB_KILLS", "50"))
REHEARSALS = 3
QUIET = 0.05  # seconds without a system call: the message is through


class Sweep:
    """One customer for each kill."""

    def __init__(self, box: CountedBox) -> None:
        self.box = box
        self.kills = 0
        self.places: set[int] = set()
        self._customers: list[str] = []

    async def undisturbed(self) -> int:
        """How many system calls a message costs at most. The first one is with what a new box has to do."""
        await self.box.start()
        costs = []
        for _ in range(REHEARSALS):
            self.box.counters.arm(0)
            await self._write()
            await self._quiet()
            costs.append(self.box.counters.count)
        return max(costs[1:])

    async def kill_at(self, number: int) -> None:
        """Kill the process at its n-th call, start it again, and wait for the answer."""
        if self.box.process is None or self.box.process.returncode is not None:
            await self.box.start()
        self.box.counters.arm(number)
        sid, status = await self._write()
        await self._quiet()
        self.box.counters.disarm()
        assert self.box.process is not None
        if self.box.process.returncode is None:
            return  # it was through before
        self.kills += 1
        self.places.add(number)
        await self.box.start()
        if status != 200:
            _, status = await self.box.twilio.receive(self._customers[-1], SMS, "Qual o horário?", sid=sid)
        assert status == 200
        await self.box.until_sent(len(self._customers))
        await self._quiet()

    async def _write(self) -> tuple[str, int | None]:
        customer = f"+55119{len(self._customers):08}"
        self._customers.append(customer)
        return await self.box.twilio.receive(customer, SMS, "Qual o horário?")

    async def _quiet(self) -> None:
        """Until the answer was sent and called back and nothing more happens, or the process is dead."""
        process, count, since = self.box.process, -1, 0.0
        loop = asyncio.get_running_loop()
        assert process is not None
        async with asyncio.timeout(30):
            while process.returncode is None:
                if self.box.counters.count != count or len(self.box.sent()) < len(self._customers):
                    count, since = self.box.counters.count, loop.time()
                elif loop.time() - since > QUIET:
                    return
                await asyncio.sleep(0.005)

    @property
    def customers(self) -> int:
        return len(self._customers)


async def test_killed_at_any_system_call_it_answers_once(tmp_path: Path) -> None:
    """Writes, syncs, truncations, deletions and sends of one message, webhook to last callback: one answer each."""
    async with CountedBox(tmp_path) as box:
        sweep = Sweep(box)
        calls = await sweep.undisturbed()
        tries = 0
        while sweep.kills < KILLS and tries < 2 * KILLS:
            await sweep.kill_at(1 + tries % KILLS * calls // KILLS)
            tries += 1
        await asyncio.sleep(1.5)
        assert await box.stop() == 0

        twice = sum(1 for count in box.sent().values() if count > 1)
        dispositions = dict(box.rows("SELECT disposition, count(*) FROM dispositions GROUP BY 1"))
        lost = sweep.customers - dispositions.get("answered", 0)
        record("system calls", calls=calls, places=len(sweep.places), kills=sweep.kills, lost=lost, twice=twice)
        assert (lost, twice) == (0, 0)
        assert sweep.kills == KILLS
        await box.command("verify")
