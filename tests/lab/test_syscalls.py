"""The real process, killed before any one of the system calls that one message costs: answered once all the same.

LAB_KILLS sets how often; from the number of calls on every one of them is met, and from then on the start that follows
a kill is killed as well.
"""

import asyncio
import contextlib
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import mode

import pytest

from tests.lab.faults.desk import until_ended
from tests.lab.faults.preloaded import CountedBox
from tests.lab.figures import record
from tests.support.world import SMS

pytestmark = [
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc builds the counter of system calls"),
]
KILLS = int(os.environ.get("LAB_KILLS", "50"))
REHEARSALS = 7
QUIET = 0.05  # seconds without a system call: the message is through
PATIENCE = 30.0  # seconds
OF_A_START = 0.5  # seconds; an answer that is killed again when it is sent again is left to the owner


class Sweep:
    """One customer for each try."""

    def __init__(self, box: CountedBox) -> None:
        self.box = box
        self.kills = 0
        self.of_starts = 0
        self.places: set[int] = set()
        self._customers: list[str] = []

    async def undisturbed(self) -> int:
        """How many system calls a message costs. The first one is with what a new box has to do."""
        await self.box.start()
        costs = []
        for _ in range(1 + REHEARSALS):
            self.box.arm(0)
            await self._write()
            await self._quiet()
            costs.append(self.box.count)
        return mode(costs[1:])

    async def kill_at(self, number: int, of_start: int) -> None:
        """Kill the process at its n-th call, start it again, and wait for the answer.

        `of_start`: kill that start as well, at its n-th call; 0: let it be. Only of what was acknowledged: it must be
        answered without another webhook.
        """
        self.box.arm(number)
        sid, status = await self._write()
        if not await self._died():
            return  # it was through before
        self.places.add(number)
        if of_start and status == 200:
            self.of_starts += await self._dies_starting(of_start)
        if self.box.child.returncode is not None:
            await self.box.start()
        if status != 200:
            _, status = await self.box.twilio.receive(self._customers[-1], SMS, "Qual o horário?", sid=sid)
        assert status == 200
        await self.box.until_sent(len(self._customers))
        await self._quiet()

    async def _dies_starting(self, number: int) -> bool:
        await self.box.launch()
        self.box.arm(number)  # not before: the one that forks it counts as well
        await self.box.until_it_listens()
        with contextlib.suppress(TimeoutError):
            await self._quiet(OF_A_START)
        return self._disarm()

    async def _died(self) -> bool:
        """Whether the armed kill came before all was done."""
        await self._quiet()
        return self._disarm()

    def _disarm(self) -> bool:
        """Whether the armed kill came."""
        self.box.disarm()
        died = self.box.child.returncode is not None
        self.kills += died
        return died

    async def _write(self) -> tuple[str, int | None]:
        customer = f"+55119{len(self._customers):08}"
        self._customers.append(customer)
        return await self.box.twilio.receive(customer, SMS, "Qual o horário?")

    async def _quiet(self, seconds: float = PATIENCE) -> None:
        """Until the answer was sent and called back and nothing more happens, or the process is dead."""
        count, since = -1, 0.0
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(seconds):
            while self.box.child.returncode is None:
                if self.box.count != count or len(self.box.sent()) < len(self._customers):
                    count, since = self.box.count, loop.time()
                elif loop.time() - since > QUIET:
                    return
                await asyncio.sleep(0.005)

    @property
    def customers(self) -> int:
        return len(self._customers)


def tries(calls: int) -> Iterator[tuple[int, int]]:
    """(call of the message, call of the start that follows), spread over the message, then every call, twice KILLS."""
    chance = random.Random(5)
    for number in range(2 * KILLS):
        place = number % KILLS * calls // KILLS if calls > KILLS else number % calls
        yield 1 + place, chance.randint(1, calls) if number >= calls else 0


async def test_killed_at_any_system_call_it_answers_once(tmp_path: Path) -> None:
    """Writes, syncs, truncations, deletions and sends of one message, webhook to last callback: one answer each."""
    async with CountedBox(tmp_path) as box:
        sweep = Sweep(box)
        calls = await sweep.undisturbed()
        for place, of_start in tries(calls):
            if sweep.kills >= KILLS:
                break
            await sweep.kill_at(place, of_start)
        await until_ended(box, sweep.customers)
        assert await box.stop() == 0

        twice = sum(1 for count in box.sent().values() if count > 1)
        dispositions = dict(box.rows("SELECT disposition, count(*) FROM dispositions GROUP BY 1"))
        lost = sweep.customers - dispositions.get("answered", 0)
        met = f"{len(sweep.places)}/{calls}"
        record("system calls", kills=sweep.kills, places=met, of_the_next_start=sweep.of_starts, lost=lost, twice=twice)
        assert (lost, twice) == (0, 0)
        assert sweep.kills >= KILLS
        assert len(sweep.places) == min(calls, KILLS) or 2 * calls > KILLS
        await box.command("verify")
