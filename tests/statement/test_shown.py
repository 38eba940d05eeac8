"""The statement as it is read: home, engine room, API and command line."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.model import MINUTE
from appliance.statement.conclusion import TOO_MANY
from appliance.store.statements import Statement
from tests.statement.scene import NOON, compared, pass_
from tests.support.api_client import api_of
from tests.support.command_line import CommandLine, surroundings, write_config
from tests.support.visitor import Visitor
from tests.support.world import CUSTOMER, SMS, ManualClock, World

DAY = "2027-01-15"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A shop that reads English; one customer was answered."""
    async with World(tmp_path, clock=ManualClock(NOON), language="en") as world:
        await pass_(world, 5 * MINUTE)
        await world.say("Open?")
        await world.settle()
        yield world


def _from_elsewhere(world: World) -> str:
    entry = world.twilio.schedule(SMS, CUSTOMER, "Marta here.", created=NOON, sent=world.appliance.clock.now())
    return entry.sid


async def test_home_says_it_in_one_sentence(world: World) -> None:
    """Nothing before anything was compared; then that nothing is missing, and what was sent from elsewhere."""
    async with Visitor(world) as visitor:
        before = await visitor.get("/")
        await compared(world)
        calm = await visitor.get("/")
        _from_elsewhere(world)
        await compared(world)
        after = await visitor.get("/")

    assert "Compared with Twilio" not in before
    assert "Compared with Twilio at 12:15: nothing is missing." in calm
    assert "Compared with Twilio at 12:25: nothing is missing; 1 message was sent from elsewhere." in after
    assert "Sent from Twilio&#39;s console or another tool" in after and 'href="/engine"' in after


async def test_the_engine_room_has_the_days(world: World) -> None:
    """So many there, so many here, as what; each difference that is open, with the customer's number masked."""
    sid = _from_elsewhere(world)
    async with Visitor(world) as visitor:
        before = await visitor.get("/engine")
        await compared(world)
        shown = await visitor.get("/engine")

    assert "Nothing was compared yet" in before
    row = shown.partition(f'id="statement-{DAY}-main"')[2].partition("</tr>")[0]
    assert '<td class="num">3</td><td class="num">2</td>' in row
    assert "1 from customers, 1 from here, 1 sent from Twilio’s console or another tool" in row
    assert f"…7777 <code>{sid}</code>" in shown and CUSTOMER not in shown.partition('id="statement"')[2]


async def test_too_much_is_said(world: World) -> None:
    """Where there is more than can be read nothing is counted, and nothing said to be missing."""
    row = Statement(1, "main", DAY, NOON, NOON, 0, 0, {TOO_MANY: 1})
    await world.appliance.store.write(lambda tx: tx.statements.put(row))
    async with Visitor(world) as visitor:
        assert "Too many messages at Twilio to compare at 12:00." in await visitor.get("/")
        assert "More messages than can be compared." in await visitor.get("/engine")


async def test_the_api_tells_one_day_or_the_last_seven(world: World) -> None:
    """With what differs; a day without a statement is empty, and what is no day is refused."""
    sid = _from_elsewhere(world)
    await compared(world)
    async with api_of(world) as api:
        found = (await api.get("statement"))["statements"]
        of_day = (await api.get(f"statement?day={DAY}&organization=1"))["statements"]
        other = (await api.get("statement?day=2027-01-01"))["statements"]
        status, refused = await api.call("GET", "statement?day=today")

    assert found == of_day
    assert (found[0]["there"], found[0]["here"], found[0]["settled"]) == (
        3,
        2,
        {"received": 1, "sent": 1, "elsewhere": 1},
    )
    assert [(each["sid"], each["who"], each["is_open"]) for each in found[0]["differences"]] == [(sid, "…7777", True)]
    assert other == []
    assert (status, refused["error"]["code"], refused["error"]["field"]) == (400, "day", "day")


async def test_the_command_line_shows_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readable in a terminal; exit status 1 while a difference is open, 0 once it was put away."""
    cli = CommandLine(write_config(world.directory / "config.toml", world.config))
    with surroundings(monkeypatch, world.directory):
        nothing = await cli("statement")
        sid = _from_elsewhere(world)
        await compared(world)
        shown = await cli("statement", "--day", DAY)
        card = (await world.column("SELECT id FROM cards WHERE kind = 'statement'"))[0]
        await world.appliance.store.write(lambda tx: tx.cards.dismiss(card, "Marta"))
        after = await cli("statement")
        wrong = await cli("statement", "--day", "15/01")

    assert (nothing.exit_code, nothing.output) == (0, "Nothing was compared with Twilio's log yet.\n")
    assert shown.exit_code == 1
    assert "Compared with Twilio's log at 2027-01-15" in shown.output
    assert f"{DAY}  main     3      2     1 from customers, 1 from here, 1 sent from" in shown.output
    assert f"{DAY}  sent from Twilio's console or another tool: …7777 {sid}" in shown.output
    assert after.exit_code == 0 and f"{sid} (put away)" in after.output
    assert (wrong.exit_code, wrong.output) == (2, "A day looks like 2026-11-30.\n")
