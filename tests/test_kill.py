"""The real process, killed with -9: nothing is lost and nothing is said twice.

LAB_KILLS sets how often the system calls of a message are met by a kill; a quarter of that is killed at random here.
"""

import asyncio
import contextlib
import os
import random
from pathlib import Path

from tests.lab.faults.desk import Customers
from tests.lab.faults.forked import ForkedBox
from tests.lab.figures import kept, record
from tests.support.box import ANSWER, Box
from tests.support.world import CUSTOMER, SMS

__all__ = ["kept"]  # pytest finds the fixture here
KILLS = int(os.environ.get("LAB_KILLS", "50")) // 4
CUSTOMERS = 5 * KILLS
LIVES = (0.02, 0.6)  # seconds between a start and the next kill, at least and at most


async def test_killed_before_the_reply_it_answers_once_after_the_next_start(tmp_path: Path) -> None:
    """A signed message got its 200, the process dies, the next one answers: one reply."""
    async with Box(tmp_path, reply_delay="1s") as box:
        await box.start()
        _, status = await box.twilio.receive(CUSTOMER, SMS, "Qual o horário?")
        await box.kill()
        assert status == 200
        assert not box.sent()

        await box.start()
        await box.until_sent(1)
        await asyncio.sleep(1.5)

        assert [entry.body for entry in box.twilio.ledger if entry.direction == "outbound-api"] == [ANSWER]
        await box.command("verify")


async def test_killed_again_and_again_under_load(tmp_path: Path) -> None:
    """Customers write while the process is killed at random times: each has one answer or apology, or the owner a card."""
    chance = random.Random(7)
    async with ForkedBox(tmp_path) as box:
        customers = Customers(box)
        await box.start()
        span = KILLS * sum(LIVES) / 2
        writing = [asyncio.create_task(_write(customers, chance.uniform(0, span))) for _ in range(CUSTOMERS)]
        twilio = asyncio.create_task(_try_again(customers))
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(*LIVES))
            await box.kill()
            await box.start()
        await asyncio.gather(*writing)
        twilio.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await twilio
        await customers.until_taken()

        figures = await customers.judge(may_ask=True)
        record("kills under load", kills=KILLS, **figures)
        assert figures["left_to_the_owner"] <= CUSTOMERS * 0.05


async def _write(customers: Customers, delay: float) -> None:
    await asyncio.sleep(delay)
    await customers.write()


async def _try_again(customers: Customers) -> None:
    """Until a webhook hears 200 it comes again, as by Twilio's retries and our catch-up."""
    while True:
        await customers.redeliver()
        await asyncio.sleep(0.05)
