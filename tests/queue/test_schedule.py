"""The clock's triggers and the sweeps over conversations, also when the wall clock jumps."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from appliance import chores
from appliance.clock import SystemClock
from appliance.config import Config, Conversations
from appliance.errors import StorageFullError
from appliance.model import HOUR, MINUTE, SECOND, ConversationStatus, JobKind
from appliance.ports import Retryable
from appliance.queue import schedule
from appliance.queue.bell import Bell
from appliance.queue.schedule import Schedule, enqueue_tick
from appliance.store import Store, Tx
from appliance.timekeeping import Timekeeper
from tests.support.shop import ANSWERED, Moody
from tests.support.world import CUSTOMER, ManualClock, World


async def tick(world: World, kind: JobKind) -> None:
    await world.appliance.store.write(lambda tx: enqueue_tick(tx, kind))
    world.appliance.engine.bell.ring()
    await world.settle()


async def statuses(world: World) -> list[str]:
    return await world.column("SELECT status FROM conversations ORDER BY id")


async def many(world: World, count: int) -> None:
    """So many answered conversations of as many customers, all expired."""

    def insert(tx: Tx) -> None:
        for number in range(count):
            contact = tx.contacts.ensure(1, f"+55117{number:08d}")
            tx.conversations.insert(1, 1, contact.id, f"lane {number}", tx.now)

    await world.appliance.store.write(insert)


async def test_a_quiet_conversation_goes_idle_and_wakes_up(tmp_path: Path) -> None:
    """After idle_after it is idle; the next message continues it."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await world.say("Oi")
        await world.settle()
        await tick(world, JobKind.IDLE)
        assert await statuses(world) == ["progress"]

        clock.jump(15 * MINUTE / SECOND + 1)
        await tick(world, JobKind.IDLE)
        assert await statuses(world) == ["idle"]
        await world.say("Qual o horário?")
        await world.settle()
        assert await statuses(world) == ["progress"]


async def test_an_expired_conversation_closes_silently_and_the_next_message_opens_another(tmp_path: Path) -> None:
    """Closing sends nothing; the new conversation greets again and knows nothing of the old one."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await world.say("Oi")
        await world.settle()
        clock.jump(24 * HOUR / SECOND)
        await tick(world, JobKind.EXPIRED)
        assert await statuses(world) == ["closed"]
        assert len(world.sent()) == 1

        await world.say("Oi")
        await world.settle()
        assert await statuses(world) == ["closed", "progress"]
        assert len(world.sent()) == 2


async def test_a_conversation_in_human_hands_closes_and_the_next_one_is_too(tmp_path: Path) -> None:
    """Its expiry ends neither the silence nor the card: the person's time does, and the card is left for a person."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await world.say("ATENDENTE")
        await world.settle()
        assert await world.told() == [
            "…7777 waits for a person. The customer asks for a person, and nobody has answered yet."
        ]
        clock.jump(24 * HOUR / SECOND)
        await tick(world, JobKind.IDLE)
        assert await statuses(world) == ["human"]
        await tick(world, JobKind.EXPIRED)
        await world.say("Oi")
        await world.settle()
        assert await statuses(world) == ["closed", "human"]
        assert len(world.sent()) == 1

        await tick(world, JobKind.HAND_BACK)

        assert await statuses(world) == ["closed", "progress"]
        assert len(world.sent()) == 2
        assert await world.cards() == ["waiting"]


async def test_a_conversation_that_waits_for_an_answer_is_never_swept(tmp_path: Path) -> None:
    """A live message holds it open, however long it takes."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, queue={"reply_max_age": 48 * HOUR}) as world:
        await world.twilio_line.cut()
        await world.say("Oi")
        await world.settle()
        clock.jump(25 * HOUR / SECOND)
        await tick(world, JobKind.IDLE)
        await tick(world, JobKind.EXPIRED)
        assert await statuses(world) == ["progress"]

        await world.twilio_line.mend()
        await clock.advance(60, world.settle)
        assert len(world.sent()) == 1


async def test_a_run_takes_at_most_a_hundred(world: World) -> None:
    """Two hundred and fifty expired conversations take three runs."""
    await many(world, 250)
    for left in (150, 50, 0):
        await tick(world, JobKind.EXPIRED)
        assert (await statuses(world)).count("closed") == 250 - left


async def test_a_row_that_changed_is_left_alone(world: World) -> None:
    """Optimistic locking: a sweep that read an old version moves nothing."""
    await many(world, 1)
    store = world.appliance.store
    old = await store.read(lambda tx: tx.conversations.open_with("lane 0"))
    assert old is not None
    await store.write(lambda tx: tx.conversations.touch(old.id, tx.now + HOUR))

    assert not await store.write(lambda tx: tx.conversations.move(old, ConversationStatus.CLOSED))

    assert await statuses(world) == ["pending"]


async def test_a_sweep_that_fails_leaves_its_tick_free(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in a sweep ends in the dead letters; the next tick is enqueued all the same."""
    monkeypatch.setattr("appliance.queue.worker.backoff", lambda *arguments: 0)

    def broken(tx: Tx) -> Any:
        raise KeyError("a bug")

    world.appliance.engine.worker._handlers[JobKind.IDLE] = chores.Chore(broken)  # type: ignore[index]
    await tick(world, JobKind.IDLE)
    await world.until(lambda: dead_letters(world))
    assert await world.appliance.store.write(lambda tx: enqueue_tick(tx, JobKind.IDLE)) is not None


async def dead_letters(world: World) -> bool:
    return bool(await world.column("SELECT 1 FROM message_queue WHERE status = 'dead'"))


@pytest.mark.parametrize("hours", [-1, 1, -24 * 365])
async def test_replies_and_deadlines_survive_a_jump_of_the_clock(tmp_path: Path, hours: int) -> None:
    """The wall clock is set while a debounced reply waits: it is made a moment later, not in an hour, and not dead."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, conversations={"reply_delay": 30_000, "reply_delay_max": 30_000}) as world:
        await world.say("Oi")
        await clock.advance(1, world.settle)
        clock.jump(hours * HOUR / SECOND)
        await clock.advance(60, world.settle)

        assert len(world.sent(CUSTOMER)) == 1
        assert await world.dispositions() == ["answered"]


async def test_a_deadline_starts_again_when_the_clock_is_set(tmp_path: Path) -> None:
    """An hour that nobody waited is no reason to apologise."""
    clock, moody = ManualClock(), Moody(fault=Retryable("not now"))
    async with World(tmp_path, clock=clock, responder=moody) as world:
        await world.say("Oi")
        await world.settle()
        assert world.sent() == []
        moody.works = True
        clock.jump(HOUR / SECOND)
        await clock.advance(60, world.settle)

        assert world.sent() == [ANSWERED]


async def test_a_look_at_the_clock_that_is_cancelled_moves_what_waits_once(tmp_path: Path) -> None:
    """Its unit is committed all the same, so the next look must not see the same jump again."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, conversations={"reply_delay": 60_000, "reply_delay_max": 60_000}) as world:
        await world.say("Oi")
        await clock.advance(5, world.settle)
        await world.appliance.engine.worker.stop()
        timekeeper = Timekeeper(world.appliance.store, clock, MINUTE)
        planned = await world.column("SELECT run_at FROM message_queue WHERE kind = ?", JobKind.REPLY)

        clock.jump(-HOUR / SECOND)
        look = asyncio.create_task(timekeeper.look())
        await asyncio.sleep(0)
        look.cancel()
        await asyncio.gather(look, return_exceptions=True)
        await timekeeper.look()
        await world.appliance.store.write(lambda tx: None)  # the cancelled one's unit was before this one

        moved = await world.column("SELECT run_at FROM message_queue WHERE kind = ?", JobKind.REPLY)
        assert moved == [planned[0] - HOUR]


async def test_the_real_scheduler_goes_on_after_the_clock_steps_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """APScheduler by itself would be silent for the hour: the watch over the clock plans its triggers anew."""
    monkeypatch.setattr(schedule, "WATCH_EVERY", 0.1)
    config = Config(conversations=Conversations(check_every=SECOND))
    store = await Store.open(tmp_path, SystemClock())
    try:
        with time_machine.travel(datetime(2027, 1, 1, 12, tzinfo=UTC)) as traveller:
            clock, bell = SystemClock(), Bell()
            triggers = Schedule(store, config, clock, bell, Timekeeper(store, clock, config.ai.deadline))
            watch = asyncio.create_task(triggers.watch())
            triggers.start()
            await heard(bell)
            traveller.move_to(datetime(2027, 1, 1, 11, tzinfo=UTC))
            await asyncio.sleep(0.3)
            await heard(bell)
            await heard(bell)
            triggers.stop()
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
    finally:
        await store.close()


async def heard(bell: Bell) -> None:
    """Another tick, within ten seconds."""
    bell.clear()
    async with asyncio.timeout(10):
        while not bell.is_rung:
            await asyncio.sleep(0.02)


async def test_a_clock_that_nobody_sets_is_a_card(tmp_path: Path) -> None:
    """After two minutes customers are answered all the same, and the owner sees why times look odd."""
    clock = ManualClock(now=1_000)
    async with World(tmp_path, clock=clock) as world:
        await world.say("Oi")
        await clock.advance(150, world.settle)

        assert len(world.sent()) == 1
        assert await world.cards() == ["clock"]


async def test_a_jump_of_the_clock_on_a_full_disk_is_planned_later(tmp_path: Path) -> None:
    """The new plan cannot be stored: it is tried again, and the appliance stays up."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, conversations={"reply_delay": 30_000, "reply_delay_max": 30_000}) as world:
        await world.say("Oi")
        await clock.advance(1, world.settle)
        clock.jump(-HOUR / SECOND)
        write, world.appliance.engine.schedule._store.write = world.appliance.store.write, full  # type: ignore[method-assign]
        await clock.advance(20, world.settle)
        world.appliance.engine.schedule._store.write = write  # type: ignore[method-assign]
        await clock.advance(60, world.settle)

        assert not world.appliance.stopping.is_set()
        assert len(world.sent()) == 1


async def full(unit: Any) -> Any:
    raise StorageFullError


async def test_a_message_after_a_jump_of_a_day_is_answered_at_once(tmp_path: Path) -> None:
    """What came in after the clock was set is not moved with what waited before; both are answered."""
    clock = ManualClock()
    delays = {"reply_delay": 30 * SECOND, "reply_delay_max": 30 * SECOND}
    async with World(tmp_path, clock=clock, conversations=delays) as world:
        await world.say("Oi", "+5511900000001")
        clock.jump(24 * HOUR / SECOND)
        await world.say("Oi", "+5511900000002")

        await clock.advance(31, world.settle)

        assert len(world.sent("+5511900000001")) == 1
        assert len(world.sent("+5511900000002")) == 1


async def test_a_message_after_a_jump_back_is_answered_at_once(tmp_path: Path) -> None:
    """One hour back: nobody waits an hour for the answer."""
    clock = ManualClock()
    delays = {"reply_delay": 30 * SECOND, "reply_delay_max": 30 * SECOND}
    async with World(tmp_path, clock=clock, conversations=delays) as world:
        await world.say("Oi", "+5511900000001")
        clock.jump(-HOUR / SECOND)
        await world.say("Oi", "+5511900000002")

        await clock.advance(31, world.settle)

        assert len(world.sent("+5511900000001")) == 1
        assert len(world.sent("+5511900000002")) == 1


def test_what_is_rare_begins_soon_after_the_start() -> None:
    """Five minutes later, then hour after hour; what is more frequent keeps to its interval."""
    began = datetime(2026, 11, 30, 12, tzinfo=UTC)
    hourly, often = (schedule._Every(seconds=seconds, timezone="UTC") for seconds in (3_600, 60))
    first = hourly.get_next_fire_time(None, began)

    assert first == began + timedelta(minutes=5)
    assert hourly.get_next_fire_time(first, first) == first + timedelta(hours=1)
    assert often.get_next_fire_time(None, began) == began + timedelta(minutes=1)
