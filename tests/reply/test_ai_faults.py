"""Every way an AI endpoint can fail, end to end: one friendly text, never the provider's words, a dead letter."""

import asyncio
from pathlib import Path

import pytest

from appliance.model import SECOND
from appliance.queue.circuit import AI_LIMIT
from tests.support.fake_ai import CANARY, FAULTS, FakeAi, fault_url
from tests.support.world import CUSTOMER, ManualClock, World

SORRY = "Desculpe, estou indisponível no momento. Sua mensagem foi recebida."
DEADLINE = 2  # seconds; real ones, because these faults live in sockets
AT_ONCE = 8  # worlds that fail side by side
# A whole answer that cannot be used is taken for the message's own fault: it was paid for, and one more try is all.
PAID = {"array", "content_number", "error_200", "gzip_bomb", "huge", "no_choices"}
GROUPS = [sorted(FAULTS)[start::AT_ONCE] for start in range(AT_ONCE)]


async def fail(directory: Path, name: str) -> None:
    """One world whose provider has this one fault from the first call on."""
    model = FakeAi()
    model.fault = name
    world = World(directory, model=model, ai={"deadline": DEADLINE * SECOND})
    if FAULTS[name].handler is None:
        world.overrides["ai"]["base_url"] = fault_url(name, "http://127.0.0.1:1/v1")
    async with world:
        await world.say("Qual o horário?")
        await world.until(world.sent, DEADLINE + 5)
        await world.settle()
        letters = await world.rows("SELECT * FROM message_queue WHERE status = 'dead'")

        assert world.sent() == [SORRY], name
        expected = FAULTS[name].expected  # of these nobody waits for the deadline
        assert len(model.requests) == {"permanent": 1, "for_all": 1, "content": 2}.get(expected, len(model.requests)), (
            name
        )
        assert await world.dispositions() == ["apologised"], name
        assert [letter["kind"] for letter in letters] == ["process_ai_response"], name
        of_the_message = expected in ("permanent", "content") or name in PAID
        assert await world.cards() == ["could_not_answer" if of_the_message else "ai"], name
        assert await world.column("SELECT times FROM cards WHERE closed_at IS NULL AND kind = 'ai'") == (
            [] if of_the_message else [1]
        ), name
        shown = str(letters) + str(await world.rows("SELECT * FROM cards"))
        assert CANARY not in shown, name


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: f"{names[0]}-and-{len(names) - 1}-more")
async def test_every_fault_ends_in_one_friendly_text(tmp_path: Path, names: list[str]) -> None:
    """Within the deadline and five seconds, permanent ones within two; also when the provider asks to wait longer."""
    places = [tmp_path / str(number) for number in range(len(names))]  # short: a socket's path has at most 107 bytes
    await asyncio.gather(*map(fail, places, names))


async def test_what_was_paid_for_is_no_fault_of_the_provider_where_no_time_is_left(tmp_path: Path) -> None:
    """The wait before another try would pass the deadline: the text at once, and the conversation's own card."""
    model = FakeAi()
    model.fault = "array"
    async with World(tmp_path, clock=ManualClock(), model=model, ai={"deadline": 50}) as world:
        await world.say("Qual o horário?")
        await world.settle()

        assert (world.sent(), len(model.requests)) == ([SORRY], 1)
        assert await world.cards() == ["could_not_answer"]


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.expected == "parked"])
async def test_a_parked_provider_gives_the_real_answer_afterwards(tmp_path: Path, name: str) -> None:
    """Asked to wait for less than the deadline: no attempt is burnt, the answer comes late and once."""
    model = FakeAi()
    model.fault = name
    async with World(tmp_path, model=model, queue={"max_attempts": 1}) as world:
        await world.say("Qual o horário?")
        await world.until(lambda: model.requests)
        await world.until(lambda: not world.appliance.engine.worker.busy)
        model.fault = None
        # The provider's own wait is minutes of virtual patience: here it is over at once.
        world.appliance.engine.circuits.get(AI_LIMIT).succeeded()
        await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE message_queue SET run_at = ?", tx.now))
        world.appliance.engine.bell.ring()
        await world.until(world.sent)

        assert world.sent(CUSTOMER) == ["You asked: Qual o horário?"]
        assert await world.column("SELECT count(*) FROM message_queue WHERE status = 'dead'") == [0]


async def test_hostile_words_of_a_model_are_only_words(tmp_path: Path) -> None:
    """Far too long, with NUL and markup: one message of at most 1,600 characters, nothing else happens."""
    model = FakeAi()
    model.answer = "**Olá**\x00 <b>" + "palavra " * 1_000
    async with World(tmp_path, model=model) as world:
        await world.say("Qual o horário?")
        await world.until(world.sent)

        (body,) = world.sent()
        assert len(body) <= 1_600
        assert "\x00" not in body
