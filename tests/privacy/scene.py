"""What tests of forgetting share: a person with marked words in every place, and a look at the bytes of every file."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.model import JobKind
from appliance.store.box import Fact
from tests.outbox.scene import NOON, pass_
from tests.support.api_client import api_of, control_of
from tests.support.world import CUSTOMER, SMS, ManualClock, World

REAL = "AC" + "1" * 32  # an account whose Twilio is not the demo's
NAME = "Zuleika Quaresma"
WORDS = ["girassol", "paralelepípedo", "xilofone", "jabuticaba", "ornitorrinco"]
ANSWER = "Abrimos das 7h às 19h."


def traces(directory: Path, words: Collection[str]) -> dict[str, list[str]]:
    """By file, which of these words its bytes hold: pages in use and free, logs, copies."""
    found: dict[str, list[str]] = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            held = [word for word in words if word.encode() in content or word.encode("utf-16-le") in content]
            found |= {path.name: held} if held else {}
    return found


async def live(world: World) -> str:
    """A customer who leaves something everywhere; the sid of the first message."""
    await world.teach("Horário", ANSWER)
    first = await world.say(f"Qual o horário? {WORDS[0]}", extra={"ProfileName": NAME, "Strange": WORDS[1]})
    await world.settle()
    await world.say(f"E isto: {WORDS[2]}?", extra={"MediaUrl0": "https://x.test/1", "NumMedia": "1"})
    await world.settle()
    async with api_of(world) as api:
        body = {"from": SMS, "to": CUSTOMER, "body": f"Sim, {WORDS[3]}. Ana", "idempotency_key": f"key {CUSTOMER}"}
        assert (await api.post("messages", body))[0] == 202
    await world.settle()
    await world.twilio.receive(CUSTOMER, "+551133334444", f"Enganei-me: {WORDS[4]}")
    await world.settle()
    return first


async def forget(world: World, address: str = CUSTOMER, **wish: Any) -> list[dict[str, Any]]:
    """Ask for it; the forgettings as they were accepted."""
    async with control_of(world) as api:
        status, answer = await api.post("contacts/forget", {"address": address, **wish})
        assert status == 202, answer
        found: list[dict[str, Any]] = answer["forgettings"]
        return found


async def forgotten(world: World) -> list[dict[str, Any]]:
    async with control_of(world) as api:
        found: list[dict[str, Any]] = (await api.get("contacts/forgotten"))["forgettings"]
        return found


async def states(world: World) -> list[str]:
    return [each["state"] for each in reversed(await forgotten(world))]


async def catch_up(world: World) -> None:
    await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
    await world.settle()


@asynccontextmanager
async def open_shop(directory: Path) -> AsyncIterator[World]:
    """Its Twilio is not the demo's, and its daily backup was taken before anybody wrote."""
    async with World(directory, account=REAL) as world:
        await world.appliance.store.write(lambda tx: tx.box.put(Fact.BACKUP_AT, tx.now))
        await world.settle()
        yield world


@asynccontextmanager
async def open_clockwork(directory: Path) -> AsyncIterator[World]:
    """At noon, with time that is moved by hand; its Twilio is not the demo's."""
    async with World(directory, clock=ManualClock(NOON), account=REAL) as world:
        await world.teach("Horário", ANSWER)
        await pass_(world, 1)
        yield world
