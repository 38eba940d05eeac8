"""A reply whose delivery Twilio never reported is asked for once, some hours later."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from multidict import MultiDict

from appliance.config import Config, Twilio
from appliance.model import HOUR, MINUTE, SECOND, JobKind
from appliance.ports import LogUnavailableError
from appliance.queue.schedule import intervals
from appliance.simulator import Fault
from appliance.store import Tx
from appliance.store.box import Fact
from tests.support.world import CUSTOMER, SMS, ManualClock, World

QUESTION = "Qual o horário?"
ANSWER = "Abrimos das 7h às 19h."
UNKNOWN = "SM" + "0" * 32


@pytest.fixture
async def unheard(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose time is moved by hand and whose Twilio never calls back."""
    async with World(tmp_path, clock=ManualClock()) as world:
        await world.teach("Horário", ANSWER)
        world.twilio.faults.add(Fault("callback", "lost", times=None))
        yield world


async def _later(world: World, hours: float) -> None:
    """Time passes, and the job runs at its end."""

    async def nothing() -> None: ...

    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(hours * HOUR / SECOND, nothing)
    await _follow_up(world)


async def _follow_up(world: World) -> None:
    await world.appliance.engine.schedule.tick(JobKind.FOLLOW_UP)
    await world.settle()


async def _answer(world: World) -> None:
    await world.say(QUESTION)
    await world.settle()


async def _states(world: World) -> list[str]:
    return await world.column("SELECT state FROM outbox ORDER BY id")


async def _followed_up_to(world: World) -> list[str]:
    return await world.column("SELECT value FROM box WHERE key = ?", Fact.FOLLOWED_UP_TO)


def _asked(world: World) -> list[str]:
    """Grows by one with each message that is fetched from the simulator by its sid."""
    requests: list[str] = []
    take = world.twilio.faults.take

    def counted(on: str, *addresses: str) -> Fault | None:
        requests.extend([on] if on == "fetch" else [])
        return take(on, *addresses)

    world.twilio.faults.take = counted  # type: ignore[method-assign]  # it sees every request
    return requests


async def _sent(world: World, count: int, hours_ago: float, sid: str = UNKNOWN) -> None:
    """So many rows that Twilio took some hours ago."""

    def insert(tx: Tx) -> None:
        contact = tx.contacts.ensure(1, CUSTOMER)
        for _ in range(count):
            row = tx.outbox.insert(organization_id=1, channel_id=1, contact_id=contact.id, kind="manual", body="Oi")
            tx.outbox.update(row, state="sent", sid=sid, status="queued", sent_at=tx.now - int(hours_ago * HOUR))

    await world.appliance.store.write(insert)


async def test_a_delivery_that_was_never_reported_is_learnt(unheard: World) -> None:
    """Not before four hours have passed, then with one request."""
    requests = _asked(unheard)
    await _answer(unheard)
    await _later(unheard, 3.9)
    assert (await _states(unheard), requests) == (["sent"], [])

    await _later(unheard, 0.2)
    await _later(unheard, 1)

    assert (await _states(unheard), requests) == (["delivered"], ["fetch"])
    assert await unheard.cards() == []


async def test_an_answer_that_did_not_arrive_opens_its_card(unheard: World) -> None:
    """The callback that said `undelivered` was lost: the owner learns of it all the same."""
    unheard.twilio.faults.add(Fault("delivery", "undelivered", code=30003))
    await _answer(unheard)
    assert await unheard.cards() == []

    await _later(unheard, 4.5)

    assert await unheard.rows("SELECT state, status, error_code FROM outbox") == [
        {"state": "failed", "status": "undelivered", "error_code": 30003}
    ]
    assert await unheard.cards() == ["undelivered"]


@pytest.mark.parametrize("gone", [False, True])
async def test_what_stays_sent_for_ever_is_asked_for_once(unheard: World, *, gone: bool) -> None:
    """A customer who blocked us, and a message that was deleted at Twilio: whatever it says, nobody asks again."""
    requests = _asked(unheard)
    unheard.twilio.faults.add(Fault("delivery", "stuck"))
    await _answer(unheard)
    if gone:
        await unheard.appliance.store.write(lambda tx: tx.outbox.update(1, sid=UNKNOWN))

    for _ in range(3):
        await _later(unheard, 5)

    assert (await _states(unheard), requests) == (["sent"], ["fetch"])
    assert await _followed_up_to(unheard) == ["1"]


async def test_a_log_that_cannot_be_read_is_asked_again(unheard: World) -> None:
    """The job waits half a minute, loses no attempt, and goes on where it was."""
    unheard.twilio.faults.add(Fault("fetch", "error", times=None))
    await _answer(unheard)
    await _later(unheard, 4.5)
    assert await _states(unheard) == ["sent"]
    assert await unheard.rows("SELECT status, attempts FROM message_queue WHERE kind = ?", JobKind.FOLLOW_UP) == [
        {"status": "ready", "attempts": 0}
    ]

    unheard.twilio.faults.clear()
    assert isinstance(unheard.clock, ManualClock)
    await unheard.clock.advance(MINUTE / SECOND, unheard.settle)

    assert await _states(unheard) == ["delivered"]


async def test_nothing_behind_a_row_in_doubt_is_asked_for(unheard: World) -> None:
    """A row that is not settled may still be sent: the walk waits for it."""
    requests = _asked(unheard)
    await _sent(unheard, 3, 5)

    def change(tx: Tx) -> None:
        tx.outbox.update(1, state="delivered")
        tx.outbox.update(2, state="doubt", sid=None, sending_at=tx.now)

    await unheard.appliance.store.write(change)
    await _follow_up(unheard)
    assert (requests, await _followed_up_to(unheard)) == ([], ["1"])

    await unheard.appliance.store.write(lambda tx: tx.outbox.update(2, state="parked"))
    await _follow_up(unheard)
    assert (requests, await _followed_up_to(unheard)) == (["fetch"], ["3"])


async def test_a_run_asks_at_most_a_hundred_times(unheard: World) -> None:
    """A hundred and fifty rows take two runs."""
    requests = _asked(unheard)
    await _sent(unheard, 150, 5)

    counts = []
    for _ in range(3):
        await _follow_up(unheard)
        counts.append(len(requests))

    assert counts == [100, 150, 150]


async def test_what_was_called_back_is_not_asked_for(tmp_path: Path) -> None:
    """Where every callback comes, following up costs no request."""
    async with World(tmp_path, clock=ManualClock()) as world:
        requests = _asked(world)
        await world.teach("Horário", ANSWER)
        for _ in range(3):
            await _answer(world)

        await _later(world, 5)

        assert (set(await _states(world)), requests) == ({"delivered"}, [])
        assert await _followed_up_to(world) == ["3"]


async def test_old_history_is_passed_over(unheard: World) -> None:
    """A box that never followed up asks for a week, not for its whole past."""
    requests = _asked(unheard)
    await _sent(unheard, 250, 7 * 24 + 1)
    await _sent(unheard, 2, 7 * 24 - 1)

    await _follow_up(unheard)

    assert requests == ["fetch"] * 2
    assert await _followed_up_to(unheard) == ["252"]


async def test_a_time_of_a_clock_that_ran_ahead_holds_nobody_up(unheard: World) -> None:
    """Sent a year from now: it is asked for like any other."""
    requests = _asked(unheard)
    await _sent(unheard, 1, -365 * 24)
    await _sent(unheard, 1, 5)

    await _follow_up(unheard)

    assert requests == ["fetch"] * 2


async def test_one_message_is_read_from_the_log(unheard: World) -> None:
    """As it stands now; None for a sid Twilio does not know; without a connection nothing is concluded."""
    entry = unheard.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": "Olá!"}))
    log = unheard.log

    found = await log.message(entry.sid)
    assert found is not None
    assert (found.sid, found.body, found.status, found.error_code) == (entry.sid, "Olá!", "queued", None)
    assert await log.message(UNKNOWN) is None
    await unheard.twilio_line.cut()
    with pytest.raises(LogUnavailableError):
        await log.message(entry.sid)
    await unheard.twilio_line.mend()


def test_the_switch_of_catch_up_turns_it_off() -> None:
    """Whoever keeps the appliance from reading Twilio's log does so altogether."""
    assert intervals(Config())[JobKind.FOLLOW_UP] == HOUR / SECOND
    assert JobKind.FOLLOW_UP not in intervals(Config(twilio=Twilio(catch_up_every=0)))
