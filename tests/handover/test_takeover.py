"""Whoever answers, by page, API, Twilio's console or not at all, and wherever the process dies: nobody is answered twice.

A customer asks for a person and then something; the owner answers two minutes later, or never; three hours later the
appliance takes the customer back. The process dies right after one commit, before anybody hears of it.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import StorageBrokenError
from appliance.model import JobKind
from appliance.operations.verification import verify
from appliance.queue.schedule import enqueue_tick
from appliance.simulator import Fault
from appliance.store.writer import Failed, Writer
from tests.handover.test_hand_back import handed_over
from tests.inbox.test_overheard import from_the_console
from tests.support.api_client import api_of
from tests.support.visitor import Visitor
from tests.support.world import World, sleep

BY_HAND = "Aqui é a Ana: abrimos às 7h."
HOURS = "Abrimos das 7h às 19h."
COMMITS = 60  # more than a run has
EACH = 1 if os.environ.get("LAB_KILLS") else 23


class Death:
    """Of the process that runs now, right after its commit of this number; it dies once."""

    def __init__(self, patch: pytest.MonkeyPatch, after: int) -> None:
        self.left = after
        whole = Writer._commit

        async def commit(writer: Writer, units: list[Any]) -> list[Any]:
            if writer.broken:
                return await whole(writer, units)
            results = await whole(writer, units)
            self.left -= 1
            if self.left == 0:
                writer.broken = StorageBrokenError("killed")
                return [Failed(writer.broken)] * len(units)
            return results

        patch.setattr(Writer, "_commit", commit)

    async def survive(self, world: World, step: Callable[[], Awaitable[None]]) -> None:
        """Do it; where the process dies of it, once more with the next one, as people and Twilio do."""
        writer, doing = world.appliance.store._writer, asyncio.ensure_future(step())
        while not doing.done() and not writer.broken:
            await asyncio.sleep(0.005)
        if not writer.broken:
            return await doing
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)
        await world.crash()
        await world.start()
        await world.settle()
        return await step()


async def answer(world: World, how: str) -> None:
    match how:
        case "page":
            async with Visitor(world) as owner:
                await owner.post("/conversations/1/reply", body=BY_HAND, idempotency_key="k")
        case "api":
            async with api_of(world) as api:
                status, told = await api.post("conversations/1/reply", {"body": BY_HAND, "idempotency_key": "k"})
                assert status == 202, told
        case "console" if BY_HAND not in world.sent():
            from_the_console(world, body=BY_HAND)
    await world.settle()


async def tick(world: World, kind: JobKind) -> None:
    await world.appliance.store.write(lambda tx: enqueue_tick(tx, kind))
    world.appliance.engine.bell.ring()
    await world.settle()


async def say(world: World, body: str, sid: str) -> None:
    """Twilio delivers it again where it heard no 200."""
    await world.say(body, sid=sid)
    await world.settle()


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("how", ["page", "api", "console", "never"])
async def test_nobody_is_answered_twice_and_nobody_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, lost: bool
) -> None:
    """However the owner answers, with callbacks or without; at every twenty-third commit, or at each (LAB_KILLS=1)."""
    for after in range(1 + COMMITS % EACH, COMMITS, EACH):
        with monkeypatch.context() as patch:
            await one_death(tmp_path / str(after), patch, how, lost, after)


async def one_death(directory: Path, patch: pytest.MonkeyPatch, how: str, lost: bool, after: int) -> None:
    directory.mkdir()
    async with handed_over(directory) as world:
        await world.teach("Horário", HOURS)
        if lost:
            world.twilio.faults.add(Fault("callback", "lost", times=None))
        death = Death(patch, after)
        await death.survive(world, lambda: say(world, "ATENDENTE", "SM" + "a" * 32))
        await sleep(world, 1)
        await death.survive(world, lambda: say(world, "Qual o horário?", "SM" + "b" * 32))
        await sleep(world, 5)  # a doubt that the death left is settled
        await death.survive(world, lambda: answer(world, how))
        await sleep(world, 5)
        for minutes, kind in (
            (0, JobKind.SETTLE),
            (1, JobKind.CATCH_UP),
            (200, JobKind.HAND_BACK),
            (1, JobKind.CATCH_UP),
        ):
            await sleep(world, minutes)
            await death.survive(world, lambda kind=kind: tick(world, kind))  # type: ignore[misc]

        said = world.sent()
        assert said.count(BY_HAND) == (how != "never"), (after, said)
        assert HOURS not in said, (after, said)  # too old by then, or answered by the owner
        assert len(said) == len(set(said)), (after, said)  # that a person will come is not said after the person came
        last = await world.column("SELECT disposition FROM dispositions ORDER BY id DESC LIMIT 1")
        # Where the process died before it said that a person will come, that answers the second message as well.
        assert last[0] in ("answered", "dead" if how == "never" else "suppressed"), after
        promised = ["waiting"] if how == "never" else []
        assert [each for each in await world.cards() if each == "waiting"] == promised, after
        assert await world.column("SELECT handover FROM contacts") == [None], after
        assert (await world.appliance.store.read(verify, limit=None)).problems == [], after
