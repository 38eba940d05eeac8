"""What is no difference, however Twilio's list and our books look: late, undated, unreadable, too long, moved, restored."""

from pathlib import Path

import pytest

from appliance.model import HOUR, MINUTE, JobKind
from appliance.opening import restore
from appliance.operations.channels import remove
from appliance.operations.organizations import add_channel
from appliance.simulator import Fault
from appliance.store import backup
from appliance.twilio import log
from tests.operations.test_moves import move, ready_for
from tests.privacy.scene import forget
from tests.statement.scene import NOON, compared, differences, hours, kinds, pass_, shop, statements, talk, tick
from tests.support.accounts import BRANCH, NUMBERS, SHUT, Accounts
from tests.support.world import CUSTOMER, WHATSAPP


async def test_what_has_no_date_is_asked_for_by_its_sid(tmp_path: Path) -> None:
    """The list by DateSent lacks what failed and what waits in Twilio's queue: neither is missing there."""
    async with shop(tmp_path) as world:
        world.twilio.faults.add(Fault("delivery", "failed", code=30005))
        world.twilio.faults.add(Fault("delivery", "held"))
        world.twilio.null_from = True
        await talk(world, 3)
        await hours(world, 2)

        assert await kinds(world) == []
        assert (await statements(world))[0].settled == {"received": 3, "sent": 3}


async def test_what_catch_up_has_yet_to_fetch_is_awaited(tmp_path: Path) -> None:
    """A lost webhook is no difference before catch-up has passed it, nor after."""
    async with shop(tmp_path) as world:
        await talk(world, 1, deliver=False)
        await pass_(world, 5 * MINUTE)
        await tick(world, JobKind.STATEMENT)
        before = (await statements(world))[0]
        await compared(world)
        await compared(world)

        assert before.settled == {"awaited": 1}
        assert (before.there, before.here) == (1, 0)
        assert await kinds(world) == []
        assert (await statements(world))[0].settled == {"received": 1, "sent": 1}


async def test_an_unreadable_log_says_nothing(tmp_path: Path) -> None:
    """Neither list nor single messages: the last statement stays as it was, and nothing is named."""
    async with shop(tmp_path) as world:
        await talk(world)
        await compared(world)
        before = await statements(world)
        world.twilio.faults.add(Fault("list", "error", times=None))
        await talk(world)
        await hours(world, 1)
        assert await statements(world) == before
        world.twilio.faults.clear()
        world.twilio.faults.add(Fault("delivery", "held"))
        await talk(world, 1)
        world.twilio.faults.add(Fault("fetch", "error", times=None))
        await hours(world, 1)

        assert await statements(world) == before
        assert await differences(world) == []


async def test_more_than_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said so; nothing is counted, nothing is named."""
    monkeypatch.setattr(log, "MOST", 3)
    async with shop(tmp_path) as world:
        await talk(world, 2)
        await compared(world)
        calm = (await statements(world))[0].settled
        await talk(world, 2)
        await compared(world)

        found = (await statements(world))[0]
        assert calm == {"received": 2, "sent": 2}
        assert (found.there, found.here, found.settled) == (0, 0, {"too_many": 1})
        assert await differences(world) == []


async def test_a_day_is_the_organizations(tmp_path: Path) -> None:
    """Messages just before and after midnight belong to two days, in São Paulo and not in UTC; both are told."""
    async with shop(tmp_path) as world:
        await hours(world, 1)
        await pass_(world, 12 * HOUR - (world.appliance.clock.now() - NOON) - 2 * MINUTE)
        await talk(world, 4)
        await hours(world, 4)
        await pass_(world, 10 * HOUR)
        await hours(world, 1)

        assert [(row.day, row.settled) for row in await statements(world)] == [
            ("2027-01-16", {"received": 2, "sent": 2}),
            ("2027-01-15", {"received": 2, "sent": 2}),
        ]
        ended = (await statements(world))[1]
        assert NOON + 14 * HOUR <= ended.compared_to <= NOON + 15 * HOUR


async def test_days_on_which_nobody_looked(tmp_path: Path) -> None:
    """After three days without a comparison each of them gets its statement."""
    async with shop(tmp_path) as world:
        await compared(world)
        for _ in range(3):
            await talk(world, 1)
            await pass_(world, 24 * HOUR)
        await compared(world)

        assert [(row.day[-2:], row.there, row.here) for row in await statements(world)] == [
            ("18", 0, 0), ("17", 2, 2), ("16", 2, 2), ("15", 2, 2)
        ]  # fmt: skip


async def test_a_channel_that_moved(tmp_path: Path) -> None:
    """What each account took is told in its own statement; what the other one has is no difference."""
    async with Accounts(tmp_path) as world:
        address = NUMBERS[BRANCH][0]
        ready_for(world, SHUT, address)
        await pass_(world, 5 * MINUTE)
        await world.write(BRANCH, CUSTOMER, address, "one")
        await world.settle()
        await pass_(world, 5 * MINUTE)
        assert await move(world, address, SHUT) == ""
        await pass_(world, 5 * MINUTE)
        await world.write(SHUT, CUSTOMER, address, "two")
        await world.write(BRANCH, CUSTOMER, address, "to whoever has the number there now", deliver=False)
        await world.settle()
        await hours(world, 2)

        assert [(row.account, row.settled) for row in await statements(world, 2)] == [
            (BRANCH, {"received": 2, "sent": 1}),  # its log is read a little longer
            (SHUT, {"received": 1, "sent": 2}),
        ]
        assert await kinds(world) == []


async def test_a_restored_backup(tmp_path: Path) -> None:
    """What the lost box sent after the copy was taken stands in the log and is nobody else's word."""
    async with shop(tmp_path) as world:
        await talk(world, 1)
        await pass_(world, 5 * MINUTE)
        copy = await backup.take_one(world.appliance.store.directory, world.appliance.clock.now())
        await pass_(world, 5 * MINUTE)
        await talk(world, 3)
        await world.stop()
        store = await restore(world.config, world.appliance.clock, copy)
        await store.close()
        await world.start()
        await world.settle()
        for _ in range(6):
            await compared(world)

        assert await kinds(world) == []
        assert (await statements(world))[0].settled == {"received": 4, "sent": 1, "restored": 3}
        assert await world.cards() == []


async def test_who_was_forgotten_is_no_difference(tmp_path: Path) -> None:
    """Neither where Twilio keeps its copies, nor where they were deleted there from here."""
    async with shop(tmp_path, account="AC" + "1" * 32) as world:
        for _ in range(2):
            await world.say("Horário?")
            await world.say("Horário?", f"whatsapp:{CUSTOMER}", WHATSAPP)
            await world.settle()
        await pass_(world, 10 * MINUTE)
        await forget(world, CUSTOMER)
        await forget(world, f"whatsapp:{CUSTOMER}", at_twilio=True)
        await hours(world, 3)

        found = (await statements(world))[0]
        assert (found.settled, found.there, found.here) == ({"forgotten": 4}, 4, 4)
        assert await kinds(world) == []


async def test_twilios_own_answers_and_numbers_that_were_nobodys(tmp_path: Path) -> None:
    """STOP is answered by Twilio; what came to a number before it was a channel is kept; a gap in its use is no loss."""
    added = "+551140000077"
    async with shop(tmp_path) as world:
        world.twilio.owned = [*world.twilio.owned, added]
        await world.say("STOP")
        await world.say("Oi?", CUSTOMER, added)
        await world.settle()
        await world.appliance.store.write(lambda tx: add_channel(tx, 1, added))
        await pass_(world, 5 * MINUTE)
        await world.appliance.store.write(lambda tx: remove(tx, added, None, force=True))
        await pass_(world, 5 * MINUTE)
        await world.twilio.receive(CUSTOMER, added, "in the gap", deliver=False)
        await pass_(world, 5 * MINUTE)
        await world.appliance.store.write(lambda tx: add_channel(tx, 1, added))
        await hours(world, 2)

        assert await kinds(world) == []
        assert (await statements(world))[0].settled == {"received": 1, "twilios_own": 1, "unknown_number": 1}


async def test_prices_come_with_it(tmp_path: Path) -> None:
    """What Twilio tells of a price after it was sent is kept, for delivered messages too."""
    async with shop(tmp_path) as world:
        await talk(world)
        await hours(world, 3)

        assert await world.column("SELECT price FROM outbox") == ["-0.00750"] * 2


async def test_many_that_are_gone_are_asked_for_a_hundred_at_a_time(tmp_path: Path) -> None:
    """What is not asked for yet is awaited, and named later: each once."""
    async with shop(tmp_path) as world:
        await talk(world, 1)
        await pass_(world, 5 * MINUTE)
        await world.appliance.store.write(
            lambda tx: tx.sql.run(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 110) INSERT INTO messages "
                "(sid, organization_id, contact_id, conversation_id, body, media, message_type, parameters, source, "
                "suppressed, received_at) SELECT 'SM' || i, 1, 1, 1, '', '[]', '', '[]', 'webhook', 'x', ? FROM n",
                tx.now,
            )
        )
        await compared(world)
        first = (await statements(world))[0].settled
        await hours(world, 1)

        assert (first["deleted"], first["awaited"]) == (100, 10)
        assert (await statements(world))[0].settled["deleted"] == 110
        assert len(await differences(world)) == 110
        assert [card["times"] for card in await world.opened_cards() if card["kind"] == "statement"] == [110]
