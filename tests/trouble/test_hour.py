"""An hour of the five worst with 200 customers: one card each, its count right, a short log, everybody answered afterwards."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance import logs
from appliance.config import Secret
from tests.lab.faults.small_disk import SmallDisk, needs_root, small_disk
from tests.support.api_client import control_of
from tests.support.fake_ai import FakeAi
from tests.support.logging_state import given_back
from tests.support.world import SMS, ManualClock, World
from tests.trouble.stand import Ears

CUSTOMERS = [f"+55119{number:08d}" for number in range(200)]
NOON = 1_800_000_000_000 - 1_800_000_000_000 % 86_400_000 + 54_000_000  # 15:00 UTC, where nobody sleeps
ANSWER = "Abrimos das 7h às 19h."
HINTS = {"nothing_yet", "no_knowledge", "no_backup"}
Step = Callable[[World], Awaitable[Any]]


@dataclass(frozen=True)
class Hour:
    """`counted`: what the card says of how many."""

    card: str
    breaks: Step
    mends: Step
    counted: Callable[[dict[str, Any]], bool]
    model: bool = False


async def cut(world: World) -> None:
    await world.twilio_line.cut()


async def mend(world: World) -> None:
    await world.twilio_line.mend()


async def revoke(world: World) -> None:
    world.twilio.revoked = True


async def accept(world: World) -> None:
    world.twilio.revoked = False


def called(host: str) -> Step:
    """Twilio's console has another address than server.public_url."""

    async def step(world: World) -> None:
        world.twilio.public_url = world.address.replace("127.0.0.1", host)

    return step


def model_is(fault: str | None) -> Step:
    async def step(world: World) -> None:
        assert world.model is not None
        world.model.fault = fault

    return step


async def the_disk(world: World) -> SmallDisk:
    return SmallDisk(world.config.storage.directory)


async def fill(world: World) -> None:
    (await the_disk(world)).fill()


async def empty(world: World) -> None:
    (await the_disk(world)).empty()


HOURS = {
    "twilio cannot be reached": Hour("unreachable", cut, mend, lambda card: "200 customers wait" in card["text"]),
    "credentials refused": Hour("credentials", revoke, accept, lambda card: "200 customers wait" in card["text"]),
    "another public_url": Hour(
        "signature", called("localhost"), called("127.0.0.1"), lambda card: card["times"] >= 200
    ),
    "model 500": Hour("ai", model_is("error_500"), model_is(None), lambda card: card["times"] == 200, model=True),
    "disk full": Hour("disk", fill, empty, lambda card: card["times"] == 1),
}


@asynccontextmanager
async def world_of(directory: Path, hour: Hour, ears: Ears) -> AsyncIterator[tuple[World, ManualClock]]:
    clock, model = ManualClock(NOON), FakeAi() if hour.model else None
    if model is not None:
        model.answer = ANSWER
    alerts = {"url": Secret(str(ears.server.make_url("/")))}
    async with World(directory, clock=clock, model=model, alerts=alerts, server={"language": "en"}) as world:
        await world.teach("Horário", ANSWER)
        await world.say("Qual o horário?", "+5511899999999")
        await clock.advance(120, world.settle)
        yield world, clock


async def cards(world: World) -> list[dict[str, Any]]:
    async with control_of(world) as api:
        found = await api.get("cards")
    return [card for card in found["cards"] if card["kind"] not in HINTS]


def answered(world: World) -> list[str]:
    return sorted(entry.recipient for entry in world.twilio.ledger if entry.body == ANSWER)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in HOURS if name != "disk full"])
async def test_an_hour_of(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Told once and taken back; each of the 200 is answered once."""
    await an_hour(name, tmp_path, capfd)


@pytest.mark.slow
@needs_root
async def test_an_hour_of_a_full_disk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Webhooks hear 503; Twilio's log brings what they could not."""
    (tmp_path / "data").parent.mkdir(exist_ok=True)
    with small_disk(tmp_path / "data", 300):
        await an_hour("disk full", tmp_path, capfd)


async def an_hour(name: str, directory: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hour, ears = HOURS[name], Ears()
    await ears.server.start_server()
    with given_back():
        logs.configure("info", "json")
        async with world_of(directory, hour, ears) as (world, clock):
            before = len(ears.alerts)
            capfd.readouterr()
            await hour.breaks(world)
            for minute in range(60):
                for customer in CUSTOMERS[minute * 200 // 60 : (minute + 1) * 200 // 60]:
                    await world.twilio.receive(customer, SMS, "Qual o horário?")
                await clock.advance(60, world.settle)
            (card,) = await cards(world)
            lines = told_of(capfd.readouterr().err)
            assert card["kind"] == hour.card
            assert hour.counted(card), card
            assert len(ears.alerts) - before == 1, ears.alerts
            await hour.mends(world)
            await world.say("Qual o horário?", "+5511899999998")
            await clock.advance(90, world.settle)
            assert [card["kind"] for card in await cards(world) if card["kind"] == hour.card] == []
            await afterwards(world, clock)
            print(f"an hour of {name}: {len(lines)} lines for {len(CUSTOMERS)} customers")
            assert len(lines) < 200, lines[:5]
    await ears.server.close()


async def afterwards(world: World, clock: ManualClock) -> None:
    async with control_of(world) as api:
        await api.post("dead-letters/retry", {})
    await clock.advance(900, world.settle)
    assert answered(world) == sorted([*CUSTOMERS, "+5511899999999", "+5511899999998"])
    assert await cards(world) == []


def told_of(written: str) -> list[dict[str, Any]]:
    """The log's lines, but for the one of each message that was answered."""
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] != "answered"]
