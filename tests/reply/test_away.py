"""Closed: what is known is answered, of the rest it is said once that we are closed, and a person is due at opening."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.model import HOUR, MINUTE, SECOND, JobKind, TextKey, Week
from appliance.operations import texts
from appliance.ports import Dialogue, Reply
from appliance.queue.schedule import enqueue_tick
from appliance.simulator import Fault
from appliance.texts import TEXTS
from tests.support.world import CUSTOMER, ManualClock, World

WEEKDAYS: Week = (*[(("08:00", "18:00"),)] * 5, (), ())
ENGLISH = TEXTS["en"]
AWAY = ENGLISH[TextKey.AWAY]
HANDOFF = ENGLISH[TextKey.HANDOFF].removesuffix(" {contact}")
UNKNOWN = ("Do you repair umbrellas?", "Do you sell saddles?", "Have you got violin strings?")
KNOWN, ANSWER = "When do you bake the bread?", "We bake the bread at six."


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Sao_Paulo")).timestamp()) * SECOND


BUSY = Fault("create", "error", status=429, code=20429, retry_after=30, times=None)  # nothing is taken
FRIDAY, MONDAY = at("2027-01-15T19:00"), at("2027-01-18T08:00")


def open_shop(directory: Path, now: int) -> World:
    """Not entered yet."""
    at_once = {"reply_delay": 0, "reply_delay_max": 0, "human_for": 12 * HOUR}
    return World(directory, clock=ManualClock(now), language="en", conversations=at_once)


@asynccontextmanager
async def on_friday_evening(directory: Path) -> AsyncIterator[World]:
    """A shop that is open on weekdays."""
    async with open_shop(directory, FRIDAY) as world:
        await world.teach("Bread", ANSWER)
        await keep(world, WEEKDAYS)
        yield world


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[World]:
    async with on_friday_evening(tmp_path) as world:
        yield world


async def keep(world: World, week: Week) -> None:
    text = str([list(map(list, day)) for day in week]).replace("'", '"')
    await world.appliance.store.write(lambda tx: tx.organizations.update(1, hours=text))


async def ask(world: World, *questions: str) -> list[str]:
    """What was said in answer to these, one after the other."""
    before = len(world.sent())
    for question in questions:
        await world.say(question)
        await world.settle()
    return world.sent()[before:]


async def wait_until(world: World, moment: int) -> None:
    async def nothing() -> None: ...

    assert isinstance(world.clock, ManualClock)
    await world.clock.advance((moment - world.clock.now()) / SECOND, nothing)
    await world.clock.advance(20, world.settle)
    await world.appliance.store.write(lambda tx: enqueue_tick(tx, JobKind.HAND_BACK))
    world.appliance.engine.bell.ring()
    await world.settle()


async def handover(world: World) -> list[object]:
    rows = await world.rows("SELECT handover, due_at FROM contacts")
    return [*rows[0].values()]


async def test_said_once_in_a_closing(tmp_path: Path) -> None:
    """The first unknown question; those that follow wait without a word, for a person who is due at opening."""
    async with on_friday_evening(tmp_path) as world:
        assert await ask(world, *UNKNOWN) == [AWAY]

        assert await handover(world) == ["unknown", MONDAY]
        assert await world.column("SELECT suppressed FROM messages ORDER BY id") == [None, "promised", "promised"]
        assert (await world.told())[0].startswith("…7777 waits until you open. The customer wrote again, and was told")
        assert "(18 Jan 11:00)" in (await world.told())[0]  # UTC


async def test_what_is_known_is_answered(closed: World) -> None:
    """Before and after the customer was told; so is a greeting."""
    assert await ask(closed, KNOWN, UNKNOWN[0], KNOWN, UNKNOWN[1]) == [ANSWER, AWAY, ANSWER]


async def test_a_menu_still_helps(closed: World) -> None:
    """Where a topic is likely its title is offered, closed or not."""
    await closed.teach("Opening hours on holidays", "Closed on Christmas Day.")
    await closed.teach("Bread without gluten", "On Tuesdays.")
    await keep(closed, ())
    when_open = await ask(closed, "bread?", "something with gluten perhaps")
    await keep(closed, WEEKDAYS)

    assert await ask(closed, "bread?", "something with gluten perhaps") == when_open
    assert AWAY not in when_open


async def test_a_person_is_asked_for(closed: World) -> None:
    """It is said that we are closed; after that there is silence, and the reminder comes at opening, not in an hour."""
    assert await ask(closed, "AGENT", KNOWN, "AGENT") == [AWAY]

    assert await handover(closed) == ["asked", MONDAY]
    assert await closed.column("SELECT suppressed FROM messages ORDER BY id") == [None, *["a person is in charge"] * 2]
    assert await closed.column("SELECT status FROM conversations") == ["human"]
    await wait_until(closed, MONDAY - MINUTE)
    assert await closed.column("SELECT reminders FROM cards WHERE kind = 'waiting'") == [0]
    await wait_until(closed, MONDAY)
    assert await closed.column("SELECT reminders FROM cards WHERE kind = 'waiting'") == [1]
    assert (await closed.told())[0].startswith("…7777 has waited until you opened.")


async def test_it_opens_before_it_could_be_said(tmp_path: Path) -> None:
    """Twilio took nothing from before eight until after: that we are closed is not said at five past, but the promise."""
    async with open_shop(tmp_path, MONDAY - MINUTE) as world:
        await keep(world, WEEKDAYS)
        world.twilio.faults.add(BUSY)
        assert await ask(world, "AGENT") == []
        assert await world.column("SELECT kind FROM outbox") == [TextKey.AWAY]
        await wait_until(world, MONDAY + 5 * MINUTE)
        world.twilio.faults.clear()
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(60, world.settle)

        assert [text.removesuffix(" ") for text in world.sent()] == [HANDOFF]
        assert await handover(world) == ["asked", MONDAY]
        assert await world.cards() == ["waiting"]


async def test_a_person_is_asked_for_when_it_was_said_already(closed: World) -> None:
    """No second text; the promise becomes one of a person."""
    assert await ask(closed, UNKNOWN[0], "AGENT", KNOWN) == [AWAY]

    assert await handover(closed) == ["asked", MONDAY]


async def test_the_promise_lasts_until_opening(closed: World) -> None:
    """However long it is closed: human_for counts from the moment at which the person is due."""
    await ask(closed, UNKNOWN[0], UNKNOWN[1])

    await wait_until(closed, MONDAY + 11 * HOUR)
    assert await handover(closed) == ["unknown", MONDAY]
    assert "too_late" not in await closed.cards()
    await wait_until(closed, MONDAY + 13 * HOUR)

    assert await handover(closed) == [None, None]
    assert "waiting" in await closed.cards()


async def test_the_next_closing_has_its_own(closed: World) -> None:
    """After opening the normal rules hold; when it closes again it is said again."""
    await ask(closed, UNKNOWN[0])
    await wait_until(closed, MONDAY + 26 * HOUR)  # Tuesday, 10:00

    assert await ask(closed, UNKNOWN[1]) == [ENGLISH[TextKey.DONT_KNOW]]
    await wait_until(closed, MONDAY + 35 * HOUR)
    assert await ask(closed, *UNKNOWN) == [AWAY]
    assert (await handover(closed))[1] == MONDAY + 48 * HOUR


async def test_who_was_promised_a_person_by_day_is_told_once_too(closed: World) -> None:
    """In the evening of the same day, and is due at opening from then on."""
    await keep(closed, ())
    assert await ask(closed, *UNKNOWN) == [*[ENGLISH[TextKey.DONT_KNOW]] * 2, HANDOFF]
    assert await handover(closed) == ["unknown", None]
    await keep(closed, WEEKDAYS)

    assert await ask(closed, "Do you mend shoes?", "Do you mend hats?") == [AWAY]
    assert await handover(closed) == ["unknown", MONDAY]


async def test_whoever_is_with_a_person_is_told_nothing(closed: World) -> None:
    """A conversation in human hands stays silent, closed or not."""
    await keep(closed, ())
    await ask(closed, "AGENT")
    await keep(closed, WEEKDAYS)

    assert await ask(closed, *UNKNOWN, "AGENT") == []


async def test_open_hours_change_nothing(tmp_path: Path) -> None:
    """On a Friday at noon."""
    async with open_shop(tmp_path, FRIDAY - 7 * HOUR) as world:
        await keep(world, WEEKDAYS)
        assert await ask(world, UNKNOWN[0], "AGENT") == [ENGLISH[TextKey.DONT_KNOW], HANDOFF]
        assert await handover(world) == ["asked", None]


async def test_its_own_words(closed: World) -> None:
    """The organization's wording is used here and everywhere, until it is reset; another language's is not."""

    def change(tx):  # type: ignore[no-untyped-def]
        organization = tx.organizations.get(1)
        texts.put(tx, organization, "en", "away", "{organization} sleeps.\nTill tomorrow! {contact}")
        texts.put(tx, organization, "en", "greeting", "Hi, {organization} here.")
        texts.put(tx, organization, "es", "away", "Cerrado.")

    await closed.appliance.store.write(change)

    assert await ask(closed, "hello") == ["Hi, Padaria Aurora here."]
    assert await ask(closed, "hello") == []  # it knows its own greeting again
    assert await ask(closed, UNKNOWN[0]) == ["Padaria Aurora sleeps.\nTill tomorrow!"]

    def reset(tx):  # type: ignore[no-untyped-def]
        texts.reset(tx, tx.organizations.get(1), "en", "away")

    await closed.appliance.store.write(reset)
    await closed.say(UNKNOWN[0], "+5511955554444")
    await closed.settle()
    assert closed.sent("+5511955554444") == [AWAY]
    assert closed.sent(CUSTOMER)


class WantsAPerson:
    """A responder that has no answer, as a model says it."""

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        return Reply("small", key=TextKey.HANDOFF)

    async def close(self) -> None: ...


async def test_a_model_that_wants_a_person(tmp_path: Path) -> None:
    """It is heard while closed too; where it hands over the customer is told that we are closed, once."""
    async with World(
        tmp_path,
        clock=ManualClock(FRIDAY),
        responder=WantsAPerson(),
        language="en",
        conversations={"reply_delay": 0, "reply_delay_max": 0},
    ) as world:
        await keep(world, WEEKDAYS)
        assert await ask(world, *UNKNOWN) == [AWAY]
        assert await handover(world) == ["asked", MONDAY]
