"""The steps of forgetting: what is under way is settled first, a reader is waited for, Twilio's copies go one by one."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from multidict import MultiDict

from appliance.simulator import Fault
from tests.outbox.scene import NOON, pass_, write_by_hand
from tests.privacy.scene import ANSWER, REAL, WORDS, forget, forgotten, live, states, traces
from tests.support.world import CUSTOMER, SMS, ManualClock, World

MINUTE = 60.0
QUESTION = "Qual o horário?"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[World]:
    """A world at noon whose time is moved by hand and whose Twilio is not the demo's."""
    async with World(tmp_path, clock=ManualClock(NOON), account=REAL) as world:
        await world.teach("Horário", ANSWER)
        await pass_(world, 1)
        yield world


async def in_doubt(world: World, fault: Fault) -> None:
    world.twilio.faults.add(Fault("callback", "lost", times=None), fault)
    await world.say(f"{QUESTION} {WORDS[0]}")
    await pass_(world, 1)
    assert await world.column("SELECT state FROM outbox") == ["doubt"]


async def test_a_send_in_doubt_is_settled_first(shop: World) -> None:
    """Twilio's log proves that it was not sent: it is not sent now either, and then all is gone."""
    await in_doubt(shop, Fault("create", "reset"))
    await forget(shop)
    await pass_(shop, MINUTE)
    assert await states(shop) == ["waiting"]

    await pass_(shop, 20 * MINUTE)

    assert await states(shop) == ["done"]
    assert shop.sent() == []
    assert await shop.column("SELECT state || ' ' || reason FROM outbox") == ["suppressed being forgotten"]
    assert await shop.dispositions() == ["suppressed"]


async def test_a_send_that_arrived_counts_as_answered(shop: World) -> None:
    """Twilio had it after all: that is known before anything goes."""
    await in_doubt(shop, Fault("create", "no_sid"))
    await forget(shop)
    await pass_(shop, 20 * MINUTE)

    assert await states(shop) == ["done"]
    assert await shop.dispositions() == ["answered"]
    assert traces(shop.appliance.store.directory, [WORDS[0], CUSTOMER]) == {}


async def test_who_writes_meanwhile_is_somebody_new_and_is_answered(shop: World) -> None:
    """Nothing is said while something is waited for; what was written after the wish is answered when it is over."""
    await in_doubt(shop, Fault("create", "reset"))
    await shop.say("E no domingo?")
    await forget(shop)
    sid = await shop.say(QUESTION)
    await pass_(shop, MINUTE)
    assert shop.sent() == []

    await pass_(shop, 20 * MINUTE)

    assert await states(shop) == ["done"]
    assert shop.sent() == [ANSWER]
    assert await shop.column("SELECT address FROM contacts ORDER BY id") == ["forgotten:1", CUSTOMER]
    assert await shop.rows("SELECT sid, contact_id FROM messages WHERE body <> ''") == [{"sid": sid, "contact_id": 2}]
    assert await shop.dispositions() == ["suppressed", "suppressed", "answered"]


async def test_what_waits_for_too_long_is_the_owners(shop: World) -> None:
    """As after every pause: what came meanwhile and is too old is a card and a dead letter."""
    await in_doubt(shop, Fault("create", "reset"))
    shop.twilio.faults.add(Fault("list", "error", times=None))
    await forget(shop)
    await shop.say(QUESTION)
    await pass_(shop, 180 * MINUTE)
    assert await states(shop) == ["waiting"]
    shop.twilio.faults.clear()

    await pass_(shop, 30 * MINUTE)

    assert await states(shop) == ["done"]
    assert shop.sent() == []
    assert "too_late" in await shop.cards()


async def test_a_person_is_told_nothing_from_the_wish_on(shop: World) -> None:
    """Live messages, drafts and manual messages: silence, and each has a reason."""
    shop.twilio.faults.add(Fault("create", "error", status=429, code=20429, times=None))
    await shop.say(QUESTION)
    await pass_(shop, 1)
    assert await shop.column("SELECT state FROM outbox") == ["ready"]
    await forget(shop)
    shop.twilio.faults.clear()
    await pass_(shop, 5 * MINUTE)

    assert shop.sent() == []
    assert await shop.dispositions() == ["suppressed"]
    assert await states(shop) == ["done"]


async def test_a_reader_of_the_file_is_waited_for(shop: World) -> None:
    """While a backup or a shell reads, the log cannot be emptied: nobody's message waits, the forgetting does."""
    await live(shop)
    with closing(sqlite3.connect(shop.appliance.store.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM messages").fetchone()
        await forget(shop)
        await pass_(shop, MINUTE)
        assert await states(shop) == ["cleaning"]
        assert traces(shop.appliance.store.directory, [CUSTOMER]) != {}
        await shop.say(QUESTION, "+5511977776666")
        await pass_(shop, 1)
        assert shop.sent("+5511977776666") == [ANSWER]
    await pass_(shop, MINUTE)

    assert await states(shop) == ["done"]
    assert traces(shop.appliance.store.directory, [CUSTOMER, *WORDS]) == {}


async def test_twilios_copies_stay_unless_asked(shop: World) -> None:
    """Without --at-twilio nothing is asked of Twilio."""
    await live(shop)
    there = len(list(shop.twilio.ledger))
    await forget(shop)
    await pass_(shop, MINUTE)

    assert await states(shop) == ["done"]
    assert len(list(shop.twilio.ledger)) == there


async def test_twilios_copies_go_where_asked(shop: World) -> None:
    """All between the two: also what a person wrote in Twilio's console, and what is gone there already."""
    first = await live(shop)
    await write_by_hand(shop, f"Da consola: {WORDS[0]}")
    await shop.say(QUESTION, "+5511977776666")
    await pass_(shop, 1)
    gone = shop.twilio.ledger.get(first)
    assert gone is not None
    shop.twilio.ledger.erase(msgspec.structs.replace(gone, deleted=True))

    await forget(shop, at_twilio=True)
    await pass_(shop, MINUTE)

    [told] = await forgotten(shop)
    assert {entry.sender for entry in shop.twilio.ledger} == {"+5511977776666", SMS}
    assert all(CUSTOMER not in (entry.sender, entry.recipient) for entry in shop.twilio.ledger)
    assert (told["state"], told["left_at_twilio"], told["report"]["deleted_at_twilio"]) == ("done", 0, 7)


async def test_what_twilio_cannot_delete_yet_is_tried_again(shop: World) -> None:
    """A message on its way is refused with 20009, and a network that is down is nobody's fault: the queue comes back."""
    await live(shop)
    queued = shop.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": "x"}))
    await forget(shop, at_twilio=True)
    await pass_(shop, 1)
    assert await states(shop) == ["at_twilio"]
    assert (await forgotten(shop))[0]["left_at_twilio"] == 1
    assert traces(shop.appliance.store.directory, [CUSTOMER, *WORDS]) == {}
    await shop.twilio_line.cut()
    await pass_(shop, 6 * MINUTE)
    assert await states(shop) == ["at_twilio"]
    await shop.twilio_line.mend()
    shop.twilio.ledger.set_status(queued, "delivered", shop.twilio.now())
    await pass_(shop, 6 * MINUTE)

    assert await states(shop) == ["done"]
    assert shop.twilio.ledger.get(queued.sid) is None
    assert traces(shop.appliance.store.directory, [queued.sid]) == {}


async def test_what_twilio_refuses_for_good_is_told(shop: World) -> None:
    """After three days a message that Twilio never finished is given up, and the report says how many."""
    await live(shop)
    queued = shop.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": "x"}))
    await forget(shop, at_twilio=True)
    await pass_(shop, 1)
    assert isinstance(shop.clock, ManualClock)
    shop.clock.jump(73 * 60 * MINUTE)
    await pass_(shop, 6 * MINUTE)

    [told] = await forgotten(shop)
    assert (told["state"], told["report"]["refused_by_twilio_20009"]) == ("done", 1)
    assert shop.twilio.ledger.get(queued.sid) is not None
    assert traces(shop.appliance.store.directory, [queued.sid]) == {}


async def test_the_demos_twilio_forgets_as_well(tmp_path: Path) -> None:
    """There its ledger is a file on this box."""
    async with World(tmp_path) as world:
        await live(world)
        await forget(world)
        await world.settle()

        assert await states(world) == ["done"]
        assert [entry for entry in world.twilio.ledger if CUSTOMER in (entry.sender, entry.recipient)] == []
