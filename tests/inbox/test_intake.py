"""One unit of work for a message; registration all or nothing; organizations kept apart."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import RequestError
from appliance.model import HOUR, SECOND
from appliance.operations.organizations import Registration, add_channel, register_organization
from tests.support.wire import message, post
from tests.support.world import CUSTOMER, SMS, ManualClock, World

SID = "SM" + "1" * 32
TABLES = ("organizations", "users", "channels")
SECOND_SHOP = Registration("Oficina Boreal", ["+551150000000", "whatsapp:+551150000001"], "outra@example.com")


async def counts(world: World) -> list[int]:
    return [(await world.column(f"SELECT count(*) FROM {table}"))[0] for table in TABLES]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\nb"},
        {"name": "padaria aurora"},
        {"language": "fr"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"channels": []},
        {"channels": ["+551150000000", "nonsense"]},
        {"channels": ["+551150000000", SMS]},
        {"channels": ["+551150000000", "+551150000000"]},
        {"user": "nobody"},
        {"user": "dono@example.com"},
        {"user": "DONO@example.com"},
    ],
)
async def test_a_bad_registration_stores_nothing(world: World, changes: dict[str, Any]) -> None:
    """Whatever is wrong, and whichever step finds it: no organization, no channel, no user; the field is named."""
    before = await counts(world)
    values = {"name": "Oficina Boreal", "channels": ["+551150000000"], "user": "outra@example.com"} | changes

    with pytest.raises(RequestError) as raised:
        await world.appliance.store.write(lambda tx: register_organization(tx, Registration(**values)))

    assert raised.value.field
    assert 400 <= raised.value.status < 500
    assert await counts(world) == before


@pytest.mark.parametrize("table", TABLES)
async def test_a_registration_that_fails_halfway_stores_nothing(world: World, table: str) -> None:
    """The database refuses each of the three steps in turn: all or nothing, and it can be done again."""
    before = await counts(world)
    store = world.appliance.store
    trigger = f"CREATE TEMP TRIGGER stop AFTER INSERT ON {table} BEGIN SELECT raise(ABORT, 'no'); END"
    await store.write(lambda tx: tx.sql.run(trigger))

    with pytest.raises(sqlite3.IntegrityError):
        await store.write(lambda tx: register_organization(tx, SECOND_SHOP))

    assert await counts(world) == before
    await store.write(lambda tx: tx.sql.run("DROP TRIGGER stop"))
    await store.write(lambda tx: register_organization(tx, SECOND_SHOP))
    assert await counts(world) == [before[0] + 1, before[1] + 1, before[2] + 2]


async def test_the_number_written_to_decides_the_organization(world: World) -> None:
    """The same customer writes to two shops: two contacts, two conversations, each answered in its own name."""
    await world.appliance.store.write(lambda tx: register_organization(tx, SECOND_SHOP))
    world.twilio.owned = [*world.twilio.owned, "+551150000000"]

    await world.say("Oi")
    await world.say("Oi", to="+551150000000")
    await world.settle()

    first, second = world.sent()
    assert ("Padaria Aurora" in first, "Oficina Boreal" in second) == (True, True)
    assert await world.column("SELECT organization_id FROM conversations ORDER BY id") == [1, 2]


async def test_a_disabled_organization_receives_orphans(world: World) -> None:
    """Its messages are kept and shown, never answered and never given to somebody else."""
    await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE organizations SET disabled_at = ?", tx.now))

    await world.say("Oi")
    await world.settle()

    assert world.sent() == []
    assert await world.column("SELECT count(*) FROM orphaned_messages") == [1]


async def test_a_new_channel_is_answered_at_once(world: World) -> None:
    """An orphan's number is added: the next message to it is a message, and its card is closed."""
    number = "+551160000000"
    world.twilio.owned = [*world.twilio.owned, number]
    await world.say("Oi", to=number)
    await world.say("Oi", to="+551170000000")
    await world.appliance.store.write(lambda tx: add_channel(tx, 1, number))

    await world.say("Oi", to=number)
    await world.settle()

    assert len(world.sent()) == 1
    assert await world.column("SELECT count(*) FROM orphaned_messages") == [2]
    assert await world.column("SELECT subject FROM cards WHERE closed_at IS NULL") == ["number:+551170000000"]


ADDRESSES = [
    *("+5511500", "+551150000000", "+551150000000123", "whatsapp:+551150000000"),
    *("123", "12345678", "messenger:1234567", "rcs:padaria_7.agent", "rcs:agent_xyz"),
]
NO_ADDRESSES = [
    *("551140000000", "whatsapp:551140000000", "whatsapp:12345", "+551140", "+5511400000001234", "+55 11 4000-0000"),
    *(
        "12",
        "123456789",
        "padaria7",
        "messenger:nobody",
        "rcs:",
        "rcs:a b",
        "WhatsApp:+551140000000",
        "+٥٥١١٤٠٠٠٠٠",
        "+551140000000\n",
    ),
]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_an_address_as_twilio_writes_it_is_a_channel(world: World, address: str) -> None:
    """A number with its +, a short code, and what other channels have for a number."""
    await world.appliance.store.write(lambda tx: add_channel(tx, 1, address))

    assert (await world.column("SELECT address FROM channels ORDER BY id"))[-1] == address


@pytest.mark.parametrize("address", NO_ADDRESSES)
async def test_an_address_that_twilio_never_writes_is_refused(world: World, address: str) -> None:
    """Nobody's message would ever find it; the sentence says what to write."""
    with pytest.raises(RequestError, match=r"write \+ and the number with its country code \(\+5511…, whatsapp:"):
        await world.appliance.store.write(lambda tx: add_channel(tx, 1, address))


async def test_a_unit_that_fails_after_the_message_stores_nothing(world: World) -> None:
    """Message, contact, conversation and job are one unit: the webhook is not acknowledged, Twilio's retry is new."""
    trigger = "CREATE TEMP TRIGGER stop AFTER INSERT ON message_queue BEGIN SELECT raise(ABORT, 'no'); END"
    await world.appliance.store.write(lambda tx: tx.sql.run(trigger))

    status, _ = await post(world, message(SID))

    assert status >= 500
    for table in ("messages", "contacts", "conversations", "message_queue WHERE message_sid IS NOT NULL"):
        assert await world.column(f"SELECT count(*) FROM {table}") == [0]
    await world.appliance.store.write(lambda tx: tx.sql.run("DROP TRIGGER stop"))
    assert (await post(world, message(SID)))[0] == 200
    await world.settle()
    assert len(world.sent()) == 1


async def test_a_duplicate_with_another_body_changes_nothing(world: World) -> None:
    """The sid decides; a replayed request with other words (or an opt-out) has no effect and the same 200."""
    assert (await post(world, message(SID, "Oi")))[0] == 200
    await world.settle()
    before = await world.rows("SELECT * FROM messages")

    assert (await post(world, message(SID, "STOP")))[0] == 200
    await world.settle()

    assert await world.rows("SELECT * FROM messages") == before
    assert await world.column("SELECT opted_out_at FROM contacts") == [None]
    assert len(world.sent()) == 1


async def test_intake_closes_an_expired_conversation_itself(tmp_path: Path) -> None:
    """Whatever the sweeps did not get to: the next message after expire_after opens a new conversation."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await world.say("Oi")
        await world.settle()
        clock.jump(24 * HOUR / SECOND)
        await world.say("Oi")
        await world.settle()

        assert await world.column("SELECT status FROM conversations ORDER BY id") == ["closed", "progress"]
        assert len(world.sent(CUSTOMER)) == 2
