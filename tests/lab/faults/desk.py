"""What customers and the owner see of a box: webhooks that are tried again, health, metrics and the API."""

import asyncio
import sqlite3
import time
from contextlib import closing

import aiohttp
from box import Box
from world import SMS

from appliance.config.keys import CONTROL_SOCKET

QUESTION = "Qual o horário?"


class Customers:
    """They write; Twilio tries their webhooks again until it hears 200."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.waiting: dict[str, str] = {}  # sid → customer, not yet acknowledged
        self.count = 0
        self.slowest = 0.0  # seconds until a webhook was answered

    async def write(self) -> int | None:
        """One more customer writes once. The webhook's status; None when nothing was answered."""
        customer = f"+55119{self.count:08}"
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
        found = dict(self.box.rows("SELECT disposition, count(*) FROM dispositions GROUP BY 1"))
        asked = {"apologised": found.get("apologised", 0), "left_to_the_owner": found.get("dead", 0)} if may_ask else {}
        lost = self.count - found.get("answered", 0) - sum(asked.values())
        twice = sum(1 for times in self.box.sent().values() if times > 1)
        assert (lost, twice) == (0, 0), found
        return {"messages": self.count, **asked, "lost": lost, "twice": twice}


async def until_ended(box: Box, messages: int) -> None:
    """Wait until so many messages have an end in the database of the running process; a reply on its way is none."""
    place = box.directory / "data" / "appliance.db"
    ended = "SELECT count(*) FROM dispositions WHERE disposition <> 'live'"
    with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as connection:
        async with asyncio.timeout(90):
            while connection.execute(ended).fetchone()[0] < messages:
                await asyncio.sleep(0.05)


async def get(box: Box, path: str) -> int:
    """Status of a page that everybody may see."""
    async with aiohttp.ClientSession() as session, session.get(f"{box.url}{path}") as response:
        return response.status


async def get_as_owner(box: Box, path: str) -> int:
    """Status over the control socket."""
    connector = aiohttp.UnixConnector(str(box.directory / "data" / CONTROL_SOCKET))
    url = f"http://appliance{path}"
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as response:
        return response.status
