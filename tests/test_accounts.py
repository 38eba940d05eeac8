"""Several accounts at Twilio in one box: each answers its own customers, and what befalls one befalls no other."""

import re
from collections import Counter
from pathlib import Path

from appliance.model import MAIN
from appliance.opening import restore
from appliance.simulator import Incident
from appliance.store import backup
from tests.support.accounts import BRANCH, NUMBERS, REVOKED, SERVICE, SHUT, Accounts

NUMBER = re.compile(r"#\d+")
MINUTE = 60.0
ABOUT_TWILIO = ("twilio", "credentials", "unreachable", "restored", "log")
CUSTOMERS = 10  # of each number


class Letters:
    """Customers of all accounts who write in turn; each question has a number."""

    def __init__(self, world: Accounts) -> None:
        self.world = world
        self.asked: dict[str, tuple[str, str]] = {}  # number → account, customer

    async def write(self, count: int, *, deliver: bool = True) -> None:
        """The next questions, one after the other to each number of each account."""
        places = [(account, to) for account, numbers in NUMBERS.items() for to in numbers]
        for _ in range(count):
            account, to = places[len(self.asked) % len(places)]
            customer = f"{'whatsapp:' if ':' in to else ''}+55119{len(self.asked) % CUSTOMERS:08}"
            number = f"#{len(self.asked)}"
            self.asked[number] = account, customer
            await self.world.write(account, customer, to, f"{number}?", deliver=deliver)

    def of(self, account: str) -> Counter[tuple[str, str]]:
        """What the account's ledger must show: each of its questions, answered once, to who asked it."""
        return Counter({(number, who): 1 for number, (own, who) in self.asked.items() if own == account})

    def answered(self, account: str) -> Counter[tuple[str, str]]:
        """What it shows."""
        ledger = self.world.at[account].ledger
        said = (entry for entry in ledger if entry.direction == "outbound-api")
        return Counter((number, entry.recipient) for entry in said for number in NUMBER.findall(entry.body))


async def test_each_is_answered_once_by_its_own_account(tmp_path: Path) -> None:
    """300 messages to a Messaging Service's numbers, a subaccount's and those of an account whose key is revoked, with
    callbacks, an outage of one, missed webhooks, a crash and a restoration: 0 crossings, and the revoked one's are kept
    with one card until the key works again.
    """
    async with Accounts(tmp_path) as world:
        letters = Letters(world)
        await letters.write(80)
        await world.pass_(MINUTE)
        now = world.clock.now()
        world.at[BRANCH].incident = Incident(now, now + 90_000, accepted=0.5, callbacks_lost=True)
        await letters.write(70)
        await world.pass_(10 * MINUTE)
        assert letters.answered(MAIN) == letters.of(MAIN)
        assert letters.answered(BRANCH) == letters.of(BRANCH)

        await letters.write(50, deliver=False)
        await world.crash()
        await world.start()
        await world.pass_(10 * MINUTE)
        assert letters.answered(MAIN) == letters.of(MAIN)
        assert letters.answered(BRANCH) == letters.of(BRANCH)

        copy = backup.keep_one(world.appliance.store.directory, world.clock.now())
        await letters.write(50)
        await world.pass_(5 * MINUTE)
        await world.stop()
        await (await restore(world.config, world.clock, copy)).close()
        await world.start()
        await letters.write(50)
        await world.pass_(20 * MINUTE)
        kept = await world.opened()
        assert letters.answered(SHUT) == Counter()

        world.at[SHUT].revoked = False
        await world.pass_(30 * MINUTE)

        assert {account: letters.answered(account) for account in NUMBERS} == {
            account: letters.of(account) for account in NUMBERS
        }
        assert len(letters.asked) == 300
        assert {card for card in kept if SHUT in card[1]} == {REVOKED, ("restored", f"account:{SHUT}")}
        assert {subject for kind, subject in kept if kind in ABOUT_TWILIO} == {f"account:{SHUT}"}
        assert await world.opened() == set()
        assert {entry.service for entry in world.twilio.ledger if entry.direction == "outbound-api"} == {SERVICE}
