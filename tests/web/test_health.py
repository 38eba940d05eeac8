"""Health and metrics: alive, ready, and figures without customer data."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from appliance.config import Address
from tests.support.api_client import api_of
from tests.support.world import API_KEY, CUSTOMER, SMS, World, free_port

NAMES = {
    *("appliance_messages", "appliance_queue_jobs", "appliance_queue_oldest_ready_seconds"),
    *("appliance_outbox_messages", "appliance_conversations", "appliance_cards", "appliance_orphans"),
    *(
        "appliance_wal_bytes",
        "appliance_commit_batches",
        "appliance_webhooks",
        "appliance_jobs",
        "appliance_second_sids",
        "appliance_log_lines_dropped",
    ),
}


async def _fetch(url: str, **headers: str) -> tuple[int, str]:
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
        return response.status, await response.text()


async def _figures(url: str, **headers: str) -> dict[tuple[str, tuple[str, ...]], float]:
    status, text = await _fetch(url, **headers)
    assert status == 200
    families = list(text_string_to_metric_families(text))
    assert {family.name for family in families} >= NAMES
    assert CUSTOMER[1:] not in text
    return {
        (sample.name, tuple(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


async def test_alive_and_ready_without_a_key(world: World) -> None:
    """Anyone may ask; nothing but the reasons is told."""
    assert await _fetch(f"{world.address}/healthz") == (200, '{"alive":true}')
    assert await _fetch(f"{world.address}/readyz") == (200, '{"ready":true,"reasons":[]}')


async def test_a_full_disk_is_not_ready_until_there_is_space(world: World) -> None:
    """After a write that found no space readyz tries one itself; the process is alive and the figures are there."""
    pages = await world.appliance.store.write(lambda tx: tx.sql.value("PRAGMA page_count"))
    await world.appliance.store.write(lambda tx: tx.sql.value(f"PRAGMA max_page_count = {pages}"))
    assert 503 in [(await world.twilio.receive(f"+55119{n:08}", SMS, "oi " * 500))[1] for n in range(20)]

    full = await _fetch(f"{world.address}/readyz")
    alive = await _fetch(f"{world.address}/healthz")
    figures, _ = await _fetch(f"{world.address}/metrics", **{"X-API-Key": API_KEY})
    await world.appliance.store.write(lambda tx: tx.sql.value("PRAGMA max_page_count = 1000000"))

    assert full == (503, '{"ready":false,"reasons":["The disk is full; nothing was stored."]}')
    assert (alive[0], figures) == (200, 200)
    assert (await _fetch(f"{world.address}/readyz"))[0] == 200


async def test_not_ready_says_why(world: World) -> None:
    """503 with the reasons, while the process is still alive."""
    world.appliance.stopping.set()

    assert await _fetch(f"{world.address}/readyz") == (503, '{"ready":false,"reasons":["stopping"]}')
    assert (await _fetch(f"{world.address}/healthz"))[0] == 200


async def test_metrics_count_what_happened(world: World) -> None:
    """Webhooks, messages, replies and jobs, each under its name and label."""
    await world.twilio.receive(CUSTOMER, SMS, "Oi", sid="SM" + "a" * 32)
    await world.twilio.receive(CUSTOMER, SMS, "Oi", sid="SM" + "a" * 32)
    await world.settle()
    async with aiohttp.ClientSession() as session:
        await session.post(f"{world.address}/twilio/messages", data={"MessageSid": "SM1"})

    found = await _figures(f"{world.address}/metrics", **{"X-API-Key": API_KEY})

    for result in ("stored", "duplicate", "refused"):
        assert found["appliance_webhooks_total", ("message", result)] == 1
    assert found["appliance_webhooks_total", ("status", "stored")] > 0
    assert found["appliance_messages", ("answered",)] == 1
    assert found["appliance_messages", ("dead",)] == 0
    assert found["appliance_outbox_messages", ("delivered",)] == 1
    assert found["appliance_conversations", ("progress",)] == 1
    assert found["appliance_jobs_total", ("send_reply", "done")] == 1
    assert found["appliance_commit_batches_total", ()] > 0


async def test_metrics_need_the_key_or_their_own_address(tmp_path: Path) -> None:
    """The separate address serves nothing else."""
    port = free_port()
    async with World(tmp_path, server={"metrics_listen": Address("127.0.0.1", port)}) as world:
        assert (await _fetch(f"{world.address}/metrics"))[0] == 401
        await _figures(f"http://127.0.0.1:{port}/metrics")
        assert (await _fetch(f"http://127.0.0.1:{port}/api/v1/status"))[0] == 404
        assert (await _fetch(f"http://127.0.0.1:{port}/twilio/messages"))[0] == 404


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("GET", "/twilio/status", 405)])
async def test_error_pages_are_json(world: World, method: str, path: str, status: int) -> None:
    """Also outside the API; 405 says what is allowed."""
    async with aiohttp.ClientSession() as session, session.request(method, world.address + path) as response:
        answer: dict[str, Any] = await response.json()
        assert response.status == status
        assert answer["error"]["message"]
        assert (response.headers.get("Allow") == "POST") == (status == 405)


async def test_a_full_disk_is_503(world: World) -> None:
    """Nothing was stored and the caller hears it; reading goes on."""
    page = {"from": SMS, "to": CUSTOMER, "body": "x" * 1600}
    await world.appliance.store.write(lambda tx: tx.sql.value("PRAGMA max_page_count = 1"))
    async with api_of(world) as api:
        answers = await asyncio.gather(*(api.post("messages", page) for _ in range(30)))
        full = [answer["error"]["code"] for status, answer in answers if status == 503]
        assert {status for status, _ in answers} <= {202, 503}
        assert full
        assert set(full) == {"storage_full"}
        assert (await api.get("status"))["outbox"]["ready"] == 30 - len(full)
