"""A week of the simulator: what was planted is named, each once; where nothing was planted nothing is."""

from pathlib import Path

from appliance.model import HOUR, MAIN, MINUTE, SECOND
from appliance.store.statements import Difference
from tests.statement.scene import differences, pass_, statements
from tests.statement.week import DAYS, Event, Week
from tests.support.accounts import BRANCH, Accounts
from tests.support.world import SMS


async def _lived(tmp_path: Path, planted: dict[int, Event]) -> tuple[list[tuple[str, str, str]], Week]:
    """(account, kind, sid) of each difference."""
    async with Accounts(tmp_path, registers=True) as world:
        week = Week(world, planted)
        await week.live()
        found = [(row["account"], row["kind"], row["sid"]) for row in await differences(world)]
        await _assert_told(world, found)
        return found, week


async def _assert_told(world: Accounts, found: list[tuple[str, str, str]]) -> None:
    """Every day of both accounts has a statement, the sums are right, and the week had everything in it."""
    for organization_id, account in ((1, MAIN), (2, BRANCH)):
        stated = await statements(world, organization_id)
        assert [row.account for row in stated] == [account] * len(stated)
        assert len(stated) >= DAYS
        for row in stated:
            alone = {"twilios_own", Difference.ELSEWHERE, Difference.MISSING_HERE}
            gone = row.settled.get(Difference.DELETED, 0) + row.settled.get(Difference.NOT_THERE, 0)
            assert "awaited" not in row.settled, row
            assert row.here == sum(n for kind, n in row.settled.items() if kind not in alone), row
            assert row.there == sum(row.settled.values()) - gone, row
    settled = {kind for row in await statements(world) for kind in row.settled}
    assert settled >= {"received", "sent", "twilios_own"}
    for happened in ("messages WHERE source = 'catch_up'", "attempts WHERE status IN ('failed', 'undelivered')",
                     "forgettings WHERE state = 'done'", "attempts WHERE guessed = 1"):  # fmt: skip
        assert await world.column(f"SELECT count(*) FROM {happened}") > [0], happened
    cards = [row for row in await world.opened_cards() if row["kind"] == "statement"]
    assert sum(row["times"] for row in cards) == len(found)


async def test_a_week_without_differences(tmp_path: Path) -> None:
    """Crashes, an outage, lost webhooks, doubts, failures, opt-outs, forgetting at Twilio, a late list: none is named."""
    found, _ = await _lived(tmp_path, {})

    assert found == []


async def test_what_was_planted_is_named_once(tmp_path: Path) -> None:
    """A reply from the console, a message deleted at Twilio, one of ours missing there, a clock that was off."""
    planted: dict[str, str] = {}

    async def console(week: Week) -> None:
        entry = week.world.twilio.schedule(
            SMS, "+5511977770001", "Marta aqui.", created=0, sent=week.world.clock.true()
        )
        planted[Difference.ELSEWHERE] = entry.sid

    async def deleted(week: Week) -> None:
        planted[Difference.DELETED] = week.one(MAIN, "inbound")
        week.vanish(MAIN, planted[Difference.DELETED])

    async def missing_there(week: Week) -> None:
        planted[Difference.NOT_THERE] = week.one(BRANCH, "outbound-api")
        week.vanish(BRANCH, planted[Difference.NOT_THERE])

    async def clock_off(week: Week) -> None:
        world = week.world
        world.clock.jump(30 * HOUR / SECOND)
        await pass_(world, MINUTE)
        for number in range(3):
            await world.write(MAIN, f"+551197777090{number}", SMS, "Que dia é hoje?")
            await world.settle()
        await pass_(world, MINUTE)
        world.clock.jump(-30 * HOUR / SECOND)
        await pass_(world, MINUTE)

    found, _ = await _lived(tmp_path, {54: console, 80: deleted, 104: missing_there, 124: clock_off})

    assert [(account, kind) for account, kind, _ in found] == [
        (MAIN, Difference.ELSEWHERE),
        (MAIN, Difference.DELETED),
        (BRANCH, Difference.NOT_THERE),
        (MAIN, Difference.CLOCK),
    ]
    assert {kind: sid for _, kind, sid in found if kind in planted} == planted
