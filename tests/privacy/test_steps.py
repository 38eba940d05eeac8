"""The steps of forgetting: what is under way is settled first, a reader is waited for, Twilio's copies go one by one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
from multidict import MultiDict

from appliance.simulator import Fault
from tests.outbox.scene import pass_, write_by_hand
from tests.privacy.scene import ANSWER, WORDS, forget, forgotten, live, states, traces
from tests.support.world import CUSTOMER, SMS, ManualClock, World

MINUTE = 60.0
QUESTION = "Qual o horário?"


async def in_doubt(world: World, fault: Fault) -> None:
    world.twilio.faults.add(Fault("callback", "lost", times=None), fault)
    await world.say(f"{QUESTION} {WORDS[0]}")
    await pass_(world, 1)
    assert await world.column("SELECT state FROM outbox") == ["doubt"]


async def test_a_send_in_doubt_is_settled_first(clockwork: World) -> None:
    """Twilio's log proves that it was not sent: it is not sent now either, and then all is gone."""
    await in_doubt(clockwork, Fault("create", "reset"))
    await forget(clockwork)
    await pass_(clockwork, MINUTE)
    assert await states(clockwork) == ["waiting"]

    await pass_(clockwork, 20 * MINUTE)

    assert await states(clockwork) == ["done"]
    assert clockwork.sent() == []
    assert await clockwork.column("SELECT state || ' ' || reason FROM outbox") == ["suppressed being forgotten"]
    assert await clockwork.dispositions() == ["suppressed"]


async def test_a_send_that_arrived_counts_as_answered(clockwork: World) -> None:
    """Twilio had it after all: that is known before anything goes."""
    await in_doubt(clockwork, Fault("create", "no_sid"))
    await forget(clockwork)
    await pass_(clockwork, 20 * MINUTE)

    assert await states(clockwork) == ["done"]
    assert await clockwork.dispositions() == ["answered"]
    assert traces(clockwork.appliance.store.directory, [WORDS[0], CUSTOMER]) == {}


async def test_who_writes_meanwhile_is_somebody_new_and_is_answered(clockwork: World) -> None:
    """Nothing is said while something is waited for; what was written after the wish is answered when it is over."""
    await in_doubt(clockwork, Fault("create", "reset"))
    await clockwork.say("E no domingo?")
    await forget(clockwork)
    sid = await clockwork.say(QUESTION)
    await pass_(clockwork, MINUTE)
    assert clockwork.sent() == []

    await pass_(clockwork, 20 * MINUTE)

    assert await states(clockwork) == ["done"]
    assert clockwork.sent() == [ANSWER]
    assert await clockwork.column("SELECT address FROM contacts ORDER BY id") == ["forgotten:1", CUSTOMER]
    assert await clockwork.rows("SELECT sid, contact_id FROM messages WHERE body <> ''") == [
        {"sid": sid, "contact_id": 2}
    ]
    assert await clockwork.dispositions() == ["suppressed", "suppressed", "answered"]


async def test_what_waits_for_too_long_is_the_owners(clockwork: World) -> None:
    """As after every pause: what came meanwhile and is too old is a card and a dead letter."""
    await in_doubt(clockwork, Fault("create", "reset"))
    clockwork.twilio.faults.add(Fault("list", "error", times=None))
    await forget(clockwork)
    await clockwork.say(QUESTION)
    await pass_(clockwork, 180 * MINUTE)
    assert await states(clockwork) == ["waiting"]
    clockwork.twilio.faults.clear()

    await pass_(clockwork, 30 * MINUTE)

    assert await states(clockwork) == ["done"]
    assert clockwork.sent() == []
    assert "too_late" in await clockwork.cards()


async def test_a_person_is_told_nothing_from_the_wish_on(clockwork: World) -> None:
    """Live messages, drafts and manual messages: silence, and each has a reason."""
    clockwork.twilio.faults.add(Fault("create", "error", status=429, code=20429, times=None))
    await clockwork.say(QUESTION)
    await pass_(clockwork, 1)
    assert await clockwork.column("SELECT state FROM outbox") == ["ready"]
    await forget(clockwork)
    clockwork.twilio.faults.clear()
    await pass_(clockwork, 5 * MINUTE)

    assert clockwork.sent() == []
    assert await clockwork.dispositions() == ["suppressed"]
    assert await states(clockwork) == ["done"]


async def test_a_reader_of_the_file_is_waited_for(clockwork: World) -> None:
    """While a backup or a shell reads, the log cannot be emptied: nobody's message waits, the forgetting does."""
    await live(clockwork)
    with closing(sqlite3.connect(clockwork.appliance.store.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM messages").fetchone()
        await forget(clockwork)
        await pass_(clockwork, MINUTE)
        assert await states(clockwork) == ["cleaning"]
        assert traces(clockwork.appliance.store.directory, [CUSTOMER]) != {}
        await clockwork.say(QUESTION, "+5511977776666")
        await pass_(clockwork, 1)
        assert clockwork.sent("+5511977776666") == [ANSWER]
    await pass_(clockwork, MINUTE)

    assert await states(clockwork) == ["done"]
    assert traces(clockwork.appliance.store.directory, [CUSTOMER, *WORDS]) == {}


async def test_twilios_copies_stay_unless_asked(clockwork: World) -> None:
    """Without --at-twilio nothing is asked of Twilio."""
    await live(clockwork)
    there = len(list(clockwork.twilio.ledger))
    await forget(clockwork)
    await pass_(clockwork, MINUTE)

    assert await states(clockwork) == ["done"]
    assert len(list(clockwork.twilio.ledger)) == there


async def test_twilios_copies_go_where_asked(clockwork: World) -> None:
    """All between the two: also what a person wrote in Twilio's console, and what is gone there already."""
    first = await live(clockwork)
    await write_by_hand(clockwork, f"Da consola: {WORDS[0]}")
    await clockwork.say(QUESTION, "+5511977776666")
    await pass_(clockwork, 1)
    gone = clockwork.twilio.ledger.get(first)
    assert gone is not None
    clockwork.twilio.ledger.erase(msgspec.structs.replace(gone, deleted=True))

    await forget(clockwork, at_twilio=True)
    await pass_(clockwork, MINUTE)

    [told] = await forgotten(clockwork)
    assert {entry.sender for entry in clockwork.twilio.ledger} == {"+5511977776666", SMS}
    assert all(CUSTOMER not in (entry.sender, entry.recipient) for entry in clockwork.twilio.ledger)
    assert (told["state"], told["left_at_twilio"], told["report"]["deleted_at_twilio"]) == ("done", 0, 6)
    assert told["report"]["not_found_at_twilio"] == 1


async def test_what_twilio_cannot_delete_yet_is_tried_again(clockwork: World) -> None:
    """A message on its way is refused with 20009, and a network that is down is nobody's fault: the queue comes back."""
    await live(clockwork)
    queued = clockwork.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": "x"}))
    await forget(clockwork, at_twilio=True)
    await pass_(clockwork, 1)
    assert await states(clockwork) == ["at_twilio"]
    assert (await forgotten(clockwork))[0]["left_at_twilio"] == 1
    assert traces(clockwork.appliance.store.directory, [CUSTOMER, *WORDS]) == {}
    await clockwork.twilio_line.cut()
    await pass_(clockwork, 6 * MINUTE)
    assert await states(clockwork) == ["at_twilio"]
    await clockwork.twilio_line.mend()
    clockwork.twilio.ledger.set_status(queued, "delivered", clockwork.twilio.now())
    await pass_(clockwork, 6 * MINUTE)

    assert await states(clockwork) == ["done"]
    assert clockwork.twilio.ledger.get(queued.sid) is None
    assert traces(clockwork.appliance.store.directory, [queued.sid]) == {}


async def test_what_twilio_refuses_for_good_is_told(clockwork: World) -> None:
    """After three days a message that Twilio never finished is given up, and the report says how many."""
    await live(clockwork)
    queued = clockwork.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": "x"}))
    await forget(clockwork, at_twilio=True)
    await pass_(clockwork, 1)
    assert isinstance(clockwork.clock, ManualClock)
    clockwork.clock.jump(73 * 60 * MINUTE)
    await pass_(clockwork, 6 * MINUTE)

    [told] = await forgotten(clockwork)
    assert (told["state"], told["report"]["refused_by_twilio_20009"]) == ("done", 1)
    assert clockwork.twilio.ledger.get(queued.sid) is not None
    assert traces(clockwork.appliance.store.directory, [queued.sid]) == {}


async def test_the_demos_twilio_forgets_as_well(tmp_path: Path) -> None:
    """There its ledger is a file on this box."""
    async with World(tmp_path) as world:
        await live(world)
        await forget(world)
        await world.settle()

        assert await states(world) == ["done"]
        assert [entry for entry in world.twilio.ledger if CUSTOMER in (entry.sender, entry.recipient)] == []
