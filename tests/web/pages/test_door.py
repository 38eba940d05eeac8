"""Getting in: a link once, a password after that; nobody else sees anything."""

import aiohttp
import pytest

from appliance.operations import users
from tests.support.visitor import PASSWORD, Visitor
from tests.support.world import World


async def test_a_link_once_then_the_password(world: World) -> None:
    """The link sets the password and signs in; used, it is over."""
    store, address = world.appliance.store, world.appliance.address

    def begin(tx):  # type: ignore[no-untyped-def]
        organization = tx.organizations.page_of_the_box(limit=1)[0]
        users.add(tx, organization.id, "marta@example.com")
        return users.link(tx, users.find(tx, "marta@example.com"))

    word = await store.write(begin)
    headers = {"Origin": address}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.get(f"{address}/", allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, "/sign-in")
        async with http.get(f"{address}/link/{word}") as response:
            assert "marta@example.com" in await response.text()
        async with http.post(f"{address}/link/{word}", data={"password": PASSWORD}, headers=headers) as response:
            assert response.status == 200 and response.url.path == "/"
        async with http.get(f"{address}/link/{word}") as response:
            assert response.status == 410
        async with http.post(f"{address}/sign-out", headers=headers) as response:
            assert response.url.path == "/sign-in"
        form = {"email": "marta@example.com", "password": PASSWORD}
        async with http.post(f"{address}/sign-in", data=form, headers=headers) as response:
            assert response.status == 200 and response.url.path == "/"


async def test_an_event_says_that_something_changed(world: World) -> None:
    """And nothing else; a batch of another organization's is not told."""
    async with Visitor(world) as visitor, visitor.http.get(f"{visitor.address}/events") as response:
        await world.say("oi")
        line = await response.content.readuntil(b"changed")
        assert line.endswith(b"event: changed")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_forged_form_is_refused(world: World, origin: str) -> None:
    """By its Origin."""
    async with Visitor(world) as visitor:
        async with visitor.http.post(f"{visitor.address}/sign-out", headers={"Origin": origin}) as response:
            assert response.status == 403
        await visitor.get("/")
