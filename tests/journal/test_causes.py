"""Each failed step is told with its cause and whose it is; a trouble that keeps many is told once while it lasts."""

from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from appliance.model import HOUR, MINUTE, SECOND, JobKind, ai_resource
from appliance.ports import Dialogue, Reply
from appliance.queue.circuit import AI
from appliance.queue.outcome import Dead, Retry, Snooze
from appliance.queue.telling import tell
from appliance.simulator import Fault
from appliance.store import backup
from tests.journal.scene import Line, Log
from tests.support.fake_ai import FakeAi
from tests.support.world import ManualClock, World

FEW = 12


async def an_hour(world: World, clock: ManualClock, count: int) -> None:
    """So many customers write, one after the other."""
    for number in range(count):
        await world.say("Qual o horário?", f"+5511{980_000_000 + number}")
        await clock.advance(HOUR / SECOND / count, world.settle)


def about(line: Line) -> tuple[object, ...]:
    return line["level"], line["error"], line["message"], line["organization"], line["attempt"]


@pytest.mark.parametrize(
    ("fault", "count"), [("bad_key_401", 200), ("rate_429", FEW), ("error_500", FEW), ("reset_before_headers", FEW)]
)
async def test_an_hour_without_a_model(tmp_path: Path, fault: str, count: int) -> None:
    """Two hundred customers: the first is told with the cause, the others are steps; that it is over is told."""
    log, model, clock = Log(), FakeAi(), ManualClock()
    with log.written("info"):
        async with World(tmp_path, clock=clock, model=model) as world:
            model.fault = fault
            await an_hour(world, clock, count)
            during = log.lines
            model.fault = None
            await clock.advance(2 * MINUTE / SECOND, world.settle)
            await world.say("E agora?")
            await clock.advance(2 * MINUTE / SECOND, world.settle)

    assert len(during) < 30
    told = [line for line in during if line["event"] == "could not answer"]
    assert 1 <= len(told) <= 3
    assert all(line["error"] and line["message"].startswith("SM") and line["organization"] == 1 for line in told)
    assert log.of("trouble is over", trouble=AI)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault("create", "error", status=401, code=20003, times=None), "HTTP 401, Twilio error 20003: Twilio does"),
        (Fault("create", "error", status=429, code=63038, times=None), "HTTP 429, Twilio error 63038: the account has"),
        (Fault("create", "error", status=403, code=20006, times=None), "HTTP 403, Twilio error 20006: the Twilio"),
        (Fault("create", "error", status=429, code=20429, times=None), "HTTP 429, Twilio error 20429: Twilio's rate"),
        (Fault("create", "error", status=400, code=63007, times=None), "HTTP 400, Twilio error 63007: Twilio has no"),
        (None, "no connection: the connection was refused"),
    ],
    ids=["credentials", "day", "suspended", "rate", "sender", "unreachable"],
)
async def test_an_hour_without_twilio(tmp_path: Path, fault: Fault | None, cause: str) -> None:
    """What waits for Twilio is told once, with its cause; each further try is a step. The day ends soon afterwards."""
    log, clock = Log(), ManualClock(1_800_000_000_000 + 29 * HOUR // 2)
    with log.written("info"):
        async with World(tmp_path, clock=clock, twilio={"catch_up_every": 0}) as world:
            await world.teach("Horário", "Abrimos das 7h às 19h.")
            if fault:
                world.twilio.faults.add(fault)
            else:
                await world.twilio_line.cut()
            await an_hour(world, clock, FEW)
            during = log.lines
            world.twilio.faults.clear()
            if not fault:
                await world.twilio_line.mend()
            await clock.advance(HOUR / SECOND, world.settle)

    assert len(during) < 20
    (told,) = [line for line in during if line["event"] == "put off" and line["kind"] == JobKind.SEND]
    assert str(told["error"]).startswith(cause)
    assert about(told)[2:] == (told["message"], 1, 1)
    assert len([line for line in log.lines if line["event"] == "trouble is over"]) == 1
    assert len(log.of("answered")) == FEW


@pytest.mark.parametrize(
    ("fault", "event", "cause"),
    [
        (Fault("create", "error", status=400, code=21211), "not sent", "HTTP 400, Twilio error 21211: the customer's"),
        (
            Fault("create", "error", status=503),
            "not known whether it was sent",
            "it answers with an error of its own (HTTP 503)",
        ),
        (Fault("delivery", "undelivered", code=30003), "not delivered", "the customer's phone could not be reached"),
    ],
    ids=["refused", "doubt", "undelivered"],
)
async def test_what_becomes_of_a_message(tmp_path: Path, fault: Fault, event: str, cause: str) -> None:
    """Each is its own message's: told once, with its sid."""
    log, clock = Log(), ManualClock()
    with log.written("info"):
        async with World(tmp_path, clock=clock, twilio={"catch_up_every": 0}) as world:
            await world.teach("Horário", "Abrimos das 7h às 19h.")
            world.twilio.faults.add(fault)
            sid = await world.say("Qual o horário?")
            await clock.advance(1, world.settle)

    (line,) = log.of(event)
    assert (line["level"], line["message"], line["organization"]) == ("warning", sid, 1)
    assert line["error"].startswith(cause)


class Broken:
    """A responder with a bug that only one customer meets."""

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        raise KeyError(dialogue.questions[0])

    async def close(self) -> None: ...


async def test_a_bug_is_told_with_its_place(tmp_path: Path) -> None:
    """Each attempt is an error with where it was, and then who was not answered for it; not a word of the customer's."""
    log, clock = Log(), ManualClock()
    with log.written("info"):
        async with World(tmp_path, clock=clock, responder=Broken(), queue={"max_attempts": 2}) as world:
            sid = await world.say("segredo da cliente")
            await clock.advance(2 * MINUTE / SECOND, world.settle)

    first, second = log.of("job failed")
    assert (first["level"], first["message"], first["attempt"], second["attempt"]) == ("error", sid, 1, 2)
    assert "KeyError at queue/worker.py" in first["exception"]
    (line,) = log.of("could not answer")
    assert about(line) == ("warning", "internal error (KeyError)", sid, 1, 2)
    assert "segredo" not in log.text


async def test_an_attempt_that_repeats_itself_is_told_once(world: World) -> None:
    """A job's own trouble: the same failure again and again is one line, another cause is another."""
    log = Log()
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    await world.say("Qual o horário?")
    await world.settle()
    job = await world.appliance.store.read(lambda tx: next(each for each in tx.jobs.page_of_the_box() if each.lane))
    job = replace(job, kind=JobKind.REPLY, resource=ai_resource(1))
    with log.written("info"):
        for outcome in (Retry(0, "A"), Retry(0, "A"), Snooze(0, "B"), Dead("A")):
            await world.appliance.store.write(lambda tx, outcome=outcome: tell(tx, job, outcome))  # type: ignore[misc]

    assert [(line["event"], line["error"]) for line in log.lines] == [
        ("failed, to be tried again", "A"),
        ("put off", "B"),
        ("could not answer", "A"),
    ]


async def test_ticks_tell_why_they_are_put_off(tmp_path: Path) -> None:
    """Catch-up, settling, follow-up and hand-back say what keeps Twilio's log from them: once, and when it is over."""
    log, clock = Log(), ManualClock()
    with log.written("info"):
        async with World(tmp_path, clock=clock) as world:
            world.twilio.faults.add(Fault("list", "error", status=403, code=20005, times=None))
            for _ in range(20):
                await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
                await clock.advance(MINUTE / SECOND, world.settle)
            (told,) = log.of("put off")
            world.twilio.faults.clear()
            await clock.advance(MINUTE / SECOND, world.settle)

    assert told["kind"] == JobKind.CATCH_UP
    assert told["error"] == "Twilio's log cannot be read (main: HTTP 403, Twilio error 20005)"
    assert log.of("trouble is over", trouble=JobKind.CATCH_UP)


async def test_an_alert_that_is_not_taken(tmp_path: Path) -> None:
    """The address refuses them: told once with its answer."""
    log, clock, alerts = Log(), ManualClock(), web.Application()

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=410)

    alerts.router.add_post("/", refuse)
    runner = web.AppRunner(alerts)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        with log.written("info"):
            async with World(tmp_path, clock=clock, alerts={"url": url}) as world:
                await clock.advance(10 * MINUTE / SECOND, world.settle)
    finally:
        await runner.cleanup()

    (told,) = log.of("put off", kind=JobKind.ALERT)
    assert told["error"] == "the alert was not taken: HTTP 410"


async def test_a_backup_that_fails(world: World) -> None:
    """A file stands where the copies should be."""
    log = Log()
    (world.appliance.store.directory / backup.FOLDER).write_text("")
    with log.written("info"):
        await world.appliance.store.write(lambda tx: tx.jobs.tick(JobKind.BACKUP))
        world.appliance.engine.bell.ring()
        await world.until(lambda: log.of("put off"))

    (told,) = log.of("put off", kind=JobKind.BACKUP)
    assert told["error"].startswith("backup failed: ")


async def test_refused_webhooks_are_told_once_a_minute(world: World) -> None:
    """A stranger's thousand requests are not a thousand lines; each of them is counted."""
    log = Log()
    with log.written("info"):
        async with aiohttp.ClientSession() as session:
            for number in range(50):
                async with session.post(f"{world.address}/twilio/messages", data={"MessageSid": f"SM{number}"}) as got:
                    assert got.status == 403

    assert len(log.of("webhook refused")) == 1
