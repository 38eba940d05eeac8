"""A person with a very long history is shown whole, and nobody else waits for it."""

import asyncio
import json

from appliance.store import Tx
from tests.support.api_client import api_of
from tests.support.world import CUSTOMER, World

MANY = 50_000
PATIENCE = 0.2  # seconds; made and sent in one piece it was 0.4 to 0.7
TRIES = 3  # more, where the machine itself is busy


def _fill(tx: Tx) -> None:
    """So many more messages and answers as the first ones."""
    for name in ("messages", "outbox"):
        row = tx.sql.one(f"SELECT * FROM {name} LIMIT 1")
        assert row is not None
        columns = [column for column in row.keys() if column not in ("id", "sid", "idempotency_key")]  # noqa: SIM118
        listed = ", ".join(columns)
        tx.sql.run(
            f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {MANY}) "
            f"INSERT INTO {name} (sid, {listed}) SELECT printf('SM%032x', n), {listed} "
            f"FROM s, (SELECT {listed} FROM {name} LIMIT 1)"
        )


async def _export(world: World) -> tuple[float, bytes]:
    """How long the event loop stood still at most (seconds), and what came."""
    loop, waits, body = asyncio.get_running_loop(), [0.0], bytearray()

    async def watch() -> None:
        while True:
            began = loop.time()
            await asyncio.sleep(0.002)
            waits.append(loop.time() - began)

    async with api_of(world) as api:
        watching = asyncio.create_task(watch())
        url = f"{world.address}/api/v1/contacts/export"
        async with api.session.post(url, json={"address": CUSTOMER}) as response:
            async for chunk in response.content.iter_any():
                body += chunk
        watching.cancel()
    print(f"the event loop waited at most {max(waits):.3f} s")
    return max(waits), bytes(body)


async def test_nobody_waits_for_a_long_history(world: World) -> None:
    """50,000 messages and as many answers: the event loop never stands still for long, and all of them are in it."""
    await world.say("Qual o horário?")
    await world.settle()
    await world.appliance.store.write(_fill)

    waited, body = await _export(world)
    for _ in range(TRIES):
        if waited >= PATIENCE:
            waited, body = await _export(world)

    (contact,) = json.loads(body)["person"]["contacts"]
    assert (len(contact["held"]["messages"]), len(contact["held"]["outbox"])) == (MANY + 1, MANY + 1)
    assert waited < PATIENCE
