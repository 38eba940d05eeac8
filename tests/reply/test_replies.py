"""Bursts, races with the model, redelivery: every message is answered, and once."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from aiohttp import web

from appliance.model import SECOND, ai_resource
from appliance.ports import Reply
from appliance.queue.outcome import Dead, Done
from appliance.reply.answer import answer, apology
from appliance.reply.case import load
from appliance.reply.provider import Unavailable
from appliance.reply.shelf import Shelves
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, SMS, ManualClock, World

DEBOUNCE = {"reply_delay": 3 * SECOND, "reply_delay_max": 12 * SECOND}


async def test_a_burst_of_five_gets_one_reply_that_saw_all_five(tmp_path: Path) -> None:
    """Five messages within the debounce fold into one request to the model and one reply."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, model=FakeAi(), conversations=DEBOUNCE) as world:
        for number in range(5):
            await world.say(f"part {number}")
            await clock.advance(1, world.settle)

        await clock.advance(5, world.settle)

        assert world.sent() == ["You asked: part 0 | part 1 | part 2 | part 3 | part 4"]
        assert await world.dispositions() == ["answered"] * 5


async def test_the_debounce_has_a_cap(tmp_path: Path) -> None:
    """Somebody who never stops writing is answered reply_delay_max after the first unanswered message."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, model=FakeAi(), conversations=DEBOUNCE) as world:
        for number in range(13):
            await world.say(f"part {number}")
            await clock.advance(1, world.settle)

        assert len(world.sent()) == 1
        assert "part 0" in world.sent()[0]


async def test_a_message_during_the_call_makes_the_draft_stale(tmp_path: Path) -> None:
    """The sixth message arrives while the model thinks: nothing is left unanswered and nothing answered twice."""
    model = FakeAi()
    model.delay = 0.4
    async with World(tmp_path, model=model) as world:
        for number in range(5):
            await world.say(f"part {number}")
        await world.until(lambda: model.requests)
        await world.say("and the sixth")
        await world.until(lambda: any("and the sixth" in body for body in world.sent()))
        await world.settle()

        assert await world.dispositions() == ["answered"] * 6
        told = " ".join(world.sent())
        assert all(told.count(f"part {number}") == 1 for number in range(5))


async def test_a_customer_who_keeps_writing_is_answered_after_two_stale_drafts(tmp_path: Path) -> None:
    """A draft is withdrawn at most twice; the third goes out although a newer message waits."""
    model = FakeAi()
    model.delay = 0.15
    async with World(tmp_path, model=model) as world:
        for number in range(6):
            calls = len(model.requests)
            await world.say(f"part {number}")
            await world.until(lambda calls=calls: len(model.requests) > calls)  # type: ignore[misc]
        await world.until(lambda: world.appliance.engine.worker.busy is False)
        await world.settle()

        states = await world.column("SELECT state FROM outbox ORDER BY id")
        assert states[:3] == ["superseded", "superseded", "delivered"]
        assert await world.dispositions() == ["answered"] * 6


async def test_one_message_delivered_a_hundred_times_gets_one_reply(tmp_path: Path) -> None:
    """Fifty deliveries of one sid at once, a restart, fifty more: one row, one reply, always 200."""
    async with World(tmp_path, model=FakeAi()) as world:
        sid = "SM" + "a" * 32
        first = await _deliver(world, sid, 50)
        await world.settle()
        await world.stop()
        await world.start()
        second = await _deliver(world, sid, 50)
        await world.settle()

        assert first + second == [200] * 100
        assert await world.column("SELECT sid FROM messages") == [sid]
        assert world.sent() == ["You asked: Oi"]


async def _deliver(world: World, sid: str, times: int) -> list[int | None]:
    found = await asyncio.gather(*(world.twilio.receive(CUSTOMER, SMS, "Oi", sid=sid) for _ in range(times)))
    return [status for _, status in found]


class SlowForOne(FakeAi):
    """Keeps whoever says "slow" waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        if '"slow"' in await request.text():
            await self.go.wait()
        return await super()._complete(request)


async def test_fifty_conversations_do_not_wait_for_a_slow_one(tmp_path: Path) -> None:
    """One customer's answer takes for ever; everybody else has theirs meanwhile."""
    model = SlowForOne()
    others = [f"+55119{number:08d}" for number in range(50)]
    async with World(tmp_path, model=model) as world:
        await world.say("slow")
        await asyncio.gather(*(world.say("quick", customer) for customer in others))
        await world.until(lambda: all(world.sent(customer) for customer in others), 30)

        assert world.sent() == []
        model.go.set()
        await world.until(lambda: world.sent() == ["You asked: slow"])


async def test_a_slow_answer_is_asked_for_once(tmp_path: Path) -> None:
    """No time-based rescue: a job that takes long belongs to the one process there is."""
    model = FakeAi()
    model.delay = 0.6
    async with World(tmp_path, model=model) as world:
        await world.say("Oi")
        for _ in range(8):
            await asyncio.sleep(0.1)
            world.appliance.engine.bell.ring()
        assert len(model.requests) == 1

        await world.until(world.sent)
        await world.settle()
        assert world.sent() == ["You asked: Oi"]


async def test_the_answer_and_the_apology_compete(world: World) -> None:
    """Both were decided for the same message: whoever sets reply_id first has it, the late answer is dropped."""
    store = world.appliance.store
    await world.appliance.engine.worker.stop()
    await world.say("Oi")
    (job,) = await store.read(lambda tx: tx.jobs.due(ai_resource(1), 1))
    case = await store.read(lambda tx: load(tx, job, Shelves()))
    assert case is not None

    for outcome in (apology(case, Unavailable("too late")), answer(case, Reply(source="a model", text="Oi!"))):
        assert isinstance(outcome, Done | Dead)
        await store.write(outcome.effects)

    assert await world.column("SELECT kind FROM outbox") == ["unavailable"]


async def test_an_answer_waits_for_space(tmp_path: Path) -> None:
    """The disk fills up while the model thinks: the answer is neither lost nor asked for again."""
    model = FakeAi()
    model.delay = 0.3
    async with World(tmp_path, model=model) as world:
        await world.say("Oi")
        await world.until(lambda: model.requests)
        world.appliance.store._writer._run, run = _no_space, world.appliance.store._writer._run
        await asyncio.sleep(0.6)
        world.appliance.store._writer._run = run
        await world.until(world.sent)
        await world.settle()

        assert len(model.requests) == 1
        assert world.sent() == ["You asked: Oi"]
        assert not world.appliance.stopping.is_set()


async def _no_space(work: Any) -> Any:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error
