"""A copy of an hour ago is put back against a Twilio that saw what the lost box sent since: nobody is answered twice.

The copy is taken under load: sends are in flight, drafts wait for Twilio, messages wait for their answer.
"""

import asyncio
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from multidict import MultiDict

from appliance.model import MINUTE, SECOND
from appliance.opening import restore
from appliance.operations.verification import verify
from appliance.simulator import Fault
from appliance.store.database import prepare_directory
from tests.lab.figures import record
from tests.support.breakages import restored_outbox_trusted
from tests.support.command_line import CommandLine, write_config
from tests.support.world import SMS, WHATSAPP, ManualClock, World

NOON = 1_800_025_200_000  # in São Paulo
HOURS, ADDRESS = "Abrimos das 7h às 19h.", "Ficamos na Rua das Flores, 10."
ANSWERS = {"Qual o horário?": HOURS, "Qual o endereço?": ADDRESS, "SAIR": "Pronto"}
LATE = "Desculpe a demora, ficamos sem conexão. "
BY_HAND = "Das 7 às 19, abraço!"
IN_FLIGHT, DRAFTS, WAITING, CROWD = 6, 10, 10, 20  # customers that the copy catches so, and while it is taken
NO_CALLBACKS = Fault("callback", "lost", times=None)
RATE_LIMIT = Fault("create", "error", status=429, code=20429, times=None)


class Town:
    """Who wrote, and what everybody has to get: (customer, answer) → how often."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.owed: Counter[tuple[str, str]] = Counter()
        self.copied_at = self.restored_at = 0
        self.elsewhere = WAITING + CROWD  # messages that the lost box, or a person, answered after the copy

    async def ask(self, customer: str, question: str = "Qual o horário?", *, heard: bool = True) -> None:
        """`heard` False: the box is off, the webhook is lost."""
        self.owed[customer, ANSWERS[question]] += 1
        _, status = await self.world.twilio.receive(customer, _channel(customer), question, deliver=heard)
        assert status == (200 if heard else None)

    async def crowd(self, kind: int, count: int, question: str = "Qual o horário?") -> None:
        await asyncio.gather(*(self.ask(_customer(kind, n), question) for n in range(count)))

    def answer_by_hand(self, customer: str) -> None:
        self.owed = +Counter({key: times for key, times in self.owed.items() if key[0] != customer})
        self.owed[customer, BY_HAND] = 1
        form = MultiDict({"From": _channel(customer), "To": customer, "Body": BY_HAND})
        self.world.twilio.create(form)

    async def passes(self, seconds: float, *, settle: bool = True) -> None:
        """`settle` False: what is under way (a POST that hangs) is not waited for."""

        async def briefly() -> None:
            await asyncio.sleep(0.002)

        assert isinstance(self.world.clock, ManualClock)
        await self.world.clock.advance(seconds, self.world.settle if settle else briefly)

    def verdict(self) -> tuple[int, int]:
        """(answers that nobody asked for, answers that are missing), from Twilio's ledger alone."""
        sent = Counter(
            (entry.recipient, _said(entry.body))
            for entry in self.world.twilio.ledger
            if entry.direction == "outbound-api"
        )
        return (sent - self.owed).total(), (self.owed - sent).total()


def _customer(kind: int, number: int) -> str:
    """Kinds are told apart in a failure; every third customer is on WhatsApp."""
    return ("" if number % 3 else "whatsapp:") + f"+5511{kind}{number:08}"


def _channel(customer: str) -> str:
    return WHATSAPP if customer.startswith("whatsapp:") else SMS


def _said(body: str) -> str:
    return "Pronto" if body.startswith("Pronto") else body.removeprefix(LATE)


async def _copy_under_load(town: Town, copy: Path) -> None:
    """Everything that a copy can catch half done, and the product's own command to take it."""
    world = town.world
    await town.crowd(1, 10)
    await town.passes(MINUTE / SECOND)
    for number in range(IN_FLIGHT):
        fault = Fault("create", "hang", accepted=number % 3 > 0, seconds=9.0, address=_customer(2, number))
        world.twilio.faults.add(fault)
    world.twilio.faults.add(NO_CALLBACKS, RATE_LIMIT)
    await town.crowd(2, IN_FLIGHT)
    await _until(town, sending=IN_FLIGHT)
    await town.crowd(3, DRAFTS)
    await _until(town, sending=IN_FLIGHT, ready=DRAFTS)
    command = CommandLine(write_config(world.directory / "config.toml", world.config))
    await town.crowd(4, WAITING)
    _, done = await asyncio.gather(town.crowd(5, CROWD), command("backup", str(copy)))
    assert done.exit_code == 0, done.stderr
    caught = _states(copy)
    assert caught["sending"] >= IN_FLIGHT
    assert caught["ready"] >= DRAFTS - 1  # one may be tried just now
    assert world.clock is not None
    town.copied_at = world.clock.now()
    await world.twilio_line.cut()  # drops what hangs; how long it may take until here is not for a clock to say
    await world.twilio_line.mend()


async def _until(town: Town, **states: int) -> None:
    """Time passes until so many sends are in flight and so many drafts wait."""
    counted = "SELECT state, count(*) AS n FROM outbox WHERE state IN ('ready', 'sending') GROUP BY 1"
    async with asyncio.timeout(10):
        while {row["state"]: row["n"] for row in await town.world.rows(counted)} != states:
            await town.passes(1, settle=False)
            await asyncio.sleep(0.02)


def _states(copy: Path) -> dict[str, int]:
    with closing(sqlite3.connect(copy)) as connection:
        found = connection.execute("SELECT state, count(*) FROM outbox WHERE sid IS NULL GROUP BY 1")
        return dict(found.fetchall())


async def _an_hour(town: Town) -> None:
    """New customers, old ones with the same or another question, one who wants no more; and a last one unanswered."""
    town.world.twilio.faults.clear()
    town.world.twilio.faults.add(NO_CALLBACKS)
    for quarter in range(4):
        await town.crowd(6 + quarter, 5)
        await town.passes(MINUTE / SECOND)
        await town.crowd(1 + quarter, 3, ["Qual o horário?", "Qual o endereço?"][quarter % 2])
        await town.passes(MINUTE / SECOND)
        await town.passes(13 * MINUTE / SECOND, settle=False)
    await town.ask(_customer(1, 9), "SAIR")
    await town.passes(MINUTE / SECOND)
    town.elsewhere += 4 * (5 + 3) + 1
    await town.ask(_customer(99, 1))


async def _lose_and_restore(town: Town, copy: Path) -> None:
    """The disk is gone but for the copy; while the box is off customers write, and a person answers one of them."""
    world = town.world
    await world.crash()
    shutil.rmtree(world.config.storage.directory)
    for number in range(4):
        await town.ask(_customer(0, number), heard=False)
    await town.passes(60, settle=False)
    town.answer_by_hand(_customer(0, 3))
    town.elsewhere += 1
    await town.passes(60, settle=False)
    assert world.clock is not None
    prepare_directory(world.config.storage.directory)
    town.restored_at = world.clock.now()
    store = await restore(world.config, world.clock, copy)
    await store.close()
    await world.start()
    await world.settle()
    await town.passes(6 * MINUTE / SECOND)
    await town.passes(9 * MINUTE / SECOND, settle=False)
    await world.settle()


@asynccontextmanager
async def _story(directory: Path) -> AsyncIterator[Town]:
    """The whole of it, to its end, while the world still stands."""
    delays = {"reply_delay": 3_000, "reply_delay_max": 12_000}
    async with World(directory, clock=ManualClock(NOON), conversations=delays, twilio={"timeout": 10_000}) as world:
        await world.teach("Horário", HOURS)
        await world.teach("Endereço", ADDRESS)
        town = Town(world)
        copy = directory / "copy.db"
        await _copy_under_load(town, copy)
        await _an_hour(town)
        assert town.verdict() == (0, 1), "the lost box"
        await _lose_and_restore(town, copy)
        yield town


async def _check(town: Town) -> None:
    """Nothing is left open: the books add up, and what the lost box did is known for what it is."""
    world = town.world
    checked = await world.appliance.store.inspect(verify)
    assert checked.problems == []
    assert await world.column("SELECT count(*) FROM messages WHERE suppressed = 'answered elsewhere'") == [
        town.elsewhere
    ]
    assert await world.dispositions() == ["answered"] * sum(town.owed.values())
    opted_out = "SELECT address FROM contacts WHERE opted_out_at IS NOT NULL"
    assert await world.column(opted_out) == [_customer(1, 9)]


async def test_an_hour_old_copy_answers_nobody_twice(tmp_path: Path) -> None:
    """Sends in flight, drafts and waiting messages of the copy, and the whole lost hour: one answer to each question."""
    async with _story(tmp_path) as town:
        twice, lost = town.verdict()
        outbound = [entry for entry in town.world.twilio.ledger if entry.direction == "outbound-api"]
        record(
            "restore",
            copy_age_minutes=(town.restored_at - town.copied_at) // MINUTE,
            customers=len({customer for customer, _ in town.owed}),
            sends_twilio_saw=len(outbound),
            sent_twice=twice,
            lost=lost,
        )
        assert (twice, lost) == (0, 0)
        await _check(town)


async def test_control_a_copy_that_is_trusted_answers_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the restored outbox believed and nobody held back, the same judge finds customers with two answers."""
    restored_outbox_trusted(monkeypatch)
    async with _story(tmp_path) as town:
        twice, lost = town.verdict()

        record("control restored copy trusted", sent_twice=twice, lost=lost)
        assert twice >= DRAFTS
