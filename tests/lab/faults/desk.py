"""What customers and the owner see of a box: webhooks that are tried again, health, metrics and the API."""

import asyncio
import sqlite3
import time
from collections import Counter
from contextlib import closing

import aiohttp

from appliance.config.keys import CONTROL_SOCKET
from tests.support.box import Box
from tests.support.world import SMS

QUESTION = "Qual o horário?"
ADDRESS = "+55119"  # and eight digits: the customer's number


class Customers:
    """They write; Twilio tries their webhooks again until it hears 200."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.waiting: dict[str, str] = {}  # sid → customer, not yet acknowledged
        self.count = 0
        self.slowest = 0.0  # seconds until a webhook was answered

    async def write(self) -> int | None:
        """One more customer writes once. The webhook's status; None when nothing was answered."""
        customer = f"{ADDRESS}{self.count:08}"
        self.count += 1
        return await self._deliver(customer, None)

    async def _deliver(self, customer: str, sid: str | None) -> int | None:
        began = time.monotonic()
        sid, status = await self.box.twilio.receive(customer, SMS, QUESTION, sid=sid)
        self.slowest = max(self.slowest, time.monotonic() - began)
        if status == 200:
            self.waiting.pop(sid, None)
        else:
            self.waiting[sid] = customer
        return status

    async def redeliver(self) -> None:
        """Everything that was not acknowledged is delivered once more."""
        for sid, customer in list(self.waiting.items()):
            await self._deliver(customer, sid)

    async def try_again(self) -> None:
        """As redeliver, and now all of it must be taken."""
        await self.redeliver()
        assert not self.waiting

    async def until_taken(self) -> float:
        """What was refused is delivered again until it is taken. Seconds that it took."""
        began = time.monotonic()
        async with asyncio.timeout(10):
            while self.waiting:
                await self.redeliver()
                await asyncio.sleep(0.05)
        return round(time.monotonic() - began, 2)

    async def judge(self, *, may_ask: bool = False) -> dict[str, int]:
        """After everything came to its end: who was lost, who was answered twice.

        `may_ask`: where kills follow each other fast, the friendly text may go out by the deadline, and an answer whose
        sending was killed twice is left to the owner, on a card.
        """
        await until_ended(self.box, self.count)
        assert await self.box.stop() == 0
        await self.box.command("verify")  # among other things: whoever has no answer has a card
        customers = [f"{ADDRESS}{number:08}" for number in range(self.count)]
        fates, sent = self._fates(), self.box.sent()
        found = Counter(fates.get(customer, "not stored") for customer in customers)
        asked = {"apologised": found["apologised"], "left_to_the_owner": found["dead"]} if may_ask else {}
        # Whoever counts as told must stand in Twilio's ledger: our own books may say so without anything being sent.
        told = {"answered", "apologised"} if may_ask else {"answered"}
        kept = sum(customer in sent and fates.get(customer) in told for customer in customers)
        lost = self.count - kept - asked.get("left_to_the_owner", 0)
        twice = sum(1 for times in sent.values() if times > 1)
        assert (lost, twice) == (0, 0), (found, sent.total())
        return {"messages": self.count, **asked, "lost": lost, "twice": twice}

    def _fates(self) -> dict[str, str]:
        """What became of each customer's one message, as the box tells it."""
        return dict(
            self.box.rows(
                "SELECT c.address, d.disposition FROM dispositions d JOIN messages m ON m.id = d.id "
                "JOIN contacts c ON c.id = m.contact_id"
            )
        )


async def until_ended(box: Box, messages: int, seconds: float = 90.0) -> None:
    """Wait until so many messages have an end in the database of the running process; a reply on its way is none."""
    place = box.directory / "data" / "appliance.db"
    ended = "SELECT count(*) FROM dispositions WHERE disposition <> 'live'"
    with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as connection:
        async with asyncio.timeout(seconds):
            while connection.execute(ended).fetchone()[0] < messages:
                await asyncio.sleep(0.05)


async def get(box: Box, path: str) -> int:
    """Status of a page that everybody may see."""
    async with aiohttp.ClientSession() as session, session.get(f"{box.url}{path}") as response:
        return response.status


async def why_not_ready(box: Box) -> list[str]:
    """The reasons that /readyz gives with its 503; none where it says that all is well."""
    async with aiohttp.ClientSession() as session, session.get(f"{box.url}/readyz") as response:
        reasons: list[str] = (await response.json())["reasons"]
        assert response.status == (503 if reasons else 200)
        return reasons


async def get_as_owner(box: Box, path: str) -> int:
    """Status over the control socket."""
    connector = aiohttp.UnixConnector(str(box.directory / "data" / CONTROL_SOCKET))
    url = f"http://appliance{path}"
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as response:
        return response.status
