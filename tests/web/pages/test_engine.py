"""The engine room: every part, what was given up, what belongs to nobody; and the report, in which nobody is named."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.links import link
from appliance.model import JobKind
from appliance.operations.status import messages
from appliance.ports import Permanent
from appliance.store import Store
from appliance.store.cards import BOX, CardKind
from appliance.web.pages.books import Books
from appliance.wire import Fault, Trouble
from tests.support.shop import Moody
from tests.support.visitor import Visitor
from tests.support.world import API_KEY, CUSTOMER, SMS, TOKEN, ManualClock, World

NAME = "Beatriz Nogueira"
WORDS = "quanto custa o bolo de fubá"
NOBODYS = "+551155550199"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A shop that reads English, whose responder fails."""
    async with World(tmp_path, language="en", responder=Moody(fault=Permanent("wrong key"))) as running:
        yield running


async def given_up(world: World) -> None:
    """A customer without an answer, one more letter, and two messages to a number that is nobody's."""
    await world.say(WORDS, extra={"ProfileName": NAME})
    for number in range(2):
        await world.twilio.receive(f"+551199999000{number}", NOBODYS, WORDS)
    await world.settle()
    await world.appliance.store.write(
        lambda tx: tx.jobs.bury(JobKind.SEND, "a lane", f"Twilio refuses {CUSTOMER} {TOKEN}", None, outbox=1)
    )


async def test_every_part_is_told(world: World) -> None:
    """Account with its numbers and link, address, model, database, backup, disk, clock, memory; work by state."""
    await given_up(world)
    links = world.appliance.engine.adapters.links
    async with Visitor(world) as visitor:
        shown = await visitor.get("/engine")
        links.get(link.of_account("main")).heard(Trouble(Fault.CREDENTIALS, "20003"), world.appliance.clock.now())
        ill = await visitor.get("/engine")

    for name in ("Twilio", "Public address", "AI", "Database", "Backup", "Disk", "Clock", "Memory"):
        assert f"<h3>{name}</h3>" in shown, name
    assert "+55 11 4000-0000" in shown and "last call" in shown and world.address in shown
    assert re.search(r'id="jobs-dead"><dt>gave up</dt><dd class="bad">2<', shown)
    assert "refuses since" in ill and "refuses since" not in shown


async def test_no_customer_is_named_in_full(world: World) -> None:
    """Neither number nor name nor words: whoever looks after the box needs none of them. Our own numbers are shown, and
    how to make one ours.
    """
    await given_up(world)
    async with Visitor(world) as visitor:
        shown = await visitor.get("/engine")

    assert "…7777" in shown and "appliance channel add +551155550199" in shown and "+55 11 5555-0199" in shown
    for secret in (CUSTOMER[1:], NAME, WORDS, "+5511999990000"):
        assert secret not in shown.replace(f"Twilio refuses {CUSTOMER} {TOKEN}", ""), secret


async def test_letters_are_tried_again_and_discarded(world: World) -> None:
    """One by one, or all; what cannot be tried says so on the page."""
    await given_up(world)
    moody = world.responder
    assert isinstance(moody, Moody)
    moody.works = True
    async with Visitor(world) as visitor:
        first, second = sorted(await world.column("SELECT id FROM message_queue WHERE status = 'dead'"))
        assert await visitor.post(f"/dead-letters/{second}/discard", back="/engine") == "/engine"
        assert await visitor.post("/engine/dead-letters/retry") == "/engine"
        await world.settle()
        shown = await visitor.get("/engine")
        refused = await visitor.post(f"/dead-letters/{first}/retry", 409, back="/engine")

    assert "Nothing has been given up." in shown
    assert "This is no dead letter (any more)." in refused
    assert world.sent()[-1] == f"Respondido: {WORDS}"


async def test_the_accounts_are_counted_aside(world: World) -> None:
    """The first look has them counted, however long that takes; then they stand there with their time, and whoever has
    the page open is told.
    """
    await given_up(world)
    async with Visitor(world) as visitor, visitor.http.get(f"{visitor.address}/events") as events:
        first = await visitor.get("/engine")
        await events.content.readuntil(b"changed")
        shown = await visitor.get("/engine")

    counted = await world.appliance.store.read(messages)
    assert ("being counted…" in first) != ("counted at" in first)
    assert f"{counted['received']} received = 0 answered + " in shown and "counted at" in shown


async def test_the_report_names_nobody_and_no_secret(world: World) -> None:
    """Version, configuration, status, cards and letters as text: no words, no name, no full number, no token, no key."""
    await given_up(world)
    await world.appliance.store.write(
        lambda tx: tx.cards.open(CardKind.LOG, BOX, None, said=f"{TOKEN} {CUSTOMER}\nAuthorization: Basic")
    )
    async with Visitor(world) as visitor:
        await visitor.post("/go-live/check")
        async with visitor.http.get(f"{visitor.address}/engine/report") as response:
            text = await response.text()
            assert response.headers["Content-Disposition"] == 'attachment; filename="appliance-report.txt"'
            assert response.content_type == "text/plain"

    for secret in (CUSTOMER[1:], NAME, WORDS, TOKEN, API_KEY, NOBODYS, SMS, "+551199999000"):
        assert secret not in text, secret
    for told in ("appliance ", "[twilio]", '"verdict"', "could_not_answer", "send_reply", "…7777", "way_in", "SQLite"):
        assert told in text, told
    assert "\\nAuthorization" in text


async def test_they_are_counted_at_most_every_ten_minutes(tmp_path: Path) -> None:
    """However many look, one at a time."""
    clock = ManualClock()
    store = await Store.open(tmp_path, clock)
    told: list[int] = []
    books = Books(store, lambda: told.append(1))
    try:
        for minutes, counts in ((0, 1), (0, 1), (9, 1), (1, 2)):
            clock.jump(minutes * 60)
            books.look(clock.now())
            books.look(clock.now())
            while books._counting is not None and not books._counting.done():
                await asyncio.sleep(0.001)
            assert len(told) == counts
    finally:
        await books.stop()
        await store.close()
