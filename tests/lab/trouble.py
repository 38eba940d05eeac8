"""Customers who write again and again, a Twilio where every fifth POST goes wrong, and the real process between them.

Half of the customers number their questions, and the model repeats the numbers it saw: Twilio's ledger alone shows who
was answered, how often and in which order. The other half always ask the same and get the same answer, so that it takes
the evidence of equal texts to tell their sends apart.
"""

import asyncio
import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Self

from aiohttp.test_utils import TestServer

from appliance.simulator import Fault, Faults
from tests.lab.faults.forked import ForkedBox
from tests.support.box import ANSWER
from tests.support.fake_ai import FakeAi, questions
from tests.support.world import SMS, WHATSAPP

NUMBER = re.compile(r"#\d+")
SPOILT = 0.2  # of the POSTs
UNREPORTED = 0.1  # of the messages: Twilio does not promise status callbacks
SEED = int(os.environ.get("LAB_SEED", "32"))  # an early one of nearly every kind
ATTENTION = 60.0  # seconds
ENOUGH = 3  # POSTs gone wrong: what a run has at least
LATENCY = 0.05  # seconds
POSTS = (
    Fault("create", "reset"),
    Fault("create", "reset", accepted=True),
    Fault("create", "error", status=500),
    Fault("create", "error", status=500, accepted=True),
    Fault("create", "error", status=503),
    Fault("create", "error", status=429, code=20429),
    Fault("create", "error", status=429, code=20429, retry_after=1.0),
    Fault("create", "half_json"),
)


class Trouble(Faults):
    """What goes wrong is drawn for each POST and for each message's callbacks, until it is `over`."""

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__(now)
        self.spoilt = 0
        self.unreported = UNREPORTED
        self.over = False
        self.posted = asyncio.Event()  # since it was cleared
        self.enough = asyncio.Event()
        self._chance = Random(SEED)  # its own: which POSTs go wrong is the same in each run

    def take(self, on: str, *addresses: str) -> Fault | None:
        if on == "create":
            self.posted.set()
        if self.over:
            return None
        if on == "create" and self._chance.random() < SPOILT:
            self.spoilt += 1
            if self.spoilt >= ENOUGH:
                self.enough.set()
            return self._chance.choice(POSTS)
        if on == "callback" and self._chance.random() < self.unreported:
            return Fault("callback", "lost")
        return None


class Shop(ForkedBox):
    """The box with a model, and no limit on the answers of an hour. `broken`: see the nursery."""

    def __init__(self, directory: Path, broken: str = "", **settings: str) -> None:
        super().__init__(directory, **settings)
        self.trouble = Trouble(self.twilio.now)
        self.twilio.faults = self.twilio.delivery._faults = self.trouble
        self.twilio.latency = LATENCY
        self.at_once = 8  # replies, and sends
        self.environment = {"BROKEN": broken} if broken else {}
        self._ai = FakeAi()
        self._ai.answer = self._answer
        self._server = TestServer(self._ai.app)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        self._stack.push_async_callback(self._server.close)
        return await super().__aenter__()

    def _answer(self, asked: dict[str, Any]) -> str:
        self._ai.requests.clear()
        numbers = NUMBER.findall(" ".join(questions(asked)))
        return "Sobre " + " ".join(numbers) if numbers else ANSWER

    @property
    def environ(self) -> dict[str, str]:
        return super().environ | {
            "APPLIANCE_QUEUE__CONCURRENCY": str(self.at_once),
            "APPLIANCE_AI__PROVIDER": "llm",
            "APPLIANCE_AI__MODEL": "fake",
            "APPLIANCE_AI__BASE_URL": str(self._server.make_url("/v1")),
            "APPLIANCE_CONVERSATIONS__MAX_REPLIES_PER_HOUR": "0",
        }

    async def killed(self, times: int, lives: tuple[float, float]) -> None:
        """Kill it at random moments and start it again; every other time while something is handed to Twilio."""
        chance = Random(SEED)
        for number in range(times):
            await asyncio.sleep(chance.uniform(*lives))
            if number % 2:
                await self._something_posted(lives[1])
                await asyncio.sleep(chance.uniform(0, LATENCY))
            await self.kill()
            await self.start()

    async def _something_posted(self, seconds: float) -> None:
        """Or not, for so long: Twilio is left alone after a doubt."""
        self.trouble.posted.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.trouble.posted.wait()


class Customers:
    """`again`: the share of the refused webhooks that Twilio delivers again; the rest is left to the catch-up."""

    def __init__(self, shop: Shop, number: int, *, pause: float, again: float) -> None:
        self.shop = shop
        self.asked: dict[str, str] = {}  # sid → number, where the question has one
        self._chance = Random(SEED)
        self._pause = pause
        self._again = again
        self._numbers = count(1)
        self._waiting: dict[str, tuple[str, str]] = {}
        self._tasks = [asyncio.create_task(self._write_on(place)) for place in range(number)]
        self._tasks.append(asyncio.create_task(self._deliver_again()))

    async def _write_on(self, place: int) -> None:
        prefix, channel = ("whatsapp:", WHATSAPP) if place % 2 else ("", SMS)
        customer = f"{prefix}+55119{place:08}"
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / self._pause))
            number = f"#{next(self._numbers)}" if place % 4 < 2 else ""
            sid, _ = await self.shop.twilio.receive(customer, channel, f"{number} Qual o horário?", deliver=False)
            self.asked[sid] = number
            await self._deliver(sid, customer, channel)

    async def _deliver(self, sid: str, customer: str, channel: str) -> None:
        _, status = await self.shop.twilio.receive(customer, channel, "", sid=sid)
        if status == 200:
            self._waiting.pop(sid, None)
        elif sid in self._waiting or self._chance.random() < self._again:
            self._waiting[sid] = customer, channel

    async def _deliver_again(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            for sid, addresses in list(self._waiting.items()):
                await self._deliver(sid, *addresses)

    async def stop(self) -> None:
        """Nobody writes any more, once enough went wrong; what was to be delivered again is, and the trouble is over."""
        async with asyncio.timeout(ATTENTION):
            await self.shop.trouble.enough.wait()
        self.shop.trouble.over = True
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
        for sid, addresses in list(self._waiting.items()):
            await self._deliver(sid, *addresses)
        assert not self._waiting


def counted(shop: Shop, customers: Customers) -> dict[str, int]:
    """What the run was, in numbers."""
    fates = Counter(dict(shop.rows("SELECT disposition, count(*) FROM dispositions GROUP BY 1")))
    return {
        "messages": len(customers.asked),
        "answers": shop.sent().total(),
        "posts": shop.twilio.posts.total(),
        "spoilt": shop.trouble.spoilt,
        "apologised": fates["apologised"],
        "left_to_the_owner": fates["dead"],
    }
