"""The appliance's side of the wire: sender, log and model as its use cases see them. They die with the process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from appliance.model import SECOND
from appliance.ports import Dialogue, LogUnavailableError, Permanent, Reply, Retryable
from appliance.wire import (
    Blame,
    Fault,
    LoggedMessage,
    LogRead,
    Media,
    OutboundMessage,
    SendOutcome,
    Trouble,
    TwilioMessageResult,
    forms,
    on_twilios_clock,
)
from tests.lab.simulation import listing
from tests.lab.simulation.terms import SHAPES
from tests.lab.simulation.world import Entry, World

TIMEOUT = 10_000  # ms, of one call to Twilio
Point = Callable[..., Awaitable[None]]


def _unclear(detail: str, trouble: Trouble) -> TwilioMessageResult:
    return TwilioMessageResult(SendOutcome.DOUBT, detail=detail, trouble=trouble)


# What the real sender makes of each answer on the wire; test_simulation asks it.
RESULTS = {
    "created": TwilioMessageResult(SendOutcome.ACCEPTED, sid="", status="queued"),
    "refused": TwilioMessageResult(SendOutcome.REFUSED, code=21211, detail="HTTP 400, Twilio error 21211"),
    "rate_limit": TwilioMessageResult(
        SendOutcome.NOT_SENT, code=20429, detail="HTTP 429, Twilio error 20429", blame=Blame.ACCOUNT, retry_after=2.0
    ),
    "daily_limit": TwilioMessageResult(
        SendOutcome.NOT_SENT, code=63038, detail="HTTP 429, Twilio error 63038", blame=Blame.DAY
    ),
    "contact_limit": TwilioMessageResult(
        SendOutcome.NOT_SENT, code=63018, detail="HTTP 429, Twilio error 63018", blame=Blame.RECIPIENT
    ),
    "no_connection": TwilioMessageResult(
        SendOutcome.NOT_SENT,
        detail="no connection: no answer in time (connecting)",
        blame=Blame.NETWORK,
        trouble=Trouble(Fault.TIMEOUT, "connecting"),
    ),
    "error": TwilioMessageResult(SendOutcome.DOUBT, detail="HTTP 500", trouble=Trouble(Fault.SERVER, "HTTP 500")),
    "timeout": _unclear("ServerTimeoutError", Trouble(Fault.TIMEOUT, "waiting for the answer")),
    "late": _unclear("ServerTimeoutError", Trouble(Fault.TIMEOUT, "waiting for the answer")),
    "reset": _unclear("ServerDisconnectedError", Trouble(Fault.BROKEN, "ServerDisconnectedError")),
    "half_json": TwilioMessageResult(SendOutcome.DOUBT, detail="JSONDecodeError"),
    "no_sid": TwilioMessageResult(SendOutcome.DOUBT, detail="no sid"),
    "bare_429": TwilioMessageResult(SendOutcome.DOUBT, detail="HTTP 429"),
}


class Clock:
    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> int:
        return self._world.now

    def monotonic(self) -> float:
        return self._world.now / SECOND

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Wire:
    """Calls under way in this life: their answers come as events of the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._calls: dict[int, asyncio.Future[Any]] = {}

    def call(self, kind: str, after: int, value: Any) -> asyncio.Future[Any]:
        """Put a request on the wire; it arrives although the process dies."""
        self.world.count += 1
        number = self.world.count
        self._calls[number] = asyncio.get_running_loop().create_future()
        self.world.after(after, kind, (number, value))
        return self._calls[number]

    def answer(self, number: int, value: Any) -> None:
        """An answer arrives, for a caller that may be gone."""
        future = self._calls.pop(number, None)
        if future is not None and not future.done():
            future.set_result(value)


class SimulatedSender:
    def __init__(self, account: str, wire: Wire, point: Point) -> None:
        self._account = account
        self._wire = wire
        self._point = point

    async def send(self, message: OutboundMessage) -> TwilioMessageResult:
        world = self._wire.world
        row = int(message.reference.partition(".")[0])
        await self._point("post.before", row)
        shape = world.shape(self._account)
        world.posts[message.reference] = (shape, world.now, world.life)
        world.sent_by[message.reference] = self._account
        delay = world.dice.between(5, 300) if shape != "late_accept" else world.dice.between(11_000, 20_000)
        call = self._wire.call("post", delay, (message, shape))
        await self._point("post.sent", row)
        try:
            async with asyncio.timeout(TIMEOUT / SECOND):
                result: TwilioMessageResult = await call
        except TimeoutError:
            result = RESULTS["timeout"]
        world.ended[message.reference] = world.now
        await self._point("post.answered", row)
        return result

    async def probe(self) -> Trouble | None:
        await asyncio.sleep(0.05)
        return Trouble(Fault.NO_WAY, "offline") if self._wire.world.offline else None

    async def close(self) -> None: ...


def arrived(world: World, message: OutboundMessage, shape: str) -> tuple[int, TwilioMessageResult] | None:
    """A POST reaches Twilio: what is answered after how many ms; None for nothing at all."""
    has_it, answer = SHAPES[shape]
    account = world.sent_by[message.reference]
    sid = world.arrive(account, message.sender, message.recipient, message.body, message.reference) if has_it else ""
    if answer in ("timeout", "late"):
        return None
    result = RESULTS[answer]
    if sid and answer == "created":
        result = TwilioMessageResult(SendOutcome.ACCEPTED, sid=sid, status="queued")
    early = has_it and world.scenario.callbacks[0].startswith("early")
    return (2000 if early else world.dice.between(5, 200)), result


class SimulatedLog:
    def __init__(self, account: str, wire: Wire, point: Point) -> None:
        self._account = account
        self._wire = wire
        self._point = point

    async def inbound(self, channel: str, since: int, *, sender: str = "", ours: bool = False) -> LogRead:
        return await self._read(
            "list.catch_up", since, ours, lambda entry: entry.recipient == channel and sender in ("", entry.sender)
        )

    async def outbound(self, channel: str, contact: str, since: int, *, ours: bool = False) -> LogRead:
        step = "list.settle" if ours else "list.catch_up"
        reached = [(channel, form) for form in forms(contact)]
        return await self._read(step, since, ours, lambda entry: (entry.sender, entry.listed) in reached)

    async def sent(self, channel: str, since: int, *, ours: bool = False) -> LogRead:
        return await self._read("list.sent", since, ours, lambda entry: entry.sender == channel)

    async def traffic(self, channel: str, since: int) -> LogRead:
        raise AssertionError("nothing is compared here")

    async def said(self, channel: str, since: int) -> LogRead:
        return await self._read("list.said", since, False, lambda entry: entry.sender == channel)

    async def _read(self, step: str, since: int, ours: bool, fits: Callable[[Entry], bool]) -> LogRead:
        world = self._wire.world
        began_at = world.now
        await self._ask(step)
        offset = world.scenario.offset
        reach = world.now - listing.behind(world, step)
        found = [
            entry.logged(world.now, offset)
            for entry in world.entries
            if entry.account == self._account and entry.visible_at <= reach and fits(entry)
        ]
        measured = (world.now + offset) // SECOND * SECOND - world.now
        await self._point(f"{step}.after")
        start = on_twilios_clock(since, measured) if ours else since
        return LogRead(tuple(logged for logged in found if logged.created_at >= start), began_at, measured)

    async def message(self, sid: str) -> LoggedMessage | None:
        world = self._wire.world
        await self._ask("fetch.follow_up")
        entry = next((entry for entry in world.entries if (entry.sid, entry.account) == (sid, self._account)), None)
        await self._point("fetch.follow_up.after")
        return None if entry is None else entry.logged(world.now, world.scenario.offset)

    async def _ask(self, step: str) -> None:
        world = self._wire.world
        await self._point(f"{step}.before")
        await asyncio.sleep(world.dice.between(20, 400) / SECOND)
        if world.is_unreadable(self._account):
            await self._point(f"{step}.failed")
            raise LogUnavailableError("TimeoutError")

    async def media(self, sid: str) -> tuple[Media, ...]:
        return ()

    async def delete(self, sid: str) -> int | None:
        raise AssertionError("nobody is forgotten here")


class SimulatedModel:
    """Its answer repeats the questions, so that the ledger itself shows what was answered how often."""

    def __init__(self, world: World, point: Point) -> None:
        self._world = world
        self._point = point

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        world = self._world
        await self._point("model.before")
        plan = world.scenario.answers[world.asked] if world.asked < len(world.scenario.answers) else "answer"
        world.asked += 1
        if world.offline:
            await asyncio.sleep(0.5)
            raise Retryable("no connection", unreachable=True)
        seconds = {"slow": 20.0, "hang": timeout}.get(plan, world.dice.between(1, 900) / SECOND)
        await asyncio.sleep(min(seconds, timeout))
        await self._point("model.after")
        return self._decide(plan, dialogue)

    def _decide(self, plan: str, dialogue: Dialogue) -> Reply:
        if plan in ("retryable", "hang"):
            raise Retryable("HTTP 500")
        if plan == "permanent":
            raise Permanent("HTTP 401")
        if plan == "asked_to_wait":
            raise Retryable("HTTP 429", retry_after=3.0)
        text = "" if plan == "silence" else "Re: " + " ".join(dialogue.questions)
        return Reply(source="silence" if plan == "silence" else "model", text=text)

    async def close(self) -> None: ...
