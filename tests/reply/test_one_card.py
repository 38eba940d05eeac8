"""Where nobody can be answered there is one card, in the provider's words, that counts the customers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.queue.circuit import AI, AI_LIMIT
from tests.support.api_client import ApiClient, api_of
from tests.support.dialects import RECORDED
from tests.support.fake_ai import CANARY, FakeAi, echo
from tests.support.world import CUSTOMER, ManualClock, World

KEY = "sk-owner-key-5f6c-canary"
SORRY = "Desculpe, estou indisponível no momento. Sua mensagem foi recebida."
CAUSES = [name for name, record in RECORDED.items() if record.expected == "for_all" and not record.text]
WRONG_KEY = RECORDED["openai: wrong_key"]
QUOTA = RECORDED["openai: quota"]
LIMITED = RECORDED["openai: limit_of_a_minute"]


@dataclass
class Shop:
    world: World
    model: FakeAi
    clock: ManualClock
    api: ApiClient

    def refuse(self, record: Any) -> None:
        self.model.answer = lambda _: (record.status, record.body)

    async def ask(self, number: int, body: str = "Oi") -> list[str]:
        """A customer writes; all that they were sent so far."""
        customer = f"+5511{990_000_000 + number}"
        await self.world.say(body, customer)
        await self.world.settle()
        return self.world.sent(customer)

    async def cards(self) -> list[tuple[str, int, str]]:
        """Kind, customers and words of the open cards."""
        rows = await self.world.rows("SELECT kind, times FROM cards WHERE closed_at IS NULL ORDER BY id")
        return [(row["kind"], row["times"], told) for row, told in zip(rows, await self.world.told(), strict=True)]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    model, clock = FakeAi(), ManualClock()
    async with World(tmp_path, clock=clock, model=model, ai={"api_key": KEY}) as world, api_of(world) as api:
        yield Shop(world, model, clock, api)


@pytest.mark.parametrize("name", CAUSES)
async def test_names_the_cause_and_counts_the_customers(shop: Shop, name: str) -> None:
    """Three customers, one of them twice: one call each, the friendly text at once, dead letters as ever, one card."""
    record = RECORDED[name]
    shop.refuse(record)

    said = [await shop.ask(number) for number in (1, 2, 3, 2)]

    assert said == [[SORRY]] * 4
    assert len(shop.model.requests) == 4
    ((kind, times, text),) = await shop.cards()
    assert (kind, times) == ("ai", 3)
    assert record.told in text
    assert not record.hidden or record.hidden not in text
    assert await shop.world.dispositions() == ["apologised"] * 4
    assert len((await shop.api.get("dead-letters"))["dead_letters"]) == 4
    assert (await shop.api.get("verify"))["problems"] == []
    circuits = shop.world.appliance.engine.circuits
    assert [circuits.get(circuit)._failures for circuit in (AI, AI_LIMIT)] == [0, 0]


async def test_closes_by_itself_when_a_call_succeeds(shop: Shop) -> None:
    """With the right key everybody is answered, and what was left is the dead letters, which can be retried."""
    shop.refuse(WRONG_KEY)
    await shop.ask(1)
    shop.model.answer = echo

    assert await shop.ask(2) == ["You asked: Oi"]
    assert await shop.cards() == []
    (letter,) = (await shop.api.get("dead-letters"))["dead_letters"]
    assert (await shop.api.post(f"dead-letters/{letter['id']}/retry"))[0] == 200
    await shop.world.settle()
    assert await shop.world.dispositions() == ["answered"] * 2


async def test_counts_anew_after_it_was_mended(shop: Shop) -> None:
    """The next one is another card, with its own customers."""
    shop.refuse(WRONG_KEY)
    await shop.ask(1)
    shop.model.answer = echo
    await shop.ask(2)
    await shop.clock.advance(60, shop.world.settle)
    shop.refuse(QUOTA)
    await shop.ask(1)
    await shop.ask(1)
    await shop.clock.advance(15, shop.world.settle)  # the watch: whom this card tells of needs no other

    ((_, times, text),) = await shop.cards()
    assert (times, QUOTA.told in text) == (1, True)


async def test_tells_the_newest_cause(shop: Shop) -> None:
    """A key that was mended on an account without credit: the card says what is wrong now."""
    shop.refuse(WRONG_KEY)
    await shop.ask(1)
    shop.refuse(QUOTA)
    await shop.ask(1)

    ((_, times, text),) = await shop.cards()
    assert (times, QUOTA.told in text, WRONG_KEY.told in text) == (1, True, False)


async def test_a_passing_limit_is_waited_for(shop: Shop) -> None:
    """A limit of a minute is no exhausted quota: nobody hears the friendly text, and there is no card."""
    shop.refuse(LIMITED)
    assert await shop.ask(1) == []
    assert await shop.cards() == []
    shop.model.answer = echo
    await shop.clock.advance(5, shop.world.settle)

    assert shop.world.sent("+5511990000001") == ["You asked: Oi"]


async def test_a_messages_own_fault_has_its_own_card(shop: Shop) -> None:
    """An empty answer beside a wrong key: the conversation's card, and the box's."""
    shop.model.answer = ""
    await shop.ask(1)
    shop.refuse(WRONG_KEY)
    await shop.ask(2)

    assert sorted(kind for kind, *_ in await shop.cards()) == ["ai", "could_not_answer"]


async def test_tells_no_secret_and_nothing_that_was_said(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    """A server that repeats key and question in its error: neither is on a card, in a dead letter or in the log."""
    question = f"Qual o horário {CANARY}?"
    shop.model.answer = lambda asked: (
        401,
        {"error": {"message": f"{KEY} asked {asked['messages'][-1]['content']} at https://a:b@c/d?key={KEY}"}},
    )
    await shop.world.say(question, CUSTOMER)
    await shop.world.settle()

    ((_, _, text),) = await shop.cards()
    shown = text + str(await shop.world.rows("SELECT error FROM message_queue"))
    shown += str(await shop.world.rows("SELECT text, facts FROM cards"))
    written = "".join(capfd.readouterr())
    assert text.startswith("The AI provider answers nobody. It says: HTTP 401: … asked … at https://c/d")
    assert not [word for word in (KEY, CANARY, "horário", "a:b@") if word in shown + written]
