"""A pause: no model is asked, nothing automatic is said, nothing is lost; and what its end makes of what has waited."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import StorageBrokenError
from appliance.model import HOUR, SECOND, JobKind
from appliance.operations import pauses
from appliance.operations.organizations import Registration, register_organization
from appliance.operations.verification import verify
from appliance.people import identity
from appliance.queue.schedule import enqueue_tick
from appliance.simulator import Fault
from appliance.store import Tx
from appliance.store.links import BY_HAND
from tests.inbox.test_overheard import from_the_console
from tests.support.api_client import api_of
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World, nothing, sleep

NOON = 1_800_025_200_000  # 12:00 in São Paulo
OTHER = "+5511977776666"
THEIRS = "+551140000009"  # the second organization's channel
BUSY = Fault("create", "error", status=429, code=20429, retry_after=30, times=None)  # nothing is taken


def shop(directory: Path, model: FakeAi, now: int = NOON) -> World:
    return World(directory, clock=ManualClock(now), model=model, ai={"deadline": 30 * SECOND})


async def say(world: World, body: str, sender: str = CUSTOMER, to: str = SMS) -> None:
    await world.say(body, sender, to)
    await world.settle()


async def change(world: World, unit: Callable[[Tx], object]) -> None:
    await world.appliance.store.write(unit)
    world.appliance.engine.bell.ring()
    await world.settle()


def begin(scope: str, until: int | None = None) -> Callable[[Tx], object]:
    def unit(tx: Tx) -> object:
        whose = tx.contacts.get(1) if scope == "conversation" else None
        return pauses.pause(tx, None if scope == "box" else 1, until, "test", whose)

    return unit


def over(scope: str) -> Callable[[Tx], object]:
    def unit(tx: Tx) -> object:
        whose = tx.contacts.get(1) if scope == "conversation" else None
        return pauses.resume(tx, None if scope == "box" else 1, whose)

    return unit


async def problems(world: World) -> list[str]:
    found = await world.appliance.store.read(verify, limit=None)
    return list(found.problems)


SCOPES = ["box", "organization", "conversation"]


@pytest.mark.parametrize("scope", SCOPES)
async def test_no_model_is_asked_and_nothing_is_said_until_somebody_resumes(tmp_path: Path, scope: str) -> None:
    """Also over two restarts, one of them a death; then one answer to all that came meanwhile."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await say(world, "um")
        await change(world, begin(scope))
        await say(world, "dois")
        await sleep(world, 10)
        await world.crash()
        await world.start()
        await world.settle()
        await say(world, "três")
        await world.stop()
        await world.start()
        await sleep(world, 10)
        assert (len(model.requests), world.sent()) == (1, ["You asked: um"])
        assert await world.dispositions() == ["answered", "live", "live"]
        assert await problems(world) == []

        await change(world, over(scope))

        assert world.sent()[1:] == ["You asked: dois | três"]
        assert (len(model.requests), await world.dispositions()) == (2, ["answered"] * 3)
        assert await world.cards() == [] and await problems(world) == []


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_timed_pause_ends_by_itself(tmp_path: Path, scope: str) -> None:
    """At its second; nobody rings, and nothing is written for it."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await say(world, "um")
        await change(world, begin(scope, NOON + HOUR))
        await sleep(world, 40)
        await say(world, "dois")
        await sleep(world, 19.9)
        assert len(model.requests) == 1
        await sleep(world, 0.1)

        assert (len(model.requests), world.sent()[1:]) == (2, ["You asked: dois"])


@pytest.mark.parametrize("scope", SCOPES)
async def test_what_waited_too_long_becomes_a_card(tmp_path: Path, scope: str) -> None:
    """Three hours by day: what is older than two is a card and a dead letter, the rest gets one answer, whose writer
    sees what was said before.
    """
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await say(world, "um")
        await change(world, begin(scope, NOON + 3 * HOUR))
        await sleep(world, 30)
        await say(world, "velha")
        await sleep(world, 60)
        await say(world, "nova")
        await sleep(world, 90)

        assert world.sent()[1:] == ["You asked: velha | nova"]
        assert await world.dispositions() == ["answered", "dead", "answered"]
        assert await world.cards() == ["too_late"]
        assert "wrote during a pause" in (await world.told())[0]
        assert await problems(world) == []


async def test_a_retried_dead_letter_is_not_too_old(tmp_path: Path) -> None:
    """A person wants it answered: neither the pause that is over nor its age is asked about."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await change(world, begin("organization"))
        await say(world, "velha")
        await sleep(world, 150)
        await change(world, over("organization"))
        assert await world.dispositions() == ["dead"]

        async with api_of(world) as api:
            (letter,) = (await api.get("dead-letters"))["dead_letters"]
            assert (await api.post(f"dead-letters/{letter['id']}/retry"))[0] == 200
        await world.settle()

        assert world.sent() == ["You asked: velha"]
        assert await world.cards() == []


@pytest.mark.parametrize("minutes", [58, 150])
async def test_a_persons_answer_from_the_console_counts_until_the_last_moment(tmp_path: Path, minutes: float) -> None:
    """Twilio's log is read once more at the end of a pause: whoever was answered by hand is not answered again, nor is
    there a card of it; whoever was not is answered.
    """
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await change(world, begin("organization"))
        await say(world, "um")
        await say(world, "dois", OTHER)
        await sleep(world, minutes)
        await say(world, "e?")
        await say(world, "e?", OTHER)
        await sleep(world, 1)
        from_the_console(world)
        await sleep(world, 1)
        await change(world, over("organization"))

        assert (world.sent(), len(world.sent(OTHER))) == (["Oi, aqui é a Ana."], 1)
        assert await world.column("SELECT DISTINCT suppressed FROM messages WHERE contact_id = 1") == [
            "answered elsewhere"
        ]
        assert (await world.cards(), await problems(world)) == (["too_late"] if minutes > 120 else [], [])


async def test_a_log_that_cannot_be_read_at_the_end_of_a_pause_is_waited_for(tmp_path: Path) -> None:
    """A few seconds, and no deadline passes over it."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        world.twilio.faults.add(Fault("list", "error", status=503, times=None))
        await change(world, begin("organization"))
        await say(world, "um")
        await sleep(world, 30)
        await change(world, over("organization"))
        assert world.sent() == []
        for _ in range(16):
            await sleep(world, 1 / 60)

        assert world.sent() == ["You asked: um"]


@pytest.mark.parametrize("days", [1, -1])
@pytest.mark.parametrize(("minutes", "fate"), [(20, "answered"), (150, "dead")])
async def test_a_clock_that_is_set_during_a_pause(tmp_path: Path, days: int, minutes: int, fate: str) -> None:
    """By a day, to and fro: what waits is as old as it was."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        assert isinstance(world.clock, ManualClock)
        await change(world, begin("organization"))
        await say(world, "um")
        await sleep(world, minutes)
        world.clock.jump(days * 24 * HOUR / SECOND)
        await sleep(world, 1)
        await change(world, over("organization"))

        assert await world.dispositions() == [fate]


async def test_two_paused_addresses_that_are_one_person_have_one_end(tmp_path: Path) -> None:
    """What the page says is what holds: the end that was chosen last."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await say(world, "oi")
        await say(world, "oi", OTHER)
        await change(world, lambda tx: [pauses.pause(tx, 1, None, "x", tx.contacts.get(each)) for each in (1, 2)])
        await change(world, lambda tx: identity.join(tx, 1, 2, BY_HAND))
        await change(world, lambda tx: pauses.pause(tx, 1, "1h", "x", tx.contacts.get(2)))
        await say(world, "um")
        await sleep(world, 61)

        assert world.sent()[1:] == ["You asked: um"]


async def test_who_is_forgotten_is_paused_no_more(tmp_path: Path) -> None:
    """Nothing of them is answered, and no pause is left that nobody could end, as it is found by the address."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await say(world, "oi")
        await change(world, begin("conversation"))
        await say(world, "um")
        async with api_of(world) as api:
            assert (await api.post("contacts/forget", {"address": CUSTOMER}))[0] == 202
        for _ in range(3):
            await sleep(world, 10)

        assert await world.column("SELECT address FROM contacts") == ["forgotten:1"]
        assert await world.appliance.store.read(pauses.everywhere) == []
        assert (len(model.requests), await problems(world)) == (1, [])


async def test_an_apology_that_a_pause_kept_back_leaves_no_dead_letter(tmp_path: Path) -> None:
    """Its message is answered after all: neither a card nor a letter asks anybody to."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        world.twilio.faults.add(BUSY)
        model.fault = "bad_request_400"
        await say(world, "um")
        assert await world.cards() == ["could_not_answer"]
        await change(world, begin("organization"))
        world.twilio.faults.clear()
        model.fault = None
        await sleep(world, 2)
        assert (await world.cards(), world.sent()) == ([], [])
        await change(world, over("organization"))

        assert (world.sent(), await world.cards()) == (["You asked: um"], [])
        assert await world.column("SELECT id FROM message_queue WHERE status = 'dead'") == []


async def test_a_retried_dead_letter_is_wanted_after_the_next_pause_too(tmp_path: Path) -> None:
    """Its draft was kept back by another pause: the wish of whoever retried it stands."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await change(world, begin("organization"))
        await say(world, "velha")
        await sleep(world, 150)
        await change(world, over("organization"))
        world.twilio.faults.add(BUSY)
        async with api_of(world) as api:
            (letter,) = (await api.get("dead-letters"))["dead_letters"]
            assert (await api.post(f"dead-letters/{letter['id']}/retry"))[0] == 200
        await world.settle()
        await change(world, begin("organization"))
        world.twilio.faults.clear()
        await sleep(world, 2)
        assert await world.dispositions() == ["live"]
        await change(world, over("organization"))

        assert (world.sent(), await world.cards()) == (["You asked: velha"], [])


async def test_at_night_only_the_last_half_hour_is_answered(tmp_path: Path) -> None:
    """A pause that ends at 22:00: a question of 21:20 is a card, one of 21:40 gets its answer."""
    model = FakeAi()
    async with shop(tmp_path, model, NOON + 9 * HOUR) as world:
        await change(world, begin("box", NOON + 10 * HOUR))
        await sleep(world, 20)
        await say(world, "velha")
        await sleep(world, 20)
        await say(world, "nova")
        await sleep(world, 20)

        assert world.sent() == ["You asked: velha | nova"]
        assert await world.dispositions() == ["dead", "answered"]


async def test_deadlines_stand_still(tmp_path: Path) -> None:
    """The model fails once, then somebody pauses for longer than any deadline: the real answer comes, no apology."""
    model = FakeAi()
    async with World(
        tmp_path,
        clock=ManualClock(NOON),
        model=model,
        ai={"deadline": 30 * SECOND},
        queue={"reply_max_age": HOUR},
        twilio={"catch_up_answer_within": 24 * HOUR},
    ) as world:
        model.fault = "error_500"
        await say(world, "um")
        assert len(model.requests) == 1 and world.sent() == []
        await change(world, begin("organization", NOON + 2 * HOUR))
        model.fault = None
        await sleep(world, 121)

        assert (len(model.requests), world.sent()) == (2, ["You asked: um"])
        assert await world.cards() == [] and await world.dispositions() == ["answered"]


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_pause_between_draft_and_sending(tmp_path: Path, scope: str) -> None:
    """Twilio takes nothing for a while, somebody pauses: the draft is not sent, its message is answered at the end."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        world.twilio.faults.add(BUSY)
        await say(world, "um")
        assert await world.column("SELECT state FROM outbox") == ["ready"]
        await change(world, begin(scope))
        world.twilio.faults.clear()
        await sleep(world, 2)

        assert world.sent() == []
        assert await world.rows("SELECT state, reason FROM outbox") == [{"state": "superseded", "reason": "paused"}]
        assert (await world.dispositions(), await problems(world)) == (["live"], [])

        await change(world, over(scope))
        assert (world.sent(), len(model.requests)) == (["You asked: um"], 2)
        assert await world.dispositions() == ["answered"]


async def test_a_pause_while_the_model_is_asked(tmp_path: Path) -> None:
    """That answer was paid for and is not sent; the next one is made at the end."""
    model = FakeAi()
    model.delay = 0.3
    async with World(tmp_path, model=model) as world:
        await world.say("um")
        await world.until(lambda: model.requests)
        await world.appliance.store.write(begin("box"))
        await world.settle()
        assert (world.sent(), await world.dispositions()) == ([], ["live"])

        await change(world, over("box"))
        assert (world.sent(), len(model.requests)) == (["You asked: um"], 2)


@pytest.mark.parametrize("scope", SCOPES)
async def test_what_a_person_writes_goes(tmp_path: Path, scope: str) -> None:
    """By hand, while everything else is silent."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await say(world, "um")
        await change(world, begin(scope))
        await say(world, "dois")
        async with api_of(world) as api:
            assert (await api.post("messages", {"from": SMS, "to": CUSTOMER, "body": "Já vou. Ana"}))[0] == 202
        await world.settle()

        assert world.sent()[1:] == ["Já vou. Ana"]
        assert len(model.requests) == 1


async def test_a_paused_conversation_leaves_the_others(tmp_path: Path) -> None:
    """However many of them are paused, and whoever waits longest."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        numbers = [f"+55119000000{number:02d}" for number in range(12)]
        for number in numbers:
            await say(world, "oi", number)
        said = len(model.requests)
        await change(world, lambda tx: [pauses.pause(tx, 1, None, "x", tx.contacts.get(n + 1)) for n in range(12)])
        for number in numbers:
            await say(world, "de novo", number)
        await say(world, "um", OTHER)

        assert len(model.requests) == said + 1
        assert world.sent(OTHER) == ["You asked: um"]


async def test_one_organization_paused_leaves_the_other(tmp_path: Path) -> None:
    """And a pause of the box none."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        world.twilio.owned = [*world.twilio.owned, THEIRS]
        second = Registration("Florista", [THEIRS], "f@example.com")
        await world.appliance.store.write(lambda tx: register_organization(tx, second))
        await change(world, begin("organization"))
        await say(world, "um")
        await say(world, "dois", OTHER, THEIRS)
        assert (world.sent(), world.sent(OTHER)) == ([], ["You asked: dois"])

        await change(world, begin("box"))
        await say(world, "três", OTHER, THEIRS)
        await change(world, over("organization"))
        assert (len(world.sent()), len(world.sent(OTHER))) == (0, 1)

        await change(world, over("box"))
        assert (world.sent(), world.sent(OTHER)[1:]) == (["You asked: um"], ["You asked: três"])


@pytest.mark.parametrize(("minutes", "said", "fates"), [(60, 1, ["answered"]), (150, 0, ["suppressed"])])
async def test_an_opt_out_during_a_pause_is_honoured(tmp_path: Path, minutes: int, said: int, fates: list[str]) -> None:
    """At once; its confirmation comes at the end, where that is soon, and is no card where it is not."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await change(world, begin("box"))
        await say(world, "SAIR", CUSTOMER.join(["whatsapp:", ""]), WHATSAPP)
        assert await world.column("SELECT opted_out_at IS NOT NULL FROM contacts") == [1]
        await sleep(world, minutes)
        assert world.sent(f"whatsapp:{CUSTOMER}") == []
        await change(world, over("box"))

        assert (len(world.sent(f"whatsapp:{CUSTOMER}")), await world.dispositions()) == (said, fates)
        assert model.requests == []
        assert "too_late" not in await world.cards()


async def test_who_asked_for_a_person_waits_for_one(tmp_path: Path) -> None:
    """The promise could not be said before the pause began: it is not said, and the owner's card is there all along."""
    async with World(tmp_path, clock=ManualClock(NOON)) as world:
        world.twilio.faults.add(BUSY)
        await say(world, "ATENDENTE")
        await change(world, begin("box"))
        world.twilio.faults.clear()
        await sleep(world, 3)
        assert (world.sent(), await world.cards()) == ([], ["waiting"])
        await change(world, over("box"))

        assert (world.sent(), await world.cards()) == ([], ["waiting"])
        assert await world.column("SELECT suppressed FROM messages") == ["a person is in charge"]
        assert await problems(world) == []


async def test_what_wants_no_answer_is_no_card(tmp_path: Path) -> None:
    """A thumb of hours ago is left as it would have been; a question of somebody who left since waits for nobody."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await change(world, begin("box"))
        await say(world, "👍")
        await say(world, "Quanto custa?", OTHER)
        await say(world, "SAIR", OTHER)
        await sleep(world, 150)
        await change(world, over("box"))

        assert await world.dispositions() == ["suppressed"] * 3
        assert await world.column("SELECT suppressed FROM messages ORDER BY id") == [
            "only emoji",
            "opted out",
            "about consent",
        ]
        assert "too_late" not in await world.cards()


async def test_sweeps_close_nothing_that_waits(tmp_path: Path) -> None:
    """Days later the conversation is as it was; and everything that is no answer went on meanwhile."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await say(world, "um")
        await change(world, begin("box"))
        await say(world, "dois")
        await sleep(world, 2 * 24 * 60)
        for kind in (JobKind.IDLE, JobKind.EXPIRED, JobKind.HAND_BACK, JobKind.CATCH_UP):
            await change(world, lambda tx, kind=kind: enqueue_tick(tx, kind))  # type: ignore[misc]

        assert await world.column("SELECT status FROM conversations") == ["progress"]
        assert await world.dispositions() == ["answered", "live"]
        waits = "SELECT DISTINCT kind FROM message_queue WHERE status = 'ready' AND lane NOT LIKE 'tick:%'"
        assert await world.column(waits) == ["process_ai_response"]


async def test_what_is_fetched_from_twilios_log_during_a_pause(tmp_path: Path) -> None:
    """Catch-up goes on; what it brings waits like the rest."""
    model = FakeAi()
    async with shop(tmp_path, model) as world:
        await change(world, begin("box"))
        await world.stop()
        await world.twilio.receive(CUSTOMER, SMS, "um", deliver=False)
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(60, nothing)
        await world.start()
        await world.settle()
        assert (await world.dispositions(), world.sent()) == (["live"], [])
        await change(world, over("box"))

        assert world.sent() == ["You asked: um"]


async def until_quiet(world: World) -> None:
    """Until nothing more happens, or the process is as good as dead."""
    writer = world.appliance.store._writer
    settling = asyncio.create_task(world.settle())
    while not settling.done() and writer.broken is None:
        await asyncio.sleep(0.002)
    settling.cancel()
    await asyncio.wait([settling])


def die_after(world: World, units: int) -> None:
    """Nothing is written any more after so many units of work."""
    store, left = world.appliance.store, itertools.count(units, -1)
    whole = store.write

    async def write(unit: Callable[[Tx], Any]) -> Any:
        done = await whole(unit)
        if next(left) == 1:
            store._writer.broken = StorageBrokenError("killed")
        return done

    next(left)
    store.write = write  # type: ignore[method-assign]


@pytest.mark.parametrize("scope", ["organization", "conversation"])
@pytest.mark.parametrize("start", range(1, 14, 4))
async def test_a_death_at_each_commit(tmp_path: Path, scope: str, start: int) -> None:
    """A message, a draft that Twilio does not take, a pause, another message, the end of it: whenever the process dies,
    and whoever presses again, both are answered once and nothing was said during the pause.
    """
    for units in range(start, start + 4):
        model = FakeAi()
        async with shop(tmp_path / str(units), model) as world:
            await world.appliance.store.write(lambda tx: tx.contacts.ensure(1, CUSTOMER))
            world.twilio.faults.add(BUSY)
            die_after(world, units)

            async def press(unit: Callable[[Tx], object], world: World = world) -> None:
                try:
                    await world.appliance.store.write(unit)
                except StorageBrokenError:
                    await revive(world)
                    await world.appliance.store.write(unit)
                world.appliance.engine.bell.ring()
                await until_quiet(world)
                await revive(world)

            async def hear(body: str, world: World = world) -> None:
                sid, status = await world.twilio.receive(CUSTOMER, SMS, body)
                await until_quiet(world)
                await revive(world)
                if status != 200:
                    await world.say(body, sid=sid)
                    await world.settle()

            await hear("um")
            await press(begin(scope))
            world.twilio.faults.clear()
            await sleep(world, 3)
            await hear("dois")
            await sleep(world, 3)
            assert world.sent() == [], units
            assert await problems(world) == [], units
            await press(over(scope))
            await sleep(world, 3)

            asked = [each for body in world.sent() for each in body.removeprefix("You asked: ").split(" | ")]
            assert sorted(asked) == ["dois", "um"], units  # a draft that died while it was sent is an answer of its own
            assert await world.dispositions() == ["answered"] * 2, units
            assert await problems(world) == [] and await world.cards() == [], units


async def revive(world: World) -> None:
    """Where it died it starts again."""
    if world.appliance.store._writer.broken is not None:
        await world.crash()
        await world.start()
        await world.settle()
