"""The queue and its worker: crashes, poison, handlers and effects that raise, a stop in the middle."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from appliance import engine
from appliance.errors import StorageFullError
from appliance.model import HOUR, MINUTE, SECOND, JobKind, JobStatus
from appliance.ports import Dialogue, Reply
from appliance.queue.outcome import Snooze
from appliance.queue.schedule import enqueue_tick
from appliance.reply import answer
from appliance.store import Tx
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, ManualClock, World

SORRY = "Desculpe, estou indisponível no momento. Sua mensagem foi recebida."
OTHER = "+5511900000001"
SOON = {"reply_delay": 200, "reply_delay_max": 200}


class Scripted:
    """A responder that does what the question says: `hang`, `raise`, or a plain answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        question = " | ".join(dialogue.questions)
        self.asked.append(question)
        if "hang" in question:
            await asyncio.Event().wait()
        if "no space" in question and len(self.asked) < 8:
            raise StorageFullError
        if "raise" in question:
            raise ZeroDivisionError(question)
        return Reply(source="script", text=f"Re: {question}")

    async def close(self) -> None:
        """Nothing is held."""


async def jobs(world: World, kind: JobKind = JobKind.REPLY) -> list[dict[str, Any]]:
    return await world.rows("SELECT * FROM message_queue WHERE kind = ? ORDER BY id", kind)


async def crash_on(world: World, question: str) -> None:
    """The process dies while this question is being answered, and is started again."""
    responder = world.responder
    assert isinstance(responder, Scripted)
    await world.until(lambda: any(question in asked for asked in responder.asked))
    await world.crash()
    responder.asked.clear()
    await world.start()


async def test_killed_before_the_reply_then_one_reply(tmp_path: Path) -> None:
    """The message is on disk, the process dies, the next one answers once."""
    model = FakeAi()
    model.delay = 20
    async with World(tmp_path, model=model) as world:
        await world.say("Oi")
        await world.until(lambda: model.requests)
        await world.crash()
        model.delay = 0
        await world.start()
        await world.settle()

        assert world.sent() == ["You asked: Oi"]
        assert [job["attempts"] for job in await jobs(world)] == [1]


async def test_poison_ends_in_the_friendly_text_and_blocks_nobody(tmp_path: Path) -> None:
    """Two crashes, then alone, then it is known who is to blame: the friendly text, a dead letter; others go on."""
    async with World(tmp_path, responder=Scripted()) as world:
        await world.say("hang")
        await crash_on(world, "hang")
        assert [job["crashes"] for job in await jobs(world)] == [1]
        await crash_on(world, "hang")
        await world.say("hello", OTHER)
        await crash_on(world, "hang")
        await world.until(lambda: world.sent() and world.sent(OTHER))
        await world.settle()

        assert world.sent() == [SORRY]
        assert world.sent(OTHER) == ["Re: hello"]
        dead = [job for job in await jobs(world) if job["status"] == "dead"]
        assert [(job["error"], job["crashes"]) for job in dead] == [("the appliance crashed three times on it", 2)]
        await world.say("and now?", OTHER)
        await world.settle()
        assert world.sent(OTHER)[-1] == "Re: and now?"


async def test_a_job_under_suspicion_runs_alone(tmp_path: Path) -> None:
    """After two crashes nothing is started beside it, so that a third has one name."""
    async with World(tmp_path, responder=Scripted()) as world:
        await world.say("hang")
        await crash_on(world, "hang")
        await crash_on(world, "hang")
        await world.until(lambda: world.appliance.engine.worker.busy)
        await world.say("hello", OTHER)
        await asyncio.sleep(0.1)

        assert world.sent(OTHER) == []
        assert [(job["status"], job["alone"]) for job in await jobs(world)] == [("running", 1), ("ready", 0)]
        await world.crash()


async def test_a_job_under_suspicion_gets_its_turn_under_load(tmp_path: Path) -> None:
    """A stream of other answers does not keep it waiting for ever: others are held back until it has run."""
    async with World(tmp_path, responder=Scripted(), conversations={"max_replies_per_hour": 0}) as world:
        await world.say("hello")
        await world.settle()
        release = asyncio.Event()

        async def go_on(customer: str) -> None:
            for number in itertools.count(1):
                await world.say("more", customer)
                await world.until(lambda number=number: len(world.sent(customer)) == number or release.is_set())  # type: ignore[misc]
                if release.is_set():
                    break

        load = [asyncio.create_task(go_on(f"+55119{number:08d}")) for number in range(10, 16)]
        await asyncio.sleep(0.1)
        await world.say("suspect", OTHER)
        await world.appliance.store.write(
            lambda tx: tx.sql.run(
                "UPDATE message_queue SET crashes = 2 WHERE lane LIKE '%' || ? AND status = 'ready'", OTHER
            )
        )
        await world.until(lambda: world.sent(OTHER))
        release.set()
        await asyncio.gather(*load)
        await world.settle()


async def hang_in(world: World, kind: JobKind, crashes: int = 0) -> None:
    """A tick that takes for ever runs from now on."""
    begun = asyncio.Event()

    async def run(_job: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    def enqueue(tx: Tx) -> None:
        job_id = tx.jobs.tick(kind)
        tx.sql.run("UPDATE message_queue SET crashes = ? WHERE id = ?", crashes, job_id)

    world.appliance.engine.worker._handlers[kind].run = run  # type: ignore[assignment,method-assign]
    await world.appliance.store.write(enqueue)
    world.appliance.engine.bell.ring()
    await begun.wait()


async def suspect(world: World) -> None:
    """The newest reply job was running in two crashes before."""
    newest = "(SELECT max(id) FROM message_queue WHERE kind = ?)"
    changed = await world.appliance.store.write(
        lambda tx: tx.sql.run(
            f"UPDATE message_queue SET crashes = 2 WHERE id = {newest} AND status = 'ready'", JobKind.REPLY
        )
    )
    assert changed == 1


async def test_a_job_under_suspicion_waits_for_no_tick(tmp_path: Path) -> None:
    """While a backup runs it is tried all the same, and so is everybody who waits behind it."""
    async with World(tmp_path, responder=Scripted(), conversations=SOON) as world:
        await hang_in(world, JobKind.BACKUP)
        await world.say("hello")
        await suspect(world)
        await world.say("hello", OTHER)
        await world.until(lambda: world.sent() and world.sent(OTHER))

        assert [job["status"] for job in await jobs(world, JobKind.BACKUP)] == ["running"]
        await world.crash()


async def test_a_tick_that_ran_to_its_end_is_acquitted(world: World) -> None:
    """Its row lives on where it puts itself back: three crashes in a year are no crash three times in a row."""

    async def run(_job: Any) -> Any:
        return Snooze(world.appliance.clock.now() + HOUR, "later")

    def enqueue(tx: Tx) -> None:
        job_id = tx.jobs.tick(JobKind.SETTLE)
        tx.sql.run("UPDATE message_queue SET crashes = 2 WHERE id = ?", job_id)

    world.appliance.engine.worker._handlers[JobKind.SETTLE].run = run  # type: ignore[assignment,method-assign]
    await world.appliance.store.write(enqueue)
    world.appliance.engine.bell.ring()
    await world.settle()

    assert [(job["status"], job["crashes"]) for job in await jobs(world, JobKind.SETTLE)] == [("ready", 0)]


async def test_a_tick_that_was_in_no_crash_is_above_suspicion(tmp_path: Path) -> None:
    """It ran beside the suspect when the process died: the suspect is condemned, and the tick is done."""
    async with World(tmp_path, responder=Scripted(), conversations=SOON) as world:
        await hang_in(world, JobKind.BACKUP)
        await world.say("hang")
        await suspect(world)
        await crash_on(world, "hang")
        await world.until(world.sent)
        await world.settle()

        assert [job["status"] for job in await jobs(world)] == ["dead"]
        assert [(job["status"], job["crashes"]) for job in await jobs(world, JobKind.BACKUP)] == [("done", 1)]


async def test_beside_a_tick_that_was_in_a_crash_nobody_is_condemned(tmp_path: Path) -> None:
    """Either may be to blame. The suspect does not wait for it; at the next start the tick waits for the suspect."""
    async with World(tmp_path, responder=Scripted(), conversations=SOON) as world:
        await hang_in(world, JobKind.BACKUP, crashes=1)
        await world.say("hang")
        await suspect(world)
        await crash_on(world, "hang")
        await world.until(lambda: isinstance(world.responder, Scripted) and "hang" in world.responder.asked)

        found = "SELECT status, crashes, alone FROM message_queue WHERE kind IN (?, ?) ORDER BY kind"
        rows = [tuple(row.values()) for row in await world.rows(found, JobKind.BACKUP, JobKind.REPLY)]
        assert rows == [("ready", 2, 0), ("running", 3, 1)]
        await world.crash()


async def test_a_tick_is_to_blame_at_its_third_crash_whoever_ran_beside(tmp_path: Path) -> None:
    """It never runs alone, so no customer waits for it: a lost tick costs nothing, the next comes by the schedule."""
    async with World(tmp_path, responder=Scripted(), conversations=SOON) as world:
        await hang_in(world, JobKind.BACKUP, crashes=2)
        await world.say("hang")
        await crash_on(world, "hang")

        assert [(job["status"], job["crashes"]) for job in await jobs(world, JobKind.BACKUP)] == [("dead", 2)]
        assert [job["crashes"] for job in await jobs(world)] == [1]
        assert await world.cards() == ["backup"]
        await world.crash()


async def test_a_power_cut_is_nobodys_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed boot id: five times running when the power went, and still no crash on the record."""
    async with World(tmp_path, responder=Scripted()) as world:
        await world.say("hang")
        for number in range(5):
            monkeypatch.setattr(engine, "kernels_boot_id", lambda number=number: f"boot {number}")
            await crash_on(world, "hang")

        await world.until(lambda: world.appliance.engine.worker.busy)
        assert [(job["crashes"], job["attempts"]) for job in await jobs(world)] == [(0, 1)]
        await world.crash()


async def test_a_stop_burns_no_attempt(tmp_path: Path) -> None:
    """A deploy in the middle of an answer: the job is ready again with the attempts it had."""
    async with World(tmp_path, responder=Scripted()) as world:
        await world.say("hang")
        await world.until(lambda: world.appliance.engine.worker.busy)
        await world.appliance.engine.worker.stop(grace=0)

        assert [(job["status"], job["attempts"], job["crashes"]) for job in await jobs(world)] == [("ready", 0, 0)]


async def test_a_second_stop_does_not_overtake_the_first(tmp_path: Path) -> None:
    """What runs may end, and its end is recorded, before the store is closed."""
    model = FakeAi()
    model.delay = 0.5
    async with World(tmp_path, model=model) as world:
        await world.say("hello")
        await world.until(lambda: model.requests)

        await asyncio.gather(world.appliance.stop(), world.appliance.stop())

        await world.start()
        await world.until(lambda: world.sent() == ["You asked: hello"])
        assert len(model.requests) == 1


async def test_a_stop_during_a_claim_starts_nothing(tmp_path: Path) -> None:
    """A claim that was under way when the stop came leaves no job running behind it."""
    async with World(tmp_path, responder=Scripted()) as world:
        await world.say("hello")
        await world.until(world.sent)
        worker = world.appliance.engine.worker
        for number in range(20):
            await world.say("hello", f"+55119{number:08d}")
            await asyncio.sleep(0.0002 * number)
            await worker.stop(grace=5)
            assert not worker.busy
            assert "running" not in await world.column("SELECT status FROM message_queue")
            worker._stopping = False
            world.appliance._spawn(worker.run(), "worker again")


async def test_a_handler_that_always_raises_ends_in_the_friendly_text_by_the_deadline(tmp_path: Path) -> None:
    """However deep the failure: one friendly text within the deadline, then it rests in the dead letters."""
    clock = ManualClock()
    async with World(
        tmp_path, clock=clock, responder=Scripted(), ai={"deadline": 10 * SECOND}, queue={"max_attempts": 100}
    ) as world:
        await world.say("raise")
        await clock.advance(11, world.settle)

        assert world.sent() == [SORRY]
        assert [job["status"] for job in await jobs(world)] == ["dead"]
        assert await world.dispositions() == ["apologised"]


async def test_attempts_are_counted_and_end(tmp_path: Path) -> None:
    """max_attempts tries with a growing pause, then the friendly text, well before a long deadline."""
    clock, responder = ManualClock(), Scripted()
    async with World(tmp_path, clock=clock, responder=responder, ai={"deadline": 10 * MINUTE}) as world:
        await world.say("raise")
        await clock.advance(60, world.settle)

        assert len(responder.asked) == 5
        assert world.sent() == [SORRY]


async def test_a_full_disk_costs_no_attempt(tmp_path: Path) -> None:
    """What a handler cannot store it does once there is space, however often that takes."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, responder=Scripted()) as world:
        await world.say("no space")
        await clock.advance(30, world.settle)

        assert world.sent() == ["Re: no space"]
        assert [(job["status"], job["attempts"]) for job in await jobs(world)] == [("done", 1)]


async def test_an_effect_that_raises_does_not_wedge_the_lane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in the unit of work that writes the answer: the customer gets the friendly text, the lane goes on."""
    clock = ManualClock()
    whole = answer._write

    def broken(tx: Any, case: Any, reply: Any, body: str) -> bool:
        if reply.source == "script":
            raise KeyError("a bug")
        return whole(tx, case, reply, body)

    async with World(tmp_path, clock=clock, responder=Scripted()) as world:
        monkeypatch.setattr(answer, "_write", broken)
        await world.say("hello")
        await clock.advance(120, world.settle)
        assert world.sent() == [SORRY]
        monkeypatch.undo()

        await world.say("again")
        await clock.advance(5, world.settle)
        assert world.sent() == [SORRY, "Re: again"]
        assert await world.dispositions() == ["apologised", "answered"]


async def test_even_giving_up_may_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither answer nor friendly text can be written: a card says so, and the lane goes on."""
    clock = ManualClock()

    def broken(*arguments: Any) -> bool:
        raise KeyError("a bug")

    async with World(tmp_path, clock=clock, responder=Scripted()) as world:
        monkeypatch.setattr(answer, "_write", broken)
        await world.say("hello")
        await clock.advance(120, world.settle)
        assert await world.dispositions() == ["dead"]
        assert await world.cards() == ["could_not_answer"]
        monkeypatch.undo()

        await world.say("again")
        await clock.advance(5, world.settle)
        assert world.sent() == ["Re: again"]


async def test_an_effect_that_raises_after_the_post_is_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twilio has the message and its sid cannot be recorded: not sent again."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, responder=Scripted()) as world:

        def broken(*arguments: Any) -> None:
            raise KeyError("a bug")

        monkeypatch.setattr("appliance.outbox.binding.derive", broken)
        await world.appliance.store.write(lambda tx: None)
        await world.twilio.receive(CUSTOMER, "+551140000000", "hello")
        await clock.advance(120, world.settle)

        assert world.sent() == ["Re: hello"]
        assert await world.column("SELECT state FROM outbox") == ["doubt"]


async def test_a_tick_fired_twice_is_one_job(world: World) -> None:
    """Scheduler, API and external cron may all ask: at most one live job of a kind."""
    store = world.appliance.store
    await world.appliance.engine.worker.stop()

    found = [await store.write(lambda tx: enqueue_tick(tx, JobKind.IDLE)) for _ in range(2)]

    assert found[0] is not None
    assert found[1] is None
    assert len(await jobs(world, JobKind.IDLE)) == 1
    assert await store.write(lambda tx: enqueue_tick(tx, JobKind.EXPIRED)) is not None


async def test_a_late_result_is_fenced(tmp_path: Path) -> None:
    """An attempt of a dead run cannot end the job of the run after it."""
    async with World(tmp_path, responder=Scripted()) as world:
        await world.say("hang")
        await world.until(lambda: world.appliance.engine.worker.busy)
        old = await world.appliance.store.read(lambda tx: tx.jobs.in_lane(f"1|{CUSTOMER}"))
        await crash_on(world, "hang")
        await world.until(lambda: world.appliance.engine.worker.busy)

        assert old is not None
        assert not await world.appliance.store.write(lambda tx: tx.jobs.finish(old, JobStatus.DONE))
        assert [job["status"] for job in await jobs(world)] == ["running"]
        await world.crash()
