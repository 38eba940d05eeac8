"""What Twilio's status callbacks do to the outbox: early, twice, out of order, forged, for nothing we know."""

from pathlib import Path
from typing import Any

import pytest

from appliance.simulator.faults import Fault
from tests.support.wire import callback
from tests.support.world import ACCOUNT, CUSTOMER, WHATSAPP, ManualClock, World

QUESTION = "Qual o horário?"


async def outbox(world: World) -> dict[str, Any]:
    rows = await world.rows("SELECT * FROM outbox ORDER BY id")
    return rows[-1]


async def reference(world: World) -> str:
    row = await outbox(world)
    return f"{row['id']}.{row['attempt']}.{row['tag']}"


async def in_doubt(world: World) -> None:
    """One reply whose POST was accepted and whose answer was lost; no callback has come."""
    world.twilio.faults.add(Fault("create", "reset", accepted=True), Fault("callback", "lost"))
    await world.say(QUESTION)
    await world.settle()
    assert (await outbox(world))["state"] == "doubt"


@pytest.mark.parametrize("kind", ["early", "twice", "out_of_order", "lost"])
async def test_callbacks_come_as_they_like(world: World, kind: str) -> None:
    """Before the 201, twice, backwards or never: one row, one sid, and the state only moves forward."""
    world.twilio.faults.add(Fault("callback", kind))

    await world.say(QUESTION)
    await world.settle()

    row = await outbox(world)
    assert len(world.sent()) == 1
    assert row["state"] == ("sent" if kind == "lost" else "delivered")
    assert row["sid"] == next(entry.sid for entry in world.twilio.ledger if not entry.inbound)
    assert await world.dispositions() == ["answered"]
    assert await world.cards() == []


async def test_a_status_never_goes_backwards(world: World) -> None:
    """After `delivered`, a late `sent` and a late `queued` change nothing, and are kept all the same."""
    await world.say(QUESTION)
    await world.settle()
    row, before = await outbox(world), await world.column("SELECT count(*) FROM delivery_events")

    for status in ("sent", "queued", "delivered", "from the future"):
        assert await callback(world, await reference(world), row["sid"], status) == 204

    assert await outbox(world) == row
    assert await world.column("SELECT count(*) FROM delivery_events") == [before[0] + 4]


async def test_read_follows_delivered_and_failed_is_final(world: World) -> None:
    """`read` moves on from `delivered`; `undelivered` ends the row with a card; nothing follows it."""
    await world.say(QUESTION)
    await world.settle()
    sid, name = (await outbox(world))["sid"], await reference(world)

    await callback(world, name, sid, "read")
    assert (await outbox(world))["state"] == "read"
    await callback(world, name, sid, "undelivered", ErrorCode="30003")
    await callback(world, name, sid, "delivered")

    row = await outbox(world)
    assert (row["state"], row["error_code"]) == ("failed", 30003)
    assert await world.cards() == ["undelivered"]


@pytest.mark.parametrize(
    ("reference_of", "changes"),
    [
        ("", {}),
        ("1", {}),
        ("1.1.", {}),
        ("1.1.0000000000000000", {}),
        ("999.1.0000000000000000", {}),
        ("99999999999999999999999.1.x", {}),
        ("%EF%BC%91.1.x", {}),
        ("-1.1.x", {}),
        ("true", {"AccountSid": "AC" + "f" * 32}),
        ("true", {"From": "+15550000000"}),
        ("true", {"MessageSid": ""}),
    ],
)
async def test_what_names_no_row_of_ours_changes_nothing(
    world: World, reference_of: str, changes: dict[str, str]
) -> None:
    """An unknown or forged reference, another account, another sender: 204, kept as an event, no effect."""
    await in_doubt(world)
    before = await outbox(world)

    name = await reference(world) if reference_of == "true" else reference_of
    assert await callback(world, name, "SM" + "9" * 32, "delivered", **changes) == 204

    assert await outbox(world) == before
    assert await world.column("SELECT note FROM delivery_events") == ["names no row of ours"]


async def test_a_differing_recipient_is_recorded_and_the_tag_decides(world: World) -> None:
    """Twilio may write To in another form than we did (a ninth digit): the callback counts."""
    await in_doubt(world)

    await callback(world, await reference(world), "SM" + "9" * 32, "sent", To="+551188887777")

    assert (await outbox(world))["state"] == "sent"
    assert await world.column("SELECT note FROM delivery_events") == ["differing To"]


async def test_a_second_sid_for_one_row_is_a_card(world: World) -> None:
    """Twilio reports two messages for one reply: the first stays bound, the second is kept and shown."""
    await world.say(QUESTION)
    await world.settle()
    row = await outbox(world)

    await callback(world, await reference(world), "SM" + "9" * 32, "delivered")

    assert await outbox(world) == row
    assert await world.cards() == ["sent_twice"]
    assert await world.column("SELECT status FROM delivery_events WHERE sid = ?", "SM" + "9" * 32) == ["delivered"]
    assert await world.column("SELECT number FROM attempts WHERE sid = ?", "SM" + "9" * 32) == [0]


async def test_a_late_callback_of_an_earlier_attempt_is_a_card(tmp_path: Path) -> None:
    """The log was behind by hours and did not show the first attempt, so there was a second: the customer has both,
    and it is told once, whatever Twilio says of the two later.
    """
    async with World(tmp_path, clock=ManualClock()) as world:
        world.twilio.faults.add(Fault("list", "lag", seconds=9_999, times=None))
        await in_doubt(world)
        await told_late(world)


async def told_late(world: World) -> None:
    first = await reference(world)
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(800, world.settle)
    sent = await outbox(world)
    assert (sent["attempt"], sent["state"]) == (2, "delivered")

    await callback(world, first, "SM" + "9" * 32, "delivered")
    await callback(world, first, "SM" + "9" * 32, "read", From="+15550000000")
    await callback(world, first, sent["sid"], "read")

    assert await world.cards() == ["sent_twice"]
    assert (await world.column("SELECT note FROM delivery_events ORDER BY id"))[-3:] == ["", "names no row of ours", ""]
    assert await world.column("SELECT number FROM attempts ORDER BY number") == [1, 2]
    assert (await outbox(world))["state"] == "read"
    assert (await outbox(world))["sid"] == sent["sid"]
    assert await world.appliance.store.read(lambda tx: tx.counts.sent_twice()) == 1


async def test_an_early_callback_with_another_sid_than_the_answer_is_a_card(world: World) -> None:
    """The callback won the race and the POST's answer names another message."""
    ours = "SM" + "9" * 32
    await in_doubt(world)
    name = await reference(world)
    await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE outbox SET state = 'sending'"))
    await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE attempts SET ended_at = NULL"))
    await callback(world, name, ours, "sent")

    await callback(world, name, "SM" + "8" * 32, "sent")

    assert (await outbox(world))["sid"] == ours
    assert await world.cards() == ["sent_twice"]


async def test_a_callback_settles_a_doubt(world: World) -> None:
    """The proof that it was sent: the row has its sid, its card is closed, nothing is sent again."""
    await in_doubt(world)
    assert await world.cards() == ["doubt"]
    assert await world.dispositions() == ["live"]

    await callback(world, await reference(world), "SM" + "9" * 32, "delivered", AccountSid=ACCOUNT)
    await world.settle()

    row = await outbox(world)
    assert (row["state"], row["sid"]) == ("delivered", "SM" + "9" * 32)
    assert await world.cards() == []
    assert await world.dispositions() == ["answered"]
    assert len(world.sent()) == 1


async def test_a_callback_during_the_post_settles_what_the_reset_hides(world: World) -> None:
    """Accepted, called back, and only then the connection is reset: no doubt is left."""
    world.twilio.faults.add(Fault("create", "reset", accepted=True), Fault("callback", "early"))

    await world.say(QUESTION)
    await world.settle()

    assert (await outbox(world))["state"] == "delivered"
    assert await world.cards() == []


async def test_a_late_answer_does_not_overwrite_its_callback(world: World) -> None:
    """`sent` was reported before the POST was answered with `queued`: the later news stands."""
    world.twilio.faults.add(Fault("callback", "early"), Fault("delivery", "stuck"))

    await world.say(QUESTION)
    await world.settle()

    row = await outbox(world)
    assert (row["state"], row["status"]) == ("sent", "sent")


async def test_a_callback_that_cannot_be_stored_gets_503(world: World) -> None:
    """Twilio may call again; an unstored event is never acknowledged."""
    await in_doubt(world)
    pages = await world.appliance.store.write(lambda tx: tx.sql.value("PRAGMA page_count"))
    await world.appliance.store._run(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}"))

    long = {"ChannelStatusMessage": "x" * 50_000}
    assert await callback(world, await reference(world), "SM" + "9" * 32, "sent", **long) == 503
    await world.appliance.store._run(lambda connection: connection.execute("PRAGMA max_page_count = 1073741823"))
    assert await callback(world, await reference(world), "SM" + "9" * 32, "sent", **long) == 204


async def test_a_failure_that_twilio_reports_is_a_card(tmp_path: Path) -> None:
    """A reply that Meta rejected later: failed with its code, a card in plain words, and it is not repeated."""
    async with World(tmp_path) as world:
        world.twilio.faults.add(Fault("delivery", "undelivered", code=63049))
        await world.say(QUESTION, f"whatsapp:{CUSTOMER}", WHATSAPP)
        await world.settle()

        assert (await outbox(world))["state"] == "failed"
        assert await world.cards() == ["undelivered"]
        assert len(world.sent(f"whatsapp:{CUSTOMER}")) == 1
