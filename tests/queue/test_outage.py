"""No way out of the box for an hour, in virtual time: real answers afterwards, nobody apologised to."""

import asyncio
from pathlib import Path

import pytest

from appliance.model import HOUR, SECOND
from appliance.queue.bell import Bell
from appliance.queue.outage import Outage
from appliance.store import Store
from appliance.wire import Fault, OutboundMessage, Trouble, TwilioMessageResult
from tests.support.fake_ai import FakeAi
from tests.support.world import ManualClock, World

CUSTOMERS = [f"+55119{number:08d}" for number in range(50)]
SORRY = "Desculpe, estou indisponível no momento. Sua mensagem foi recebida."
DEADLINE = 45


async def lose_the_network(world: World) -> None:
    await world.twilio_line.cut()
    if world.model_line is not None:
        await world.model_line.cut()


async def get_it_back(world: World) -> None:
    await world.twilio_line.mend()
    if world.model_line is not None:
        await world.model_line.mend()


@pytest.mark.parametrize("provider", ["faq", "llm"])
async def test_an_hour_without_internet_ends_in_real_answers(tmp_path: Path, provider: str) -> None:
    """Fifty messages wait for an hour: fifty real answers, none dead, none apologised to, each once."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, model=FakeAi() if provider == "llm" else None) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await world.say("Qual o horário?", "+5511899999999")  # connections are open and warm
        await world.settle()
        await lose_the_network(world)
        await asyncio.gather(*(world.say("Qual o horário?", customer) for customer in CUSTOMERS))
        await clock.advance(HOUR / SECOND, world.settle)
        assert not any(world.sent(customer) for customer in CUSTOMERS)

        await get_it_back(world)
        await clock.advance(120, world.settle)

        answer = "Abrimos das 7h às 19h." if provider == "faq" else "You asked: Qual o horário?"
        assert [world.sent(customer) for customer in CUSTOMERS] == [[answer]] * 50
        assert await world.dispositions() == ["answered"] * 51
        assert await world.column("SELECT count(*) FROM message_queue WHERE status = 'dead'") == [0]
        assert await world.cards() == []


async def test_an_outage_that_begins_in_the_middle_of_answers_ends_in_real_ones(tmp_path: Path) -> None:
    """Calls on open connections break off: that is the network's fault, not the provider's."""
    clock = ManualClock()
    model = FakeAi()
    model.delay = 4.0
    async with World(tmp_path, clock=clock, model=model) as world:
        await asyncio.gather(*(world.say("Qual o horário?", customer) for customer in CUSTOMERS))
        await world.until(lambda: len(model.requests) >= 5)
        await lose_the_network(world)
        model.delay = 0.0
        await clock.advance(300, world.settle)

        await get_it_back(world)
        await clock.advance(120, world.settle)

        assert [world.sent(customer) for customer in CUSTOMERS] == [["You asked: Qual o horário?"]] * 50
        assert await world.dispositions() == ["answered"] * 50
        assert await world.cards() == []


async def test_messages_during_an_outage_start_their_deadline_after_it(tmp_path: Path) -> None:
    """The outage is known before they come (a tunnel still delivers): nothing is claimed, so nothing runs out."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, model=FakeAi()) as world:
        await lose_the_network(world)
        await world.say("first", CUSTOMERS[0])
        await clock.advance(600, world.settle)
        await world.say("second", CUSTOMERS[1])
        await clock.advance(600, world.settle)
        await get_it_back(world)
        await clock.advance(120, world.settle)

        assert world.sent(CUSTOMERS[0]) == ["You asked: first"]
        assert world.sent(CUSTOMERS[1]) == ["You asked: second"]


async def test_a_restart_during_an_outage_loses_no_answer(tmp_path: Path) -> None:
    """The process is restarted in the middle of the hour: still the real answer."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, model=FakeAi()) as world:
        await lose_the_network(world)
        await world.say("first", CUSTOMERS[0])
        await clock.advance(600, world.settle)
        await world.stop()
        await world.start()
        await clock.advance(600, world.settle)
        await get_it_back(world)
        await clock.advance(120, world.settle)

        assert world.sent(CUSTOMERS[0]) == ["You asked: first"]


async def test_a_provider_out_of_reach_while_twilio_answers_is_apologised_for(tmp_path: Path) -> None:
    """The way out is there, only the model is not: the friendly text by the deadline, a dead letter, a card."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, model=FakeAi()) as world:
        assert world.model_line is not None
        await world.model_line.cut()
        await world.say("Oi", CUSTOMERS[0])
        await clock.advance(DEADLINE + 5, world.settle)

        assert world.sent(CUSTOMERS[0]) == [SORRY]
        assert await world.dispositions() == ["apologised"]
        assert await world.cards() == ["ai"]
        assert await world.column("SELECT kind FROM message_queue WHERE status = 'dead'") == ["process_ai_response"]


async def test_a_hundred_customers_of_a_provider_that_is_down_hear_in_time(tmp_path: Path) -> None:
    """Everybody has the one friendly text within the deadline and five seconds."""
    clock = ManualClock()
    customers = [f"+55118{number:08d}" for number in range(100)]
    async with World(tmp_path, clock=clock, model=FakeAi()) as world:
        assert world.model_line is not None
        await world.model_line.cut()
        await asyncio.gather(*(world.say("Oi", customer) for customer in customers))
        await clock.advance(DEADLINE + 5, world.settle)

        assert [world.sent(customer) for customer in customers] == [[SORRY]] * 100
        assert await world.dispositions() == ["apologised"] * 100


async def test_later_messages_share_the_apology(tmp_path: Path) -> None:
    """At most one friendly text per conversation per 30 minutes; afterwards another."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, model=FakeAi()) as world:
        assert world.model_line is not None
        await world.model_line.cut()
        for _ in range(3):
            await world.say("Oi", CUSTOMERS[0])
            await clock.advance(DEADLINE + 5, world.settle)
        assert world.sent(CUSTOMERS[0]) == [SORRY]
        assert await world.dispositions() == ["apologised"] * 3

        await clock.advance(1_800, world.settle)
        await world.say("Oi?", CUSTOMERS[0])
        await clock.advance(DEADLINE + 5, world.settle)
        assert world.sent(CUSTOMERS[0]) == [SORRY] * 2


class Way:
    """A sender whose Twilio answers, or does not."""

    def __init__(self, *, is_open: bool) -> None:
        self.is_open = is_open

    async def probe(self) -> Trouble | None:
        return None if self.is_open else Trouble(Fault.NO_WAY, "test")

    async def send(self, message: OutboundMessage) -> TwilioMessageResult:
        raise AssertionError(message.reference)

    async def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize(("opened", "total"), [([False, True], False), ([True, False], False), ([False, False], True)])
async def test_one_account_that_reaches_its_twilio_proves_the_way_out(
    tmp_path: Path, opened: list[bool], total: bool
) -> None:
    """The box is cut off only where nobody can be reached: an account's own trouble makes nobody else wait."""
    store = await Store.open(tmp_path, ManualClock())
    try:
        outage = Outage(store, [Way(is_open=each) for each in opened], ManualClock(), Bell())
        assert await outage.is_total() is total
    finally:
        await store.close()


async def test_twilio_out_of_reach_only_delays(tmp_path: Path) -> None:
    """The answer is written at once and sent when Twilio can be reached, once."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, model=FakeAi()) as world:
        await world.twilio_line.cut()
        await world.say("Oi", CUSTOMERS[0])
        await clock.advance(600, world.settle)
        assert await world.column("SELECT state FROM outbox") == ["ready"]

        await world.twilio_line.mend()
        await clock.advance(60, world.settle)
        assert world.sent(CUSTOMERS[0]) == ["You asked: Oi"]
