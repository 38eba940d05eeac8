"""A channel is removed: what was said stays, nothing unfinished is lost, what comes in then is nobody's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.model import MAIN, JobKind
from appliance.simulator import Fault
from tests.support.api_client import ApiClient, api_of
from tests.support.shop import Shop, open_shop
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock

OTHER = "+5511977776666"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path) as running:
        running.moody.works = True
        yield running


@asynccontextmanager
async def open_faq(directory: Path) -> AsyncIterator[Shop]:
    """A shop whose offline FAQ answers."""
    async with Shop(directory, clock=ManualClock()) as world, api_of(world) as api:
        world.api = api
        yield world


async def remove(api: ApiClient, address: str = SMS, **query: str) -> tuple[int, Any]:
    return await api.call("DELETE", f"channels/{address}", params=query)


async def close_all(shop: Shop) -> None:
    shop.clock.jump(25 * 3600)  # type: ignore[union-attr]
    await shop.appliance.engine.schedule.tick(JobKind.EXPIRED)
    await shop.settle()


async def test_a_quiet_channel_goes_and_its_history_stays(shop: Shop) -> None:
    """What comes in afterwards is an orphan, nothing is sent from it, and Twilio's log is not read for it."""
    await shop.say("Oi")
    await shop.settle()
    await close_all(shop)

    status, answer = await remove(shop.api)
    await shop.say("Alguém aí?")
    await shop.settle()
    sent = await shop.api.post("messages", {"from": SMS, "to": CUSTOMER, "body": "Olá"})

    assert (status, answer["conversations"]) == (200, 0)
    assert len((await shop.api.get(f"messages?contact={CUSTOMER}"))["messages"]) == 2
    assert [each["address"] for each in (await shop.api.get("channels"))["channels"]] == [WHATSAPP]
    assert (await shop.api.get("organizations"))["organizations"][0]["channels"] == [WHATSAPP]
    assert [each["to"] for each in (await shop.api.get("orphans"))["orphans"]] == [SMS]
    assert (sent[0], sent[1]["error"]["code"]) == (400, "unknown_channel")
    assert await shop.appliance.store.read(lambda tx: [c.address for c, _, _ in tx.channels.enabled(MAIN)]) == [
        WHATSAPP
    ]
    assert await shop.verified() == []


async def test_an_open_conversation_keeps_it(shop: Shop) -> None:
    """The refusal counts what is not finished and says what to do."""
    await shop.say("Oi")
    await shop.settle()

    status, answer = await remove(shop.api)

    assert (status, answer["error"]["code"]) == (409, "channel_in_use")
    assert answer["error"]["message"].startswith(f"{SMS} is in use: open conversations: 1.")
    assert "--force" in answer["error"]["message"]
    assert [each["address"] for each in (await shop.api.get("channels"))["channels"]] == [SMS, WHATSAPP]


async def test_by_force_nothing_is_lost_without_a_word(shop: Shop) -> None:
    """A message without an answer, a reply that was not sent yet, one in doubt: each is a dead letter, none goes out."""
    await shop.say("Vocês abrem hoje?", OTHER)
    await shop.settle()
    shop.twilio.faults.add(Fault("create", "reset"), Fault("list", "error", times=None))
    await shop.say("Oi", CUSTOMER)
    await shop.settle()
    shop.moody.works = False
    await shop.appliance.engine.worker.stop()
    await shop.say("E amanhã?", OTHER)
    await shop.api.post("messages", {"from": SMS, "to": "+5511966665555", "body": "Seu bolo está pronto."})

    status, answer = await remove(shop.api, force="1")

    assert status == 200
    assert (answer["conversations"], answer["messages"], answer["replies"]) == (2, 1, 2)
    assert await shop.column("SELECT DISTINCT status FROM conversations") == ["closed"]
    assert await shop.column("SELECT state FROM outbox ORDER BY id") == ["delivered", "parked", "failed"]
    assert len(await shop.letters()) == 3
    assert await shop.column("SELECT count(*) FROM message_queue WHERE status = 'ready' AND lane LIKE '+%'") == [0]
    assert await shop.verified() == []
    await shop.stop()
    shop.moody.works = True
    await shop.start()
    await shop.settle()
    assert (shop.sent(OTHER), shop.sent("+5511966665555")) == (["Respondido: Vocês abrem hoje?"], [])


async def test_who_waits_for_a_person_becomes_a_dead_letter(tmp_path: Path) -> None:
    """Held messages are nobody's any more; the customer is named, masked, and no log is read for the hand-back."""
    async with open_faq(tmp_path) as shop:
        await shop.say("ATENDENTE")
        await shop.settle()
        await shop.say("É urgente!")
        await shop.settle()

        refused = await remove(shop.api)
        status, answer = await remove(shop.api, force="1")
        shop.clock.jump(13 * 3600)  # type: ignore[union-attr]
        await shop.appliance.engine.schedule.tick(JobKind.HAND_BACK)
        await shop.settle()

        assert "customers who wait for a person: 1" in refused[1]["error"]["message"]
        assert (status, answer["persons"], answer["messages"]) == (200, ["…7777"], 1)
        assert await shop.dispositions() == ["answered", "dead"]
        assert await shop.cards() == ["could_not_answer"]
        assert await shop.verified() == []
        (letter,) = await shop.letters()
        assert await shop.retry(letter) == "channel_removed"
        await shop.api.call("DELETE", f"dead-letters/{letter}")
        assert await shop.cards() == []


async def test_a_reply_on_its_way_is_waited_for(shop: Shop) -> None:
    """Nobody knows yet what becomes of it: not even by force."""
    await shop.say("Oi")
    await shop.settle()
    await shop.appliance.store.write(lambda tx: tx.sql.run("UPDATE outbox SET state = 'sending'"))

    assert (await remove(shop.api, force="1"))[1]["error"]["code"] == "busy"


async def test_added_again_it_goes_on_with_its_history(shop: Shop) -> None:
    """The same organization has its contacts back; what came in meanwhile stays an orphan."""
    await shop.say("Oi")
    await shop.settle()
    await remove(shop.api, force="1")
    await shop.say("Alguém aí?")

    status, answer = await shop.api.post("channels", {"address": SMS})
    await shop.say("Voltaram?")
    await shop.settle()
    await shop.appliance.engine.schedule.tick(JobKind.CATCH_UP)
    await shop.settle()

    assert (status, answer["id"]) == (201, 1)
    assert shop.sent() == ["Respondido: Oi", "Respondido: Voltaram?"]
    assert await shop.column("SELECT count(*) FROM contacts") == [1]
    assert "orphan" not in await shop.cards()


async def test_another_organization_does_not_get_its_customers(shop: Shop) -> None:
    """Unless nobody ever wrote to it: then nothing is left of it."""
    other = {"name": "Outra", "channels": ["+551150000000"], "user": "a@b"}
    await shop.api.post("organizations", other)
    await shop.say("Oi")
    await shop.settle()
    await remove(shop.api, force="1")
    await remove(shop.api, WHATSAPP)

    used = await shop.api.post("channels", {"address": SMS, "organization": "Outra"})
    unused = await shop.api.post("channels", {"address": WHATSAPP, "organization": "Outra"})

    assert (used[0], used[1]["error"]["message"]) == (
        409,
        f"{SMS} was a channel of Padaria Aurora, which keeps its messages; add it there.",
    )
    assert unused[0] == 201


async def test_a_late_callback_still_finds_its_reply(shop: Shop) -> None:
    """What was sent from it is followed as before."""
    shop.twilio.faults.add(Fault("callback", "delayed", seconds=0.3))
    await shop.twilio.receive(CUSTOMER, SMS, "Oi")
    await shop.until(shop.sent)
    await shop.until(lambda: _state(shop, "sent"))
    assert (await remove(shop.api, force="1"))[0] == 200

    await shop.settle()

    assert await shop.column("SELECT state FROM outbox") == ["delivered"]


async def _state(shop: Shop, state: str) -> bool:
    return await shop.column("SELECT state FROM outbox") == [state]
