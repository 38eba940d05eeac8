"""The conservation law and the file's integrity: what does not add up is found."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.shop import Shop, open_shop
from tests.support.world import CUSTOMER, SMS


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path) as running:
        yield running


BREAKS = {
    "UPDATE outbox SET body = 'other'": "replies whose text was altered on disk: 1",
    "UPDATE outbox SET sid = NULL": "replies said to be sent without Twilio's sid: 1",
    "INSERT INTO outbox (organization_id, channel_id, contact_id, kind, body, body_hash, state, sid, created_at) "
    "SELECT organization_id, channel_id, contact_id, kind, body, body_hash, state, sid, created_at FROM outbox": (
        "replies said to be a message that another reply is: 2"
    ),
    "UPDATE messages SET suppressed = 'both'": "messages with more than one disposition: 1",
    "UPDATE messages SET reply_id = NULL": "messages that wait and that nothing will answer: 1",
    "UPDATE outbox SET state = 'failed', sid = NULL": "messages without an answer and without a card: 1",
}


@pytest.mark.parametrize(("statement", "problem"), BREAKS.items())
async def test_what_does_not_add_up_is_found(shop: Shop, statement: str, problem: str) -> None:
    """Each law is broken by hand once."""
    shop.moody.works = True
    await shop.twilio.receive(CUSTOMER, SMS, "Oi")
    await shop.settle()
    assert await shop.verified() == []

    await shop.appliance.store.write(lambda tx: tx.sql.run(statement))

    verdict: dict[str, Any] = await shop.api.get("verify")
    assert verdict["ok"] is False
    assert problem in verdict["problems"]


async def test_a_busy_and_unlucky_day_adds_up(shop: Shop) -> None:
    """Answered, apologised, silenced, waiting: each message has exactly one disposition."""
    await shop.fail()
    await shop.twilio.receive(CUSTOMER, SMS, "SAIR")
    await shop.settle()
    await shop.twilio.receive("+5511900000001", SMS, "Oi")
    await shop.settle()
    await shop.appliance.engine.worker.stop()
    await shop.twilio.receive("+5511900000001", SMS, "E agora?")

    verdict: dict[str, Any] = await shop.api.get("verify")

    assert verdict["problems"] == []
    counted = verdict["messages"]
    kinds = ("answered", "apologised", "suppressed", "dead", "live")
    assert counted["received"] == sum(counted[kind] for kind in kinds) == 4
    assert (counted["apologised"], counted["live"]) == (1, 1)
