"""A hundred contacts write five messages each while the box is off; the same message is delivered ten times."""

import asyncio
import os
from pathlib import Path
from random import Random

from multidict import MultiDict

from appliance.simulator import Entry
from tests.lab.figures import record
from tests.support.world import SMS, WHATSAPP, ManualClock, World

NOON = 1_800_025_200_000  # in São Paulo
HOUR = 3600.0
CONTACTS = 100
ANSWER = "Abrimos das 7h às 19h."
LATE = "Desculpe a demora, ficamos sem conexão. "
DELIVERIES = int(os.environ.get("LAB_DELIVERIES", "1000"))


async def _off(world: World, seconds: float) -> None:
    async def nothing() -> None: ...

    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, nothing)


async def _write(world: World, number: int, bodies: list[str], chance: Random) -> list[str]:
    sids = []
    for body in bodies:
        sid, _ = await world.twilio.receive(_address(number), _channel(number), body, deliver=False)
        sids.append(sid)
        await _off(world, chance.uniform(0, 3))
    return sids


def _channel(number: int) -> str:
    return WHATSAPP if number % 2 else SMS


def _address(number: int) -> str:
    return ("whatsapp:" if number % 2 else "") + f"+55119{number:08}"


# What the contacts of each kind wrote, and what becomes of it: (bodies, dispositions, what Twilio has for them).
KINDS: list[tuple[str, list[str], list[str], list[str]]] = [
    ("asks", ["Oi", "tudo bem?", "Qual o horário?", "obrigado", "?"], ["answered"] * 5, [LATE + ANSWER]),
    ("equal", ["Qual o horário?"] * 5, ["answered"] * 5, [LATE + ANSWER]),
    ("too old", ["Qual o horário?"] * 5, ["dead"] * 5, []),
    ("by hand", ["Qual o horário?"] * 5, ["answered"] * 5, ["Das 7 às 19, abraço!"]),
]


async def test_a_hundred_contacts_while_the_box_was_off(tmp_path: Path) -> None:
    """Each of 500 missed messages gets its right disposition with real answers; late webhooks change nothing."""
    chance = Random(11)
    async with World(tmp_path, clock=ManualClock(NOON)) as world:
        await world.teach("Horário", ANSWER)
        await world.stop()
        sids: dict[int, list[str]] = {}
        for number in range(2, CONTACTS, 5):  # too old
            sids[number] = await _write(world, number, KINDS[2][1], chance)
        await _off(world, 3 * HOUR)
        for number in set(range(CONTACTS)) - sids.keys():
            sids[number] = await _write(world, number, _bodies(number), chance)
        await _off(world, 1)
        for number in range(3, CONTACTS, 5):  # by hand
            form = MultiDict({"From": _channel(number), "To": _address(number), "Body": "Das 7 às 19, abraço!"})
            world.twilio.create(form)
        await _off(world, 0.7 * HOUR)

        await world.start()
        await world.settle()
        for number, known in sids.items():
            for sid, body in zip(known, _bodies(number), strict=True):
                await world.say(body, _address(number), _channel(number), sid=sid)
        await world.settle()

        for number in range(CONTACTS):
            await _check(world, number)
        assert await world.column("SELECT count(*) FROM messages") == [5 * CONTACTS]
        assert await world.column("SELECT count(*) FROM messages WHERE parameters = '[]'") == [0]
        record("missed", contacts=CONTACTS, messages=5 * CONTACTS)


def _bodies(number: int) -> list[str]:
    return ["Qual o horário?", "SAIR", "e no domingo?", "oi", "SAIR"] if number % 5 == 4 else KINDS[number % 5][1]


async def _check(world: World, number: int) -> None:
    found = await world.column(
        "SELECT d.disposition FROM dispositions d JOIN messages m ON m.id = d.id JOIN contacts c ON c.id = m.contact_id "
        "WHERE c.address = ? ORDER BY m.id",
        _address(number),
    )
    sent = world.sent(_address(number))
    if number % 5 == 4:
        opted_out = await world.column(
            "SELECT opted_out_at IS NOT NULL FROM contacts WHERE address = ?", _address(number)
        )
        assert opted_out == [1]
        assert len(sent) == 1, (number, sent)
        assert sent[0].startswith("Pronto"), sent
        assert "live" not in found
        return
    kind, _, dispositions, expected = KINDS[number % 5]
    assert (kind, number, found, sent) == (kind, number, dispositions, expected)


async def test_every_message_delivered_ten_times(tmp_path: Path) -> None:
    """Duplicate and concurrent deliveries, also over a restart: as many replies as messages, each to its customer."""
    messages = DELIVERIES // 10
    chance = Random(13)
    async with World(tmp_path, conversations={"reply_delay": 0, "reply_delay_max": 0}) as world:
        await world.teach("Horário", ANSWER)
        first = [await world.twilio.receive(_number(n), SMS, "Qual o horário?", deliver=False) for n in range(messages)]
        again = [(n, sid) for n, (sid, _) in enumerate(first) for _ in range(10)]
        chance.shuffle(again)
        half = len(again) // 2
        await _deliver(world, again[:half])
        await world.stop()
        await world.start()
        await _deliver(world, again[half:])
        await world.until(lambda: len(_outbound(world)) >= messages, 600)
        await world.settle()

        assert await world.column("SELECT count(*) FROM messages") == [messages]
        assert sorted(entry.recipient for entry in _outbound(world)) == sorted(map(_number, range(messages)))
        record("deliveries", deliveries=len(again), messages=messages, replies=messages)


def _number(n: int) -> str:
    return f"+55118{n:08}"


async def _deliver(world: World, deliveries: list[tuple[int, str]]) -> None:
    waiting = asyncio.Semaphore(50)

    async def one(n: int, sid: str) -> None:
        async with waiting:
            await world.say("Qual o horário?", _number(n), sid=sid)

    await asyncio.gather(*(one(n, sid) for n, sid in deliveries))


def _outbound(world: World) -> list[Entry]:
    return [entry for entry in world.twilio.ledger if entry.direction == "outbound-api"]
