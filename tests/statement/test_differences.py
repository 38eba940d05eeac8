"""What differs between Twilio's log and our books: each difference is named once, with its card, and goes away."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from appliance.model import HOUR, MINUTE, SECOND
from appliance.simulator.lag import by_filter
from appliance.store.statements import Difference
from tests.statement.scene import NOON, compared, differences, hours, kinds, pass_, shop, statements, talk
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with shop(tmp_path) as world:
        yield world


def _vanish(world: World, sid: str) -> None:
    """Somebody deletes it at Twilio."""
    entry = world.twilio.ledger.get(sid)
    assert entry is not None
    world.twilio.ledger.erase(msgspec.structs.replace(entry, deleted=True, sender="", recipient="", body=""))


async def test_a_calm_day(world: World) -> None:
    """As many there as here, each settled; nothing is named, however often it is compared."""
    await talk(world, 3)
    await world.say("Horário?", f"whatsapp:{CUSTOMER}", WHATSAPP)
    await hours(world, 3)

    found = (await statements(world))[0]
    assert (found.account, found.day, found.there, found.here) == ("main", "2027-01-15", 8, 8)
    assert found.settled == {"received": 4, "sent": 4}
    assert found.compared_to == world.appliance.clock.now() - 3 * MINUTE
    assert await differences(world) == []
    assert await world.cards() == []


async def test_a_reply_from_the_console(tmp_path: Path) -> None:
    """Named once, with one card for the day that counts; put away it stays away, until somebody writes another one."""
    async with shop(tmp_path) as world:
        await _a_reply_from_the_console(world)


async def _a_reply_from_the_console(world: World) -> None:
    await talk(world)
    for body in ("Oi, aqui é a Marta.", "Já separei o pão."):
        world.twilio.schedule(SMS, CUSTOMER, body, created=NOON, sent=world.appliance.clock.now())
    await hours(world, 3)

    assert await kinds(world) == [Difference.ELSEWHERE] * 2
    assert (await statements(world))[0].settled == {"received": 2, "sent": 2, "elsewhere": 2}
    cards = await world.opened_cards()
    assert [(card["kind"], card["subject"], card["times"]) for card in cards] == [
        ("statement", "statement:1:2027-01-15:elsewhere", 2)
    ]
    assert await world.told() == [
        "Sent from Twilio's console or another tool. "
        "In Twilio's log of 15 Jan, messages to your customers that were not sent from here: 2."
    ]
    await world.appliance.store.write(lambda tx: tx.cards.dismiss(cards[0]["id"], "Marta did"))
    await hours(world, 2)
    assert await world.cards() == []


async def test_deleted_at_twilio_by_somebody(world: World) -> None:
    """A customer's message and one of ours, each under its own name; where Twilio shows them again it is settled."""
    sids = await talk(world)
    answer = (await world.column("SELECT sid FROM outbox ORDER BY id"))[0]
    kept = [world.twilio.ledger.get(sid) for sid in (sids[0], answer)]
    _vanish(world, sids[0])
    _vanish(world, answer)
    await hours(world, 2)

    assert await kinds(world) == [Difference.DELETED, Difference.NOT_THERE]
    assert [(row["sid"], row["contact_id"]) for row in await differences(world)] == [(sids[0], 1), (answer, 1)]
    found = (await statements(world))[0]
    assert (found.there, found.here) == (2, 4)
    assert sorted(await world.cards()) == ["statement", "statement"]
    for entry in kept:
        assert entry is not None
        world.twilio.ledger.record(entry)
    await hours(world, 1)
    assert await world.column("SELECT settled_at IS NOT NULL FROM differences") == [1, 1]
    assert await world.cards() == []


async def test_what_catch_up_passed_is_named_and_fetched(world: World) -> None:
    """A webhook is lost and the list shows the message after catch-up has passed it: nobody else would ever know."""
    await talk(world)
    world.twilio.lag = by_filter(recipient=40 * 60.0)
    await world.twilio.receive(CUSTOMER, SMS, "Tem bolo?", deliver=False)
    for _ in range(7):
        await compared(world, 5 * MINUTE)
    assert await kinds(world) == []
    world.twilio.lag = None
    await compared(world, MINUTE)

    assert [(row["kind"], row["settled_at"]) for row in await differences(world)] == [("missing_here", None)]
    assert (await statements(world))[0].settled == {"received": 2, "sent": 2, "missing_here": 1}
    assert await world.column("SELECT body FROM messages ORDER BY id DESC LIMIT 1") == ["Tem bolo?"]
    await compared(world)
    assert await world.column("SELECT settled_at IS NOT NULL FROM differences") == [1]
    assert "statement" not in await world.cards()


async def test_a_clock_that_was_wrong(tmp_path: Path) -> None:
    """What was stored with another day's time is one difference, and not one for each message; nothing is missing."""
    clock = ManualClock(NOON)
    async with World(tmp_path, clock=clock) as world:
        world.twilio.now = clock.true
        world.twilio.delivery._now = clock.true
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await hours(world, 1)
        clock.jump(26 * HOUR / SECOND)
        await pass_(world, MINUTE)
        await talk(world, 3)
        clock.jump(-26 * HOUR / SECOND)
        await pass_(world, MINUTE)
        await talk(world, 1)
        await hours(world, 3)

        assert await kinds(world) == [Difference.CLOCK]
        found = (await statements(world))[0]
        assert (found.day, found.there, found.here, found.settled) == ("2027-01-15", 8, 8, {"received": 4, "sent": 4})
        assert [card["times"] for card in await world.opened_cards() if card["kind"] == "statement"] == [1]
