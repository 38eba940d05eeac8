"""The real process, killed with -9: nothing is lost and nothing is said twice."""

import asyncio
import random
from pathlib import Path

import pytest
from box import ANSWER, Box
from world import CUSTOMER, SMS

pytestmark = pytest.mark.slow
KILLS = 12
CUSTOMERS = 60


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
    """Customers write while the process is killed at random times; in the end each has exactly one answer."""
    chance = random.Random(7)
    async with Box(tmp_path) as box:
        await box.start()
        writers = [asyncio.create_task(_write(box, f"+55119{n:08}", chance.uniform(0, 6))) for n in range(CUSTOMERS)]
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.05, 0.6))
            await box.kill()
            await box.start()
        await asyncio.gather(*writers)
        await box.until_sent(CUSTOMERS)
        await asyncio.sleep(2.5)
        assert await box.stop() == 0

        assert max(box.sent().values()) == 1
        assert len(box.sent()) == CUSTOMERS
        assert box.rows("SELECT disposition, count(*) FROM dispositions GROUP BY 1") == [("answered", CUSTOMERS)]


async def _write(box: Box, sender: str, delay: float) -> None:
    """One customer: Twilio tries the same webhook until it hears 200, as its retries and our catch-up would."""
    await asyncio.sleep(delay)
    sid, status = await box.twilio.receive(sender, SMS, "Qual o horário?")
    while status != 200:
        await asyncio.sleep(0.05)
        _, status = await box.twilio.receive(sender, SMS, "Qual o horário?", sid=sid)
