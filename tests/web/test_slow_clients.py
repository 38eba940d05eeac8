"""Clients that hold a connection without finishing their request."""

import asyncio
import time

import pytest

from appliance.web import hooks
from tests.support.world import World


async def test_a_body_that_never_ends_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dripping body is cut with 408; others are answered meanwhile."""
    monkeypatch.setattr(hooks, "BODY_PATIENCE", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", world.config.server.listen.port)
    head = "POST /twilio/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    writer.write(f"{head}Content-Length: 1000\r\n\r\nBody=".encode())

    await world.say("oi")
    status = await reader.readline()
    writer.close()

    assert status.startswith(b"HTTP/1.1 408")


async def test_a_silent_client_does_not_hold_up_the_stop(world: World) -> None:
    """A stop does not wait for a request that never ends."""
    _, writer = await asyncio.open_connection("127.0.0.1", world.config.server.listen.port)
    writer.write(b"POST /twilio/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
    await writer.drain()
    began = time.monotonic()

    await world.stop()
    writer.close()

    assert time.monotonic() - began < 9, "systemd and the contract give ten seconds"
    await world.start()


@pytest.mark.parametrize("path", ["/sign-in", "/twilio/messages"])
async def test_who_leaves_within_a_request_is_no_failure(
    world: World, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody fills the log by hanging up, with or without a farewell."""
    host = f"127.0.0.1:{world.config.server.listen.port}"
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
    form = f"{head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nemail="
    for leave in ("close", "abort"):
        _, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(form.encode())
        await world.say("oi")  # by then its handler waits for the rest
        getattr(writer.transport, leave)()
    await world.settle()
    await world.stop()
    await world.start()

    assert [record.getMessage() for record in caplog.records if record.name.startswith("aiohttp")] == []
