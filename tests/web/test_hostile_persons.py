"""Hostile input to what is about persons and accounts: 4xx with a code and a sentence, and nobody loses anything."""

import json
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from appliance.model import MAIN
from appliance.operations import verification
from appliance.simulator import SANDBOX
from appliance.store import Tx
from tests.support.accounts import BRANCH, NUMBERS, Accounts
from tests.support.api_client import ApiClient, api_of, control_of
from tests.support.world import CUSTOMER

FIRST = "Padaria Aurora"
SENDER = f"whatsapp:{CUSTOMER}"
ONLY_BRANCHS = "+5511911112222"
NUMBER = NUMBERS[BRANCH][0]
NEARLY: dict[str, dict[str, Any]] = {  # as right as can be without anything coming of it
    "contacts/export": {"address": SENDER, "also": [], "organization": FIRST},
    "contacts/forget": {"address": "+5511900000000", "also": [SENDER], "organization": FIRST, "at_twilio": False},
    "contacts/link": {"address": SENDER, "other": "+5511900000000", "organization": FIRST},
    "contacts/unlink": {"address": SENDER, "other": "+5511900000000", "organization": FIRST},
    "channels/move": {"address": NUMBER, "account": BRANCH, "from": BRANCH, "park": False},
    "channels": {"address": NUMBER, "organization": BRANCH, "account": BRANCH},
}
NUMBERS_THAT_NOTHING_HAS = [0, -1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 1.5, 1e308]
TEXTS = ["", " ", "\x00", "+55\x00119", "\ud800", "x" * 100_000, "9" * 18, "9" * 5_000, "-1", "\u202e\x1b[2J", "nobody"]
OTHERS: list[Any] = [None, True, [], {}, [None], ["\x00"], [1], ["a"] * 21, {"a": 1}]
BAD = [*NUMBERS_THAT_NOTHING_HAS, *TEXTS, *OTHERS]
QUERIES = ["", "%00", "%ED%A0%80", "%FF", "%zz", "-1", "9" * 18, "9" * 30, str(2**63), "x" * 7_000, "nobody", "%D9%A1"]
PLACES = [
    ("GET", "contacts?address={}"),
    ("GET", "contacts?address=x&organization={}"),
    ("GET", "contacts/links?address={}&organization=branch"),
    ("GET", "contacts/links?address=x&organization={}"),
    ("GET", "contacts/forgotten?id={}"),
    ("DELETE", "channels/{}?account=branch"),
    ("DELETE", f"channels/%2B{NUMBER[1:]}?account={{}}&force=1"),
]


def _kept(tx: Tx) -> list[Any]:
    tables = "messages", "outbox", "contacts", "contact_links", "forgettings"
    counts = [tx.sql.value(f"SELECT count(*) FROM {table}") for table in tables]
    return [*counts, *map(dict, tx.sql.all("SELECT id, account, address, organization_id, removed_at FROM channels"))]


async def _post(client: ApiClient, path: str, body: Any) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    return await client.call("POST", path, data=json.dumps(body).encode(), headers=headers)


async def _all(client: ApiClient) -> list[str]:
    """What was answered with neither success nor a refusal that says why."""
    found = []
    for path, right in NEARLY.items():
        for field, bad in [(field, bad) for field in [*right, "unknown"] for bad in BAD]:
            found.append((f"{path} {field} {bad!r:.40}", *await _post(client, path, right | {field: bad})))
    for method, place in PLACES:
        for raw in QUERIES:
            url = URL(f"{client.base}/api/v1/{place.format(raw)}", encoded=True)
            async with client.session.request(method, url) as response:
                found.append((f"{place} {raw:.40}", response.status, await response.json()))
    return [
        f"{what}: {status} {answer}"
        for what, status, answer in found
        if status >= 500
        or (status >= 400 and (set(answer["error"]) != {"code", "message", "field"} or not answer["error"]["message"]))
    ]


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    async with Accounts(tmp_path) as running:
        for account in (MAIN, BRANCH):
            await running.write(account, SENDER, SANDBOX, "Oi")
        await running.write(BRANCH, ONLY_BRANCHS, NUMBER, "Oi")
        await running.pass_(60)
        yield running


async def test_every_field_with_what_cannot_be_in_it(world: Accounts) -> None:
    """Wrong types, NUL, halves of surrogate pairs, numbers beyond SQLite's; over HTTP and over the socket."""
    before = await world.appliance.store.read(_kept)

    async with api_of(world) as api, control_of(world) as control:
        assert await _all(api) == []
        assert await _all(control) == []

    await world.pass_(60)
    assert await world.appliance.store.read(_kept) == before
    assert (await world.appliance.store.inspect(verification.verify)).problems == []


@pytest.mark.parametrize("path", ["contacts/export", "contacts/forget", "contacts/link", "contacts/unlink"])
async def test_another_organizations_contact_is_nobody(world: Accounts, path: str) -> None:
    """By its address, which only the other one knows."""
    other = {"other": SENDER} if "link" in path else {}
    async with api_of(world) as api:
        status, answer = await api.post(path, {"address": ONLY_BRANCHS, "organization": FIRST} | other)

    assert (status, answer["error"]["code"][:8]) == (404, "unknown_")
