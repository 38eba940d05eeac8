"""Every header of every kind of answer, exactly; and who forged a form does nothing.

There is no Strict-Transport-Security: TLS ends at the proxy or tunnel before us, which alone knows whether its name is
always reached by it; over plain http in the shop's network a browser ignores the header.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from appliance.model import HOUR
from appliance.operations import users
from tests.support.visitor import Visitor
from tests.support.wire import FORM, message, signature
from tests.support.world import API_KEY, ManualClock, World

EVERY = {"Server": "appliance", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}
BARE = EVERY | {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
PAGE = EVERY | {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
}
LINK = PAGE | {"Referrer-Policy": "strict-origin"}  # its address is a secret: other pages of ours are not told either
JSON = BARE | {"Content-Type": "application/json"}
TEXT = BARE | {"Content-Type": "text/plain; charset=utf-8"}
KEPT = BARE | {"Cache-Control": "public, max-age=31536000, immutable"}
LIVE = BARE | {
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "Content-Type": "text/event-stream",
    "Transfer-Encoding": "chunked",
    "X-Accel-Buffering": "no",
}
HTML, KEY, HERE = {"Accept": "text/html"}, {"X-API-Key": API_KEY}, {"Origin": "{address}"}
LAN = {"Host": "192.168.1.7:8080"}
TLS = {"Host": "box.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.1"}
FORMED = {"Content-Type": FORM}
LARGE = b"a=" + b"a" * 300_000
# who asks: o, a signed-in user, or a, anybody; what for; and what comes back
KINDS: dict[str, tuple[str, str, str, dict[str, str], bytes | None, int, dict[str, str]]] = {
    "a page": ("o", "GET", "/", HTML, None, 200, PAGE),
    "a page on the LAN": ("o", "GET", "/conversations", HTML | LAN, None, 200, PAGE),
    "a page, HEAD": ("o", "HEAD", "/", HTML, None, 200, PAGE),
    "the door": ("a", "GET", "/sign-in", HTML, None, 200, PAGE),
    "the door on the LAN": ("a", "GET", "/sign-in", HTML | LAN, None, 200, PAGE),
    "the door behind TLS": ("a", "GET", "/sign-in", HTML | TLS, None, 200, PAGE),
    "a refused password": ("a", "POST", "/sign-in", HERE | FORMED, b"email=a&password=b", 403, PAGE),
    "a link": ("a", "GET", "/link/{word}", HTML, None, 200, LINK),
    "a used link": ("a", "GET", "/link/used", HTML, None, 410, LINK),
    "a link's refusal": ("a", "POST", "/link/{word}", HERE | FORMED, b"password=short", 400, LINK),
    "not found, for a browser": ("o", "GET", "/nothing", HTML, None, 404, PAGE),
    "another's, for a browser": ("o", "GET", "/conversations/999", HTML, None, 404, PAGE),
    "not found, signed out": ("a", "GET", "/nothing", HTML, None, 404, PAGE),
    "not found": ("o", "GET", "/nothing", {}, None, 404, JSON),
    "under another name": ("o", "GET", "/", HTML | {"Host": "evil.example"}, None, 404, JSON),
    "wrong method, for a browser": ("o", "PUT", "/sign-in", HTML, None, 405, PAGE | {"Allow": "GET,HEAD,POST"}),
    "wrong method": ("o", "PUT", "/sign-in", {}, None, 405, JSON | {"Allow": "GET,HEAD,POST"}),
    "too large, for a browser": ("o", "POST", "/sign-in", HTML | HERE | FORMED, LARGE, 413, PAGE),
    "too large": ("o", "POST", "/sign-in", HERE | FORMED, LARGE, 413, JSON),
    "no form, for a browser": ("o", "POST", "/sign-in", HTML | HERE | {"Content-Type": "text/plain"}, b"a", 415, PAGE),
    "a forged form": ("o", "POST", "/sign-out", HTML | {"Origin": "http://evil.example"}, None, 403, PAGE),
    "to the door": ("a", "GET", "/", HTML, None, 303, TEXT | {"Location": "/sign-in"}),
    "styles": ("a", "GET", "/static/pages.css", {}, None, 200, KEPT | {"Content-Type": "text/css; charset=utf-8"}),
    "script": ("a", "GET", "/static/pages.js", {}, None, 200, KEPT | {"Content-Type": "text/javascript; charset=utf-8"}),
    "icon": ("a", "GET", "/static/icon.svg", {}, None, 200, KEPT | {"Content-Type": "image/svg+xml; charset=utf-8"}),
    "no such file": ("a", "GET", "/static/x.css", {}, None, 404, JSON),
    "live": ("o", "GET", "/events", {}, None, 200, LIVE),
    "the API": ("a", "GET", "/api/v1/status", KEY, None, 200, JSON),
    "the API without a key": ("o", "GET", "/api/v1/status", HTML, None, 401, JSON),
    "the API's refusal": ("a", "GET", "/api/v1/messages?limit=x", KEY | HTML, None, 400, JSON),
    "the API's 404": ("a", "GET", "/api/v1/nothing", KEY | HTML, None, 404, JSON),
    "a callback": ("a", "POST", "/twilio/status", FORMED, b"signed", 204, BARE),
    "a webhook": ("a", "POST", "/twilio/messages", FORMED, b"signed", 200, BARE | {"Content-Type": "text/xml; charset=utf-8"}),
    "a refused webhook": ("a", "POST", "/twilio/messages", FORMED | HTML, b"a=b", 403, TEXT),
    "a large webhook": ("a", "POST", "/twilio/messages", FORMED | HTML, LARGE, 413, JSON),
    "a webhook's wrong method": ("a", "PUT", "/twilio/messages", HTML, None, 405, JSON | {"Allow": "GET,POST"}),
    "a stray webhook": ("a", "POST", "/x/twilio/messages", FORMED, b"a=b", 404, JSON),
    "health": ("a", "GET", "/healthz", HTML, None, 200, JSON),
    "readiness": ("a", "GET", "/readyz", HTML, None, 200, JSON),
    "figures": ("a", "GET", "/metrics", KEY, None, 200, BARE | {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}),
    "figures without a key": ("a", "GET", "/metrics", HTML, None, 401, JSON),
}  # fmt: skip


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[World]:
    """Its clock stands still, so that nothing happens by itself."""
    async with World(tmp_path, clock=ManualClock(), language="en", server={"page_hosts": ("box.example",)}) as world:
        await world.say("oi")
        await world.settle()
        yield world


async def test_the_table(still: World) -> None:
    """Nothing is missing, nothing is too much; no cookie but at the door."""
    found = {}
    async with Visitor(still) as owner, aiohttp.ClientSession() as anybody:
        word = await still.appliance.store.write(lambda tx: users.link(tx, users.find(tx, "owner@example.com")))
        for kind, (who, method, path, headers, data, _, _) in KINDS.items():
            given = {name: value.format(address=still.address) for name, value in headers.items()}
            body: Any = data
            if data == b"signed":
                body = message("SM" + "1" * 32)
                given["X-Twilio-Signature"] = signature(still, path, body)
                body = aiohttp.FormData(body)
            http = owner.http if who == "o" else anybody
            url = still.address + path.format(word=word)
            async with http.request(method, url, headers=given, data=body, allow_redirects=False) as response:
                shown = {
                    name: value for name, value in response.headers.items() if name not in ("Date", "Content-Length")
                }
                found[kind] = (response.status, shown)
    assert found == {kind: (each[-2], each[-1]) for kind, each in KINDS.items()}


FORGED = {
    "another site's": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "a neighbour's": {"Origin": "{address}", "Sec-Fetch-Site": "same-site"},
    "another port's": {"Origin": "http://127.0.0.1:1"},
    "nobody's": {"Origin": "null"},
    "without a word": {},
}


@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forged_form_does_nothing(still: World, forgery: str) -> None:
    """Each route of the route table that changes something, with the session of a user who may: refused before it is
    read, and the database is as before. The API takes no cookie, a webhook no form that Twilio did not sign.
    """
    app: web.Application = still.appliance._listeners._runners[0].app
    found = {(each.method, each.resource.canonical) for each in app.router.routes() if each.resource}
    changing = sorted((method, path) for method, path in found if method not in ("GET", "HEAD"))
    assert len(changing) > 30
    headers = {name: value.format(address=still.address) for name, value in FORGED[forgery].items()}
    async with Visitor(still, admin=True) as owner:
        before = await dump(still)
        for method, path in changing:
            url = still.address + path.replace("{id}", "1").replace("{", "").replace("}", "")
            form = {
                "body": "x",
                "until": "1h",
                "reason": "x",
                "idempotency_key": "k",
                "organization": "1",
                "title": "x",
            }
            async with owner.http.request(method, url, data=form, headers=headers, allow_redirects=False) as response:
                of_a_machine = path.startswith(("/api/", "/twilio/", "/{prefix}"))
                assert response.status in ((401, 403, 404, 405) if of_a_machine else (403,)), (method, path)
                assert of_a_machine or "not sent from a page" in await response.text()
        await still.settle()
        assert await dump(still) == before
    print(f"{forgery}: {len(changing)} routes")


async def dump(world: World) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    tables = await world.column("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name: await world.rows(f"SELECT * FROM {name}") for name in tables}


async def test_a_disk_that_takes_nothing_is_said_in_words(still: World) -> None:
    """A browser that sends a form then gets a page, in the reader's language; and whoever only looks sees all pages."""
    from appliance.errors import StorageFullError

    async with Visitor(still) as owner:
        still.appliance.store._writer.broken = StorageFullError()
        headers = HTML | {"Origin": still.address}
        async with owner.http.post(f"{still.address}/sign-out", headers=headers, allow_redirects=False) as response:
            assert (response.status, "The disk is full; nothing was stored." in await response.text()) == (503, True)
        still.clock._elapsed += 2 * HOUR  # type: ignore[union-attr]  # its use would be noted
        for path in ("/", "/conversations", "/topics", "/settings"):
            await owner.get(path)
        still.appliance.store._writer.broken = None
