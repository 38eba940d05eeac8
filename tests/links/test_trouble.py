"""What an error of the network is called: each is made for real, through the client that Twilio and models are asked by."""

import asyncio
import contextlib
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from appliance.links.link import TELL_AGAIN, Link
from appliance.links.trouble import trouble_of
from appliance.wire import Fault, Trouble
from tests.support.world import free_port

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SECRET = "token-canary-9c1f"


async def fault_at(url: str, *, seconds: float = 5.0) -> Trouble:
    """What becomes of one call."""
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with aiohttp.ClientSession(timeout=timeout, headers={"Authorization": SECRET}) as session:
        try:
            async with session.post(f"{url}/?key={SECRET}", data=SECRET) as response:
                await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            found = trouble_of(error)
            assert found is not None, repr(error)
            assert SECRET not in str(found)
            return found
    raise AssertionError("it was answered")


@contextlib.asynccontextmanager
async def server(handle: Handle) -> AsyncIterator[str]:
    """Its address; it hangs up in the end."""
    ended = asyncio.Event()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            ended.set()

    running = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"
        await asyncio.wait_for(ended.wait(), 5)
    finally:
        running.close()


async def test_a_name_that_nobody_knows() -> None:
    """`.invalid` is never given away (RFC 2606)."""
    found = await fault_at("http://nowhere.invalid")

    assert (found.fault, found.said) == (Fault.NAME, "nowhere.invalid")


async def test_a_port_that_nothing_listens_on() -> None:
    """With host and port, as an owner can compare them with the configuration."""
    port = free_port()

    found = await fault_at(f"http://127.0.0.1:{port}")

    assert (found.fault, found.said) == (Fault.REFUSED, f"127.0.0.1:{port}")


async def test_a_server_that_never_answers() -> None:
    """It takes the connection and the question."""

    async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async with server(silence) as url:
        found = await fault_at(url, seconds=0.3)

    assert (found.fault, found.said) == (Fault.TIMEOUT, "waiting for the answer")


async def test_a_connection_that_is_reset() -> None:
    """In place of an answer."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with server(reset) as url:
        found = await fault_at(url)

    assert found.fault == Fault.BROKEN


async def test_an_answer_that_breaks_off() -> None:
    """The body is shorter than it was said to be."""

    async def short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
        writer.close()

    async with server(short) as url:
        found = await fault_at(url)

    assert found.fault == Fault.BROKEN


async def test_what_speaks_no_tls() -> None:
    """Such as a captive portal, or https in front of an http port."""

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with server(hello) as url:
        found = await fault_at(url.replace("http:", "https:"))

    assert found.fault == Fault.TLS


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    """With OpenSSL's own words for what is wrong with it: it may as well be the clock of this box."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {certificate}"
    subprocess.run(request.split(), check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        found = await fault_at(f"https://localhost:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()

    assert (found.fault, found.said) == (Fault.TLS, "self-signed certificate")


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), aiohttp.InvalidURL("http://"), OSError(2, "x")])
def test_what_is_none_of_the_networks(error: BaseException) -> None:
    """A fault of our own says nothing about a link."""
    assert trouble_of(error) is None


@pytest.mark.parametrize(
    ("number", "fault"),
    [(101, Fault.NO_WAY), (113, Fault.NO_WAY), (110, Fault.TIMEOUT), (111, Fault.REFUSED), (24, Fault.BROKEN)],
)
def test_what_the_system_says_when_connecting(number: int, fault: Fault) -> None:
    """Which of these the machine of a test would meet is chance: Linux' numbers, in aiohttp's error."""
    key = aiohttp.client_reqrep.ConnectionKey("a.example", 443, True, True, None, None, None)

    assert trouble_of(aiohttp.ClientConnectorError(key, OSError(number, "x"))) == Trouble(fault, "a.example:443")


def test_a_link_remembers_since_when(capfd: pytest.CaptureFixture[str]) -> None:
    """The first call that failed, through changes of the cause; any answer ends it. Each change is one line, and what
    comes and goes one every ten minutes.
    """
    link = Link("twilio:main")
    assert (link.asked_at, link.trouble) == (None, None)

    link.heard(Trouble(Fault.NAME, "a"), 1_000)
    link.heard(Trouble(Fault.NAME, "a"), 2_000)
    link.heard(Trouble(Fault.REFUSED, "b"), 3_000)
    assert (link.since, link.said, link.answered_at, link.asked_at) == (1_000, "b", None, 3_000)
    link.heard(None, 4_000)
    assert (link.trouble, link.said, link.answered_at) == (None, "", 4_000)
    link.heard(Trouble(Fault.NAME, "a"), 5_000)
    assert link.since == 5_000
    link.heard(Trouble(Fault.NAME, "a"), 5_000 + TELL_AGAIN)

    assert capfd.readouterr().out.count("link is in trouble") == 3
