"""The figures of calls, costs and commits: each counts what `docs/metrics.md` says, and nobody's name is in them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from appliance import __version__
from appliance.model import HOUR, SECOND, JobKind
from appliance.responder.llm import MAX_TOKENS
from appliance.simulator import Fault
from appliance.store.box import Fact
from tests.support.fake_ai import FakeAi, completion
from tests.support.world import API_KEY, CUSTOMER, ManualClock, World

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
ANSWER = "Abrimos das 7h às 19h."
Figures = dict[tuple[str, ...], float]


async def page(world: World) -> str:
    async with (
        aiohttp.ClientSession(headers={"X-API-Key": API_KEY}) as session,
        session.get(f"{world.address}/metrics") as response,
    ):
        assert response.status == 200
        return await response.text()


async def figures(world: World) -> Figures:
    """Each sample by its name and its labels' values."""
    families = text_string_to_metric_families(await page(world))
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[World]:
    """A model answers; time is moved by hand."""
    async with World(tmp_path, clock=ManualClock(), model=FakeAi()) as world:
        yield world


async def answered(world: World, body: str = "Qual o horário?") -> None:
    await world.say(body)
    await world.settle()


async def test_the_page_names_every_figure(world: World) -> None:
    """All that /metrics has stands in the documentation under the name to ask for, and nothing else does."""
    found = re.findall(r"^# TYPE (\S+) (\S+)$", await page(world), re.MULTILINE)
    told = re.findall(r"^\| `([a-z_]+)(?:\{([a-z, ]+)\})?` ", PAGE.read_text("utf-8"), re.MULTILINE)

    created = {name for name, _ in found if name.endswith("_created")}
    assert {name for name, _ in told} == {name for name, _ in found} - created
    assert len(told) == len(set(told))


async def test_who_we_are_and_what_it_takes(world: World) -> None:
    """The version, and what the process uses."""
    found = await figures(world)

    assert found["appliance_build_info", __version__] == 1
    assert found[("process_resident_memory_bytes",)] > 1_000_000
    assert found[("process_open_fds",)] > 3
    assert found["python_gc_collections_total", "0"] > 0


async def test_calls_of_the_model(asked: World) -> None:
    """By what came back; tokens in and out, also those of an answer that could not be sent."""
    model = asked.model
    assert model is not None
    await answered(asked)
    model.answer = lambda body: "" if len(model.requests) == 2 else "Sim."
    await answered(asked)
    model.fault = "rate_429_seconds"
    await answered(asked)
    assert isinstance(asked.clock, ManualClock)

    found = await figures(asked)

    assert found["appliance_model_calls_total", "answered"] == 3
    assert found["appliance_model_calls_total", "limited"] == 1
    assert (found["appliance_model_tokens_total", "in"], found["appliance_model_tokens_total", "out"]) == (30, 15)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("bad_key_401", "refused"), ("reset_before_headers", "unreachable"), ("html_200", "unusable")],
)
async def test_calls_that_came_to_nothing(asked: World, fault: str, outcome: str) -> None:
    """Each kind has its name."""
    assert asked.model is not None
    asked.model.fault = fault
    await answered(asked)

    assert (await figures(asked))["appliance_model_calls_total", outcome] >= 1


@pytest.mark.parametrize("count", [-5, 1e300, MAX_TOKENS + 1, None, True])
async def test_tokens_that_cannot_be_are_not_counted(asked: World, count: object) -> None:
    """A server counts nonsense, or nothing: the answer is sent all the same."""
    assert asked.model is not None
    asked.model.answer = lambda _: completion(ANSWER, prompt_tokens=count if count is not True else -1)
    await answered(asked)

    found = await figures(asked)

    assert len(asked.sent()) == 1
    assert "appliance_model_tokens_total" not in {name[0] for name in found}


async def test_calls_of_twilio(world: World) -> None:
    """By account: answered, or what ails the link; sends by what became of them, doubts besides."""
    await world.teach("Horário", ANSWER)
    await answered(world)
    world.twilio.faults.add(Fault("create", "error", status=400, code=21211))
    await world.say("Qual o horário?", "+5511955550001")
    await world.settle()
    world.twilio.faults.add(Fault("create", "error", status=503))
    await world.say("Qual o horário?", "+5511955550002")
    await world.settle()

    found = await figures(world)

    for outcome in ("accepted", "refused", "doubt"):
        assert found["appliance_sends_total", "main", outcome] == 1
    assert found[("appliance_doubts_total",)] == 1
    assert found["appliance_twilio_calls_total", "main", "server"] == 1
    assert found["appliance_twilio_calls_total", "main", "answered"] >= 2
    assert found["appliance_cards", "doubt"] == 1
    assert found["appliance_cards", "not_sent"] == 1
    assert found["appliance_cards", "backup"] == 0


async def test_segments_and_price(asked: World) -> None:
    """Segments by the answer to the POST; the price when Twilio is asked later, where it says one."""
    world, clock = asked, asked.clock
    assert isinstance(clock, ManualClock)
    assert world.model is not None
    world.model.answer = "palavra " * 40
    world.twilio.faults.add(Fault("callback", "lost", times=None))
    await answered(world)
    found = await figures(world)
    assert found[("appliance_segments_total",)] == 3
    assert not [name for name in found if name[0] == "appliance_price_total"]

    for entry in world.twilio.ledger:
        world.twilio.ledger.record(msgspec.structs.replace(entry, price="-0.02250"))
    await clock.advance(5 * HOUR / SECOND, world.settle)
    await world.appliance.engine.schedule.tick(JobKind.FOLLOW_UP)
    await world.settle()

    assert (await figures(world))["appliance_price_total", "USD"] == pytest.approx(0.0225)


async def test_backup_and_commits(asked: World) -> None:
    """The age of the newest copy, as soon as there is one; commits by their time; the log's size."""
    world = asked
    await answered(world)
    before = await figures(world)
    await world.appliance.store.write(lambda tx: tx.box.put(Fact.BACKUP_AT, tx.now - HOUR))
    found = await figures(world)

    assert ("appliance_backup_age_seconds",) not in before or before[("appliance_backup_age_seconds",)] < 60
    assert found[("appliance_backup_age_seconds",)] == 3_600
    assert found[("appliance_commit_seconds_count",)] == before[("appliance_commit_seconds_count",)] + 1
    assert 0 < found[("appliance_commit_seconds_sum",)] < 60
    assert found[("appliance_wal_bytes",)] > 0


async def test_refused_signatures(world: World) -> None:
    """Apart from what is refused for another reason."""
    async with aiohttp.ClientSession() as session:
        await session.post(f"{world.address}/twilio/messages", data={"MessageSid": "SM1", "From": CUSTOMER})
        await session.post(f"{world.address}/twilio/messages", json={})

    found = await figures(world)

    assert found["appliance_signatures_refused_total", "message"] == 1
    assert found["appliance_webhooks_total", "message", "refused"] == 2
