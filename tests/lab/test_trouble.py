"""The real process, killed again and again while Twilio is in trouble: nobody is answered twice, hardly anybody by hand.

LAB_TROUBLE sets how often it is killed, LAB_SEED what goes wrong and when.
"""

import os
from pathlib import Path

from tests.lab.accounts import lost, overtaken, twice
from tests.lab.faults.desk import until_ended
from tests.lab.figures import record
from tests.lab.trouble import Customers, Shop, counted

KILLS = int(os.environ.get("LAB_TROUBLE", "4"))
SHORT = KILLS < 10
CUSTOMERS = 40
LIVES = (0.1, 2.0) if SHORT else (0.2, 14.0)  # seconds between a start and the next kill, at least and at most
PAUSE = 1.0 if SHORT else 3.0  # seconds between two messages of a customer, on average
AGAIN = 1.0 if SHORT else 0.5  # the catch-up leaves what is younger than 20 s to its webhook
AT_ONCE = 32 if SHORT else 8  # sends: after each doubt Twilio is left alone for seconds, and the short form has few
PATIENCE = 60.0 if SHORT else 600.0  # seconds until everything has come to its end
LEFT = 1 / 200  # of the messages: what may be left to the owner


async def test_killed_again_and_again_while_twilio_is_in_trouble(tmp_path: Path) -> None:
    """Forty customers write on, every fifth POST goes wrong: nobody lost, nobody twice, one in 200 left to the owner."""
    async with Shop(tmp_path, reply_delay="1s") as shop:
        shop.at_once = AT_ONCE
        await shop.start()
        customers = Customers(shop, CUSTOMERS, pause=PAUSE, again=AGAIN)
        await shop.killed(KILLS, LIVES)
        await customers.stop()
        await until_ended(shop, len(customers.asked), PATIENCE)
        assert await shop.stop() == 0
        await shop.command("verify")  # among other things: whoever has no answer has a card

        found = {
            "lost": lost(shop, customers.asked),
            "twice": twice(shop),
            "out_of_order": overtaken(shop, customers.asked),
        }
        figures = counted(shop, customers)
        record("kills in trouble", kills=KILLS, **figures, **{name: len(each) for name, each in found.items()})
        assert not any(found.values()), found
        assert figures["left_to_the_owner"] <= figures["messages"] * LEFT


async def test_control_a_doubt_that_is_sent_again_on_a_timer_is_caught(tmp_path: Path) -> None:
    """The same with a product that waits five seconds in place of asking Twilio's log: somebody is answered twice."""
    async with Shop(tmp_path, "doubts.resent_on_a_timer", reply_delay="1s") as shop:
        shop.at_once, shop.trouble.unreported = AT_ONCE, 1.0
        await shop.start()
        customers = Customers(shop, CUSTOMERS, pause=PAUSE, again=AGAIN)
        await shop.killed(2, (1.0, 2.0))
        await customers.stop()
        await until_ended(shop, len(customers.asked), PATIENCE)
        await shop.kill()

        found = twice(shop)
        record("control trouble", messages=len(customers.asked), twice=len(found))
        assert found != []
