"""The way in, each fault of it made for real: ports, certificates, proxies, other servers, another appliance."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator
from yarl import URL

from appliance.cli.check import ProbeDesk
from appliance.cli.client import Api
from appliance.diagnosis.finding import Kind
from appliance.diagnosis.probe import of_the_way_in
from appliance.web.errors import errors_as_json
from appliance.wire import PROBE, STATUS_PATH
from tests.diagnosis.scene import Checks, led_to
from tests.support.api_client import control_of
from tests.support.certificates import Authority, needs_openssl
from tests.support.world import ACCOUNT, TOKEN, World, free_port

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(
    handler: Handler, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """Whatever is asked, the handler answers. Its URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"{'https' if context else 'http'}://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def proxy(world: World, change: Callable[[str, dict[str, str], bytes], tuple[str, dict[str, str], bytes]]) -> Handler:
    """In front of the appliance; `change` does what it does to path and query, headers and body."""

    async def handler(request: web.Request) -> web.Response:
        listen = world.config.server.listen
        headers = {name: value for name, value in request.headers.items() if name not in ("Host", "Content-Length")}
        target, headers, body = change(request.raw_path, headers, await request.read())
        url = URL(f"http://{listen}{target}", encoded=True)
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, url, headers=headers, data=body, allow_redirects=False) as response,
        ):
            return web.Response(status=response.status, body=await response.read())

    return handler


def as_it_is(target: str, headers: dict[str, str], body: bytes) -> tuple[str, dict[str, str], bytes]:
    return target, headers, body


def answering(status: int, **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text="something", headers=headers)

    return handler


async def test_the_way_in(checks: Checks, world: World) -> None:
    """Through a proxy that leaves all as it is; with the path of the public URL taken away."""
    async with server(proxy(world, as_it_is)) as url:
        straight = await checks.way_in(url)

    def without_prefix(target: str, headers: dict[str, str], body: bytes) -> tuple[str, dict[str, str], bytes]:
        return target.removeprefix("/shop"), headers, body

    async with server(proxy(world, without_prefix)) as url:
        below = await checks.way_in(f"{url}/shop")

    assert (straight["kind"], below["kind"]) == ("way_in", "way_in")


ALTERING = {
    "path": ("rewritten", lambda target, headers, body: (target.replace("/twilio/", "/hooks/"), headers, body)),
    "query": ("rewritten", lambda target, headers, body: (f"{target}&via=proxy", headers, body)),
    "no query": ("rewritten", lambda target, headers, body: (target.partition("?")[0], headers, body)),
    "prefix": ("rewritten", lambda target, headers, body: (f"/app{target}", headers, body)),
    "body": ("altered", lambda target, headers, body: (target, headers, body + b"&more=1")),
    "header": (
        "unsigned",
        lambda target, headers, body: (
            target,
            {name: value for name, value in headers.items() if name != "X-Twilio-Signature"},
            body,
        ),
    ),
}


@pytest.mark.parametrize("what", ALTERING)
async def test_a_proxy_that_changes_the_request(checks: Checks, world: World, what: str) -> None:
    """The appliance says how it came in; the host may change, as it is never believed."""
    kind, change = ALTERING[what]
    async with server(proxy(world, change)) as url:
        found = await checks.way_in(url)

    assert (found["kind"], found["ok"]) == (kind, False)


async def test_a_proxy_that_changes_the_answer(checks: Checks, world: World) -> None:
    """The request came in well; Twilio would hear something else than we said."""

    async def banner(request: web.Request) -> web.StreamResponse:
        await proxy(world, as_it_is)(request)
        return web.Response(text="<html>Welcome</html>", content_type="text/html")

    async with server(banner) as url:
        assert (await checks.way_in(url))["kind"] == "answer_changed"


ANSWERS = {
    "down": answering(502),
    "forbidden": answering(403),
    "no_path": answering(404),
    "redirect": answering(301, Location="https://www.example.com/twilio/status?secret=1"),
    "stranger": answering(200),
    "another_box": answering(403, Server="appliance"),
}


@pytest.mark.parametrize("kind", ANSWERS)
async def test_what_answers_in_the_appliances_place(checks: Checks, world: World, kind: str) -> None:
    """A tunnel with nothing behind it, an access rule, a web server, a redirect, something else."""
    async with server(ANSWERS[kind]) as url:
        found = await checks.way_in(url)

    assert (found["kind"], found["ok"], "secret=1" in str(found)) == (kind, False, False)


@pytest.mark.parametrize("status", [503, 504, 521, 530])
async def test_a_tunnel_that_is_down_has_many_numbers(checks: Checks, world: World, status: int) -> None:
    """Cloudflare's among them."""
    async with server(answering(status)) as url:
        assert (await checks.way_in(url))["kind"] == "down"


async def test_a_tunnel_that_ends_in_another_box(checks: Checks, world: World, tmp_path: Path) -> None:
    """It has the same token, so it answers as we would; only we know that we did not hear it."""
    async with World(tmp_path / "other") as other, server(proxy(other, as_it_is)) as url:
        await led_to(other, url)
        found = await checks.way_in(url)
        stored = await other.column("SELECT count(*) FROM delivery_events")

    assert (found["kind"], stored) == ("another_box", [0])


async def test_no_connection(checks: Checks, world: World) -> None:
    """A closed port, and a name that no name server has."""
    closed = await checks.way_in(f"http://127.0.0.1:{free_port()}")
    unknown = await checks.way_in("http://nowhere.invalid")

    assert (closed["kind"], unknown["kind"]) == ("refused", "dns")


async def test_a_network_that_leads_nowhere(checks: Checks) -> None:
    """No machine has that address, and the kernel says so."""
    assert (await checks.way_in("http://255.255.255.255:81"))["kind"] == "no_route"


async def test_a_firewall_that_drops(checks: Checks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever knocks hears nothing: here a queue of connections that nobody takes is full."""
    monkeypatch.setattr("appliance.diagnosis.probe.CONNECT", 0.5)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        found = await checks.way_in(f"http://127.0.0.1:{full.getsockname()[1]}")

    assert found["kind"] == "slow"


async def test_an_older_appliance(world: World, tmp_path: Path) -> None:
    """It knows of no probes: it has to be started anew, and nothing is called."""
    runner = web.AppRunner(web.Application(middlewares=[errors_as_json]))
    await runner.setup()
    await web.UnixSite(runner, tmp_path / "older.sock").start()
    connector = aiohttp.UnixConnector(str(tmp_path / "older.sock"))
    async with aiohttp.ClientSession(connector=connector) as session:
        found = await of_the_way_in(world.config, ProbeDesk(Api(session, running=True)))
    await runner.cleanup()

    assert found.kind == Kind.OLDER


async def test_a_server_that_hangs_or_hangs_up(checks: Checks, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told apart from one that refuses the connection."""

    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(2)
        return web.Response()

    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    monkeypatch.setattr("appliance.diagnosis.probe.PATIENCE", 0.5)
    async with server(hang) as url:
        slow = await checks.way_in(url)
    async with server(hang_up) as url:
        broken = await checks.way_in(url)

    assert (slow["kind"], broken["kind"]) == ("slow", "broken")


@needs_openssl
@pytest.mark.parametrize(
    ("kind", "name", "options"),
    [
        ("way_in", "localhost", {}),
        ("tls_name", "other.example", {}),
        ("tls_expired", "localhost", {"days": -1}),
        ("tls_self_signed", "localhost", {"self_signed": True}),
    ],
)
async def test_certificates(
    checks: Checks,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    options: dict[str, int],
) -> None:
    """A good one; one for another name; one that is over; one signed by itself."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with server(proxy(world, as_it_is), authority.server(name, **options), "localhost") as url:  # type: ignore[arg-type]
        found = await checks.way_in(url)

    assert (found["kind"], found["ok"]) == (kind, kind == "way_in")


@needs_openssl
async def test_an_authority_that_nobody_knows(checks: Checks, world: World, tmp_path: Path) -> None:
    """Or a chain that is not sent whole; and a port on which nobody speaks TLS."""
    context = Authority(tmp_path).server("localhost")
    async with server(proxy(world, as_it_is), context, "localhost") as url:
        unknown = await checks.way_in(url)
    async with server(proxy(world, as_it_is), host="localhost") as url:
        plain = await checks.way_in(url.replace("http:", "https:"))

    assert (unknown["kind"], plain["kind"]) == ("tls_issuer", "tls_none")


async def test_nothing_runs(checks: Checks, world: World) -> None:
    """The way in is not tried, and that is a fault; the rest is told all the same."""
    await world.stop()

    assert await checks.bad() == ["not_running"]


async def test_an_appliance_that_has_not_heard_of_a_change(checks: Checks, world: World) -> None:
    """The file says another URL than the one that runs with."""
    checks.path.write_text(checks.path.read_text().replace(world.address, "http://127.0.0.1:9/elsewhere"))

    found = await checks.one("other_url")

    assert world.config.server.public_url in str(found["what"])


async def test_a_probe_that_nobody_asked_for(world: World) -> None:
    """Signed by our token it is answered, stored nowhere; what is waited for is bounded."""
    url = f"{world.address}{STATUS_PATH}?o={PROBE}{'0' * 32}"
    form = {"AccountSid": ACCOUNT, "MessageStatus": "probe"}
    headers = {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(url, form)}
    async with aiohttp.ClientSession() as session, session.post(url, data=form, headers=headers) as response:
        status = response.status
    async with control_of(world) as api:
        first = (await api.post("probes", {}))[1]["nonce"]
        for _ in range(30):
            await api.post("probes", {})
        told = await api.get(f"probes/{first}")

    assert (status, told) == (204, {"arrival": None})
    assert await world.column("SELECT count(*) FROM delivery_events") == [0]
