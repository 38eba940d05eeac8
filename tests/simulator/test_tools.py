"""The simulator's ledger file, JSON tools, events, guard and process."""

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import MultiDict

from appliance.simulator import Ledger, Twilio, run_simulator, simulator_app
from appliance.simulator.segments import segments
from tests.simulator.simulated_world import (
    ACCOUNT,
    CUSTOMER,
    SDK_WARNINGS,
    SMS,
    TOKEN,
    WHATSAPP,
    WHATSAPP_CUSTOMER,
    Double,
    World,
)

pytestmark = SDK_WARNINGS


async def test_the_ledger_is_reloaded(tmp_path: Path) -> None:
    """Stop and start continue: messages, opt-outs and the window survive, a torn last line does not matter."""
    path = tmp_path / "ledger.jsonl"
    first = Twilio(ACCOUNT, [TOKEN], Ledger(path))
    await first.receive(CUSTOMER, SMS, "STOP")
    await first.receive(WHATSAPP_CUSTOMER, WHATSAPP, "Oi\r\u2028é")
    await first.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    second = Ledger(path)

    assert list(second) == list(first.ledger)
    assert second.opted_out(CUSTOMER, SMS)
    assert second.last_inbound(WHATSAPP_CUSTOMER, WHATSAPP) is not None
    second.close()
    assert path.read_bytes() == whole


async def test_what_is_deleted_is_not_in_the_file(tmp_path: Path) -> None:
    """As at Twilio: deleted or redacted by API it is gone, earlier lines too; the others and their order stay."""
    path = tmp_path / "ledger.jsonl"
    twilio = Twilio(ACCOUNT, [TOKEN], Ledger(path))
    sids = [(await twilio.receive(CUSTOMER, SMS, f"girassol {number}"))[0] for number in range(2)]
    await twilio.receive(WHATSAPP_CUSTOMER, WHATSAPP, "Oi")
    runner = await run_simulator(simulator_app(twilio), "127.0.0.1", 0)
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/2010-04-01/Accounts/{ACCOUNT}/Messages"
    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth(ACCOUNT, TOKEN)) as session:
        async with session.delete(f"{base}/{sids[0]}.json") as response:
            assert response.status == 204
        async with session.post(f"{base}/{sids[1]}.json", data={"Body": ""}) as response:
            assert response.status == 200
    await runner.cleanup()
    text = path.read_text("utf-8")
    reloaded = Ledger(path)

    assert "girassol" not in text
    assert text.count(f'"{CUSTOMER}"') == 1  # of the one that was redacted only
    assert [(number, entry.body) for number, entry in reloaded.numbered()] == [(1, ""), (2, "Oi")]
    reloaded.close()


async def test_a_delivery_continues_after_a_restart(tmp_path: Path) -> None:
    """A message that was on its way is delivered and called back by the next run."""
    double, path = Double(), tmp_path / "ledger.jsonl"
    form = {"From": SMS, "To": CUSTOMER, "Body": "Olá"}
    hears = web.Application()
    hears.router.add_post("/{rest:.*}", double.hear)
    async with TestServer(hears) as heard:
        double.base = str(heard.make_url("")).rstrip("/")
        first = Twilio(ACCOUNT, [TOKEN], Ledger(path))
        entry = first.create(MultiDict(form | {"StatusCallback": f"{double.base}/twilio/status"}))
        first.ledger.set_status(entry, "sending", first.now())
        await first.close()
        second = Twilio(ACCOUNT, [TOKEN], Ledger(path), pace=0)
        async with TestServer(simulator_app(second)):
            await second.settle()

    assert double.statuses() == ["sent", "delivered"]


async def test_messages_and_faults_over_http(world: World) -> None:
    """The JSON tools make messages arrive, show the ledger and set faults."""
    async with aiohttp.ClientSession(world.base) as session:
        message = {
            "from": CUSTOMER,
            "to": SMS,
            "body": "Oi",
            "media": [{"content_type": "image/jpeg"}],
            "extra": {"X": "1"},
        }
        async with session.post("/simulator/messages", json=message) as response:
            arrived = await response.json()
        async with session.get(f"/simulator/messages?contact={CUSTOMER}") as response:
            ledger = await response.json()
        async with session.post(
            "/simulator/faults", json=[{"on": "create", "kind": "error", "status": 503}]
        ) as response:
            assert response.status == 201
        async with session.delete("/simulator/faults") as response:
            assert response.status == 204
        async with session.post("/simulator/faults", json=[{"on": "list", "kind": "early"}]) as response:
            assert (response.status, "kind on list" in await response.text()) == (400, True)
        async with session.post("/simulator/messages", json={"from": CUSTOMER}) as response:
            assert response.status == 400

    assert arrived == {"sid": ledger[0]["sid"], "status": 200}
    assert (ledger[0]["from"], ledger[0]["media"][0]["content_type"]) == (CUSTOMER, "image/jpeg")
    assert world.double.requests[0][1]["X"] == "1"
    assert (await world.send()).status == "queued"


async def test_events_follow_the_ledger(world: World) -> None:
    """Each change of the ledger is pushed, and an open stream does not hold up the end."""
    async with aiohttp.ClientSession(world.base) as session, session.get("/simulator/events") as response:
        await world.twilio.receive(CUSTOMER, SMS, "Oi")
        line = await asyncio.wait_for(response.content.readline(), 10)

    assert response.headers["Content-Type"] == "text/event-stream"
    assert b'"body":"Oi"' in line


async def test_a_closed_page_is_forgotten(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A reader of the events that went away leaves neither a listener nor an error behind."""
    async with aiohttp.ClientSession(world.base) as session, session.get("/simulator/events"):
        assert len(world.twilio.ledger.listeners) == 1
    while world.twilio.ledger.listeners:
        await world.twilio.receive(CUSTOMER, SMS, "Oi")
        await asyncio.sleep(0.01)

    assert caplog.records == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost:1"}, 200),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
async def test_other_sites_are_kept_out(world: World, headers: dict[str, str], status: int) -> None:
    """A foreign host name, another site's page and a form cannot make messages arrive."""
    body = b'{"from": "+5511987654321", "to": "+551140000000", "body": "Oi"}'
    async with (
        aiohttp.ClientSession(world.base) as session,
        session.post(
            "/simulator/messages", data=body, headers={"Content-Type": "application/json"} | headers
        ) as response,
    ):
        assert response.status == status
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ã" * 70, 1),
        ("ã" * 71, 2),
        ("😀" * 36, 2),
    ],
)
def test_segments(text: str, count: int) -> None:
    """GSM-7 and UCS-2 texts are counted as Twilio does."""
    assert segments(text) == count


async def test_it_runs_as_its_own_process(tmp_path: Path) -> None:
    """`python -m appliance.simulator` serves, and its ledger survives a kill."""
    arguments = [
        "--listen",
        "127.0.0.1:0",
        "--account-sid",
        ACCOUNT,
        "--auth-token",
        TOKEN,
        "--ledger",
        str(tmp_path / "ledger"),
    ]
    counts = []
    for number in (signal.SIGKILL, signal.SIGTERM):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance.simulator", *arguments, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        base = (await process.stdout.readline()).decode().split()[-1]
        async with aiohttp.ClientSession(base) as session:
            await session.post("/simulator/messages", json={"from": CUSTOMER, "to": SMS, "body": "Oi"})
            async with session.get("/simulator/messages") as response:
                counts.append(len(await response.json()))
        process.send_signal(number)
        await process.wait()

    assert counts == [1, 2]
    assert process.returncode == 0
