"""Pages that are open: what reaches them, how often, and that a hidden one costs nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import pytest

from appliance.operations import users
from appliance.operations.organizations import Registration, register_organization
from appliance.store import Tx
from tests.support.browsing import CHROMIUM, Look, chromium, window
from tests.support.visitor import Visitor
from tests.support.world import SMS, World

THEIRS = "+551140000009"
BURST = 100
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: sudo apt install chromium")
HIDE = """
let hidden = false;
Object.defineProperty(document, "hidden", {get: () => hidden});
window.hide = is => { hidden = is; document.dispatchEvent(new Event("visibilitychange")); };
"""


async def lines(heard: aiohttp.ClientResponse, found: list[str]) -> None:
    """What comes, as it comes."""
    while line := await heard.content.readline():
        found.append(line.decode().strip())


async def test_a_burst_is_two_events_a_second_without_a_word(world: World) -> None:
    """A hundred messages at once; nothing but "changed" and comments comes through."""
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    found: list[str] = []
    async with Visitor(world) as visitor, visitor.http.get(f"{visitor.address}/events") as heard:
        reading = asyncio.create_task(lines(heard, found))
        began = time.monotonic()
        for number in range(BURST):
            await world.say(f"Qual o horário? {number}", f"+551198888{number:04}")
        await world.settle()
        await asyncio.sleep(1)
        took = time.monotonic() - began
        reading.cancel()

    events = [line for line in found if line.startswith("event")]
    assert set(found) <= {"event: changed", "data:", "", "retry: 3000"} | {line for line in found if line[:1] == ":"}
    assert 1 <= len(events) <= 2 * took + 1
    print(f"{BURST} messages in {took:.1f} s: {len(events)} events")


async def test_an_event_is_for_its_organization(world: World) -> None:
    """Of two open pages one hears what happened to its customers, the other nothing."""

    def second(tx: Tx) -> None:
        other = register_organization(tx, Registration("Florista", [THEIRS], "f@example.com"))
        users.add(tx, other, "flora@example.com")

    await world.appliance.store.write(second)
    world.twilio.owned = [*world.twilio.owned, THEIRS]
    async with (
        Visitor(world) as ours,
        Visitor(world, "flora@example.com") as theirs,
        ours.http.get(f"{ours.address}/events") as at_ours,
        theirs.http.get(f"{theirs.address}/events") as at_theirs,
    ):
        found: tuple[list[str], list[str]] = ([], [])
        reading = [asyncio.create_task(lines(*each)) for each in ((at_ours, found[0]), (at_theirs, found[1]))]
        for to, loud, still in ((SMS, 0, 1), (THEIRS, 1, 0)):
            await asyncio.sleep(1)
            found[0].clear()
            found[1].clear()
            await world.say("Oi", to=to)
            await world.settle()
            await world.until(partial(found[loud].__contains__, "event: changed"))
            await asyncio.sleep(1)
            assert "event: changed" not in found[still]
        for task in reading:
            task.cancel()


async def test_who_leaves_at_once_is_no_fault(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever goes to another page before the first word of /events was written leaves nothing in the log, and nothing
    that listens on.
    """
    host, port = world.appliance.address.removeprefix("http://").split(":")
    async with Visitor(world) as visitor:
        (cookie,) = [each.value for each in visitor.http.cookie_jar if each.key == "session"]
        asked = f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: session={cookie}\r\n\r\n".encode()
        for number in range(40):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(asked)
            await writer.drain()
            await asyncio.sleep(number / 8_000)
            writer.transport.abort()
        await asyncio.sleep(0.5)
        await world.say("Oi")
        await world.settle()
    assert "request failed" not in capsys.readouterr().out


@asynccontextmanager
async def at_home(world: World) -> AsyncIterator[tuple[Look, list[str]]]:
    """Home in a browser whose tab can be hidden, and what happens to its stream of events."""
    told: list[str] = []
    async with Visitor(world) as visitor, chromium() as browser, window(browser) as look:
        (cookie,) = [each.value for each in visitor.http.cookie_jar if each.key == "session"]
        await look.context.add_cookies([{"name": "session", "value": cookie, "url": world.address}])
        await look.context.add_init_script(HIDE)
        look.page.on("request", lambda asked: told.append(f"asks {asked.url.removeprefix(world.address)}"))
        look.page.on("requestfailed", lambda asked: told.append(f"ends {asked.url.removeprefix(world.address)}"))
        look.page.on("requestfinished", lambda asked: told.append(f"ends {asked.url.removeprefix(world.address)}"))
        await look.page.goto(world.address)
        await world.until(partial(told.__contains__, "asks /events"))
        yield look, told


@in_browser
async def test_a_hidden_page_costs_nothing(world: World) -> None:
    """It holds no connection and asks for nothing while others write; seen again it is as things are."""
    await world.say("Oi", extra={"ProfileName": "Lia"})
    await world.settle()
    async with at_home(world) as (look, told):
        await asyncio.sleep(1)
        await look.page.evaluate("hide(true)")
        await world.until(partial(told.__contains__, "ends /events"))
        told.clear()
        for number in range(3):
            await world.say(
                "Quero falar com uma pessoa", f"+551198888000{number}", extra={"ProfileName": f"Bia {number}"}
            )
            await world.settle()
        await asyncio.sleep(1.5)
        assert told == []
        await look.page.evaluate("hide(false)")
        await look.page.locator("#cards", has_text="Bia 2").wait_for()
        assert "asks /events" in told
        assert look.complaints == []


@in_browser
async def test_a_page_outlives_the_server(world: World) -> None:
    """While nobody answers a bar says so; once the server is there again the bar goes, and what is new is shown."""
    await world.say("Oi", extra={"ProfileName": "Lia"})
    await world.settle()
    async with at_home(world) as (look, _):
        bar = look.page.locator("#offline")
        assert not await bar.is_visible()
        await world.stop()
        await bar.wait_for(state="visible")
        assert await look.page.locator("#verdict").is_visible()
        await world.start()
        await world.say("Quero falar com uma pessoa", "+5511988880001", extra={"ProfileName": "Bia"})
        await bar.wait_for(state="hidden")
        await look.page.locator("#cards", has_text="Bia").wait_for()
