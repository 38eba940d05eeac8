"""The live events of pages: who is told, how many at once, and browsers that leave at the worst moment."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack

import aiohttp
import pytest
from structlog.testing import capture_logs

from appliance.operations.organizations import Registration, register_organization
from appliance.store import Tx, stir
from appliance.web.pages.events import MOST
from tests.support.visitor import Visitor
from tests.support.world import World

OTHERS = Registration("Florista", ["+551140000009"], "f@example.com")


async def told(response: aiohttp.ClientResponse, seconds: float = 5.0) -> bool:
    """Whether something is said to have changed within that time."""
    try:
        async with asyncio.timeout(seconds):
            await response.content.readuntil(b"event: changed")
    except TimeoutError:
        return False
    return True


async def test_one_organization_does_not_take_all_places(world: World) -> None:
    """Of one's own there are only so many at once: one more is refused, a neighbour's is not; who leaves makes room."""
    second = await world.appliance.store.write(lambda tx: register_organization(tx, OTHERS))
    url = f"{world.address}/events"
    async with Visitor(world) as visitor, Visitor(world, "g@example.com") as neighbour, AsyncExitStack() as pages:
        await world.appliance.store.write(
            lambda tx: tx.sql.run("UPDATE users SET organization_id = ? WHERE email = 'g@example.com'", second)
        )
        http = await pages.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=visitor.http.cookie_jar)
        )
        opened = [await pages.enter_async_context(http.get(url)) for _ in range(MOST)]
        assert {each.status for each in opened} == {200}
        async with http.get(url) as one_more, neighbour.http.get(url) as theirs:
            assert (one_more.status, theirs.status) == (429, 200)
        opened[0].close()
        await world.say("oi")  # now it is noticed
        async with asyncio.timeout(10):
            while True:
                async with http.get(url) as instead:
                    if instead.status == 200:
                        break
                await asyncio.sleep(0.02)


async def test_a_browser_that_leaves_at_once(world: World) -> None:
    """Is no failure, however early it goes; the next page is live."""
    async with Visitor(world) as visitor:
        cookie = next(each.value for each in visitor.http.cookie_jar if each.key == "session")
        host, port = world.address.removeprefix("http://").split(":")
        asked = f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: session={cookie}\r\n\r\n".encode()
        with capture_logs() as logged:
            for number in range(60):
                _, writer = await asyncio.open_connection(host, int(port))
                writer.write(asked)
                await asyncio.sleep(number % 6 / 1_000)
                writer.transport.abort()
            async with visitor.http.get(f"{world.address}/events") as response:
                await world.say("oi")
                assert await told(response)
        assert [each for each in logged if each["log_level"] == "error"] == []


async def test_pages_are_live_after_one_that_could_not_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store could not listen, and had begun to: that page is refused, the next one is told."""
    begin = stir.begin

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TEMP TABLE stirred (organization_id INTEGER)")
        raise sqlite3.OperationalError("disk I/O error")

    async with Visitor(world) as visitor:
        monkeypatch.setattr(stir, "begin", broken)
        await visitor.get("/events", 503)
        monkeypatch.setattr(stir, "begin", begin)
        async with visitor.http.get(f"{world.address}/events") as response:
            await world.say("oi")
            assert await told(response)


async def test_who_is_no_admin_any_more(world: World) -> None:
    """Hears no more of another organization than what led to looking; the own one's is told as before."""
    second = await world.appliance.store.write(lambda tx: register_organization(tx, OTHERS))

    def teach(title: str, organization: int):  # type: ignore[no-untyped-def]
        return world.appliance.store.write(lambda tx: tx.knowledge.put(organization, title, "Das 8 às 18 horas."))

    def demote(tx: Tx) -> None:
        tx.sql.run("UPDATE users SET admin = 0")

    async with Visitor(world, admin=True) as admin:
        await admin.post("/look-at", organization=str(second))
        async with admin.http.get(f"{world.address}/events") as response:
            await teach("Horário", second)
            assert await told(response)
            await world.appliance.store.write(demote)
            await teach("Entrega", second)
            assert await told(response)
            await teach("Preços", second)
            assert not await told(response, 1.0)
            await teach("Preços", 1)
            assert await told(response)
