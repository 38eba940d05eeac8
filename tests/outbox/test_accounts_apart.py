"""What befalls one account at Twilio befalls no other: limits, a log that hangs, doubt, restarts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from appliance.model import MAIN, Handover, JobKind
from appliance.simulator import Fault, Twilio
from tests.support.accounts import BRANCH, NUMBERS, REVOKED, SHUT, SIDS, TOKENS, Accounts
from tests.support.world import API_KEY, CUSTOMER, SMS

MINUTE = 60.0
EVENING = 1_800_056_000_000  # half an hour before Twilio counts a new day
(HERS, *_) = NUMBERS[BRANCH]
HANGS = Fault("list", "hang", seconds=60, times=None)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Accounts]:
    async with Accounts(tmp_path, twilio={"timeout": 1000}) as running:
        yield running


async def tick(world: Accounts, kind: JobKind) -> None:
    await world.appliance.engine.schedule.tick(kind)


@pytest.mark.parametrize(
    ("fault", "pause"),
    [
        (Fault("create", "error", status=429, code=63038, times=1), 40 * MINUTE),
        (Fault("create", "error", status=403, code=20006, times=1), MINUTE),
        (Fault("create", "error", status=429, code=20429, retry_after=20, times=1), MINUTE),
    ],
)
async def test_a_limit_of_one_account_stops_no_other(tmp_path: Path, fault: Fault, pause: float) -> None:
    """A daily limit, a balance that is empty, a rate limit: the others send, and so does this one when it is over."""
    async with Accounts(tmp_path, now=EVENING) as world:
        world.at[BRANCH].faults.add(fault)
        await world.write(BRANCH, CUSTOMER, HERS, "one")
        await world.settle()
        await world.write(MAIN, CUSTOMER, SMS, "two")
        await world.settle()

        assert (world.answers(BRANCH), world.answers(MAIN)) == ([], ["Re: two"])
        assert await world.opened() <= {("twilio", f"account:{BRANCH}"), REVOKED}
        await world.pass_(pause)
        assert world.answers(BRANCH) == ["Re: one"]
        assert await world.opened() == {REVOKED}


async def test_a_doubt_of_one_account_stops_no_other(world: Accounts) -> None:
    """It pauses its own account, across a restart too; another one's answer leaves at once."""
    world.at[BRANCH].faults.add(Fault("create", "reset"))
    await world.write(BRANCH, CUSTOMER, HERS, "one")
    await world.settle()
    await world.crash()
    await world.start()
    await world.write(BRANCH, CUSTOMER.replace("7777", "0001"), HERS, "three")
    await world.write(MAIN, CUSTOMER, SMS, "two")
    await world.settle()

    assert (world.answers(BRANCH), world.answers(MAIN)) == ([], ["Re: two"])
    await world.pass_(30 * MINUTE)
    assert sorted(world.answers(BRANCH)) == ["Re: one", "Re: three"]


async def test_a_log_that_hangs_keeps_no_other_waiting(world: Accounts) -> None:
    """While one account's list says nothing, another one's doubt is settled, its missed messages are fetched, its
    customers are handed back.
    """
    main = world.at[MAIN]
    main.faults.add(Fault("create", "reset", accepted=True), Fault("callback", "lost", times=None))
    await world.write(MAIN, CUSTOMER, SMS, "in doubt")
    await world.settle()
    for name in (MAIN, BRANCH):
        await world.write(name, CUSTOMER, NUMBERS[name][0], "missed", deliver=False)
    await world.pass_(4 * MINUTE)
    world.at[BRANCH].faults.add(HANGS)
    for kind in (JobKind.SETTLE, JobKind.CATCH_UP):
        await tick(world, kind)
        await world.pass_(10)
    world.at[BRANCH].faults.clear()
    world.at[BRANCH].faults.add(Fault("list", "error", times=None))  # the same, and sooner
    assert await world.column("SELECT state FROM outgoing WHERE account = ? ORDER BY id", MAIN) == ["delivered", "sent"]
    assert world.answers(MAIN) == ["Re: in doubt", "Re: missed"]

    asked = "UPDATE contacts SET handover = 'asked', handover_at = 1"
    await world.appliance.store.write(lambda tx: tx.sql.run(asked))
    await tick(world, JobKind.HAND_BACK)
    await world.pass_(1)
    assert await world.column("SELECT handover FROM contacts") == [None]
    await world.pass_(40 * MINUTE)
    assert await world.opened() == {("unreachable", f"account:{BRANCH}"), REVOKED}

    world.at[BRANCH].faults.clear()
    await world.pass_(5 * MINUTE)
    assert world.answers(BRANCH)[-1].endswith("Re: missed")
    assert await world.opened() == {REVOKED}


async def test_the_others_are_fetched_whoever_is_unreadable(world: Accounts) -> None:
    """One list answers with an error: what was missed at the other account is stored all the same."""
    world.at[BRANCH].faults.add(Fault("list", "error", times=None))
    await world.write(MAIN, CUSTOMER, SMS, "missed", deliver=False)
    await world.pass_(MINUTE)
    await tick(world, JobKind.CATCH_UP)
    await world.settle()

    assert await world.column("SELECT body FROM messages") == ["missed"]


async def test_a_customer_of_the_account_that_hangs_stays_with_the_person(world: Accounts) -> None:
    """Those of the other account are handed back, however many wait before them, and the card counts its own."""
    for number in range(120):
        await world.write(BRANCH, f"+55119{number:08}", HERS, "Oi")
    await world.write(MAIN, CUSTOMER, SMS, "Oi")
    await world.settle()

    def hand_over_all(tx: object) -> None:
        for contact in range(1, 122):
            tx.contacts.hand_over(contact, Handover.ASKED, 1)  # type: ignore[attr-defined]

    await world.appliance.store.write(hand_over_all)
    world.at[BRANCH].revoked = world.at[MAIN].revoked = False
    world.at[BRANCH].faults.add(Fault("list", "error", status=403, code=20008, times=None))
    await tick(world, JobKind.HAND_BACK)
    await world.settle()

    left = await world.column("SELECT count(*) FROM contacts WHERE handover IS NOT NULL")
    assert left == [120]
    assert await world.opened() >= {("hand_back", f"account:{BRANCH}")}
    assert any("Customers whom the assistant should take back: 100" in told for told in await world.told())


async def test_at_a_start_one_log_takes_nothing_of_the_others_time(world: Accounts) -> None:
    """What main's customers wrote while the box was off is fetched before the workers begin, although the branch's log
    says nothing until the patience is over.
    """
    await world.stop()
    world.at[BRANCH].faults.add(HANGS)
    for name in (BRANCH, MAIN):
        await world.write(name, CUSTOMER, NUMBERS[name][0], "missed", deliver=False)
    await world.clock.advance(MINUTE, lambda: asyncio.sleep(0))
    await world.start()
    await world.appliance.engine.reconciled.wait()

    assert await world.column("SELECT body FROM messages") == ["missed"]
    await world.settle()
    assert world.answers(MAIN) == ["Re: missed"]


@pytest.mark.parametrize(("own_token", "by_parent"), [(True, True), (False, True), (True, False)])
async def test_a_subaccount_lives_by_its_own_token_or_its_parents(
    tmp_path: Path, own_token: bool, by_parent: bool
) -> None:
    """Its webhooks are signed with its own or its parent's, its REST API opens to either."""
    async with Accounts(tmp_path, own_token=own_token, signed_by_parent=by_parent) as world:
        await world.write(BRANCH, CUSTOMER, HERS, "Oi")
        await world.settle()
        await world.write(BRANCH, CUSTOMER, HERS, "missed", deliver=False)
        await world.pass_(MINUTE)
        await tick(world, JobKind.CATCH_UP)
        await world.settle()

        assert world.answers(BRANCH) == ["Re: Oi", "Re: missed"]
        assert await world.column("SELECT state FROM outbox") == ["delivered"] * 2


async def test_metrics_name_the_accounts(world: Accounts) -> None:
    """What waits at each, and whose log cannot be read."""
    await world.write(SHUT, CUSTOMER, NUMBERS[SHUT][0], "Oi")
    await world.settle()
    await tick(world, JobKind.CATCH_UP)
    await world.settle()
    async with (
        aiohttp.ClientSession(headers={"X-API-Key": API_KEY}) as session,
        session.get(f"{world.address}/metrics") as response,
    ):
        text = await response.text()

    assert f'appliance_account_unsettled{{account="{SHUT}",state="ready"}} 1.0' in text
    assert f'appliance_account_unsettled{{account="{MAIN}",state="ready"}} 0.0' in text
    assert f'appliance_account_log_unreadable{{account="{SHUT}"}} 1.0' in text
    assert f'appliance_account_log_unreadable{{account="{MAIN}"}} 0.0' in text


async def test_another_tokens_are_no_credentials(world: Accounts) -> None:
    """Twilio's side: neither a subaccount's nor a stranger's token opens the parent."""
    assert isinstance(world.at[MAIN], Twilio)
    opens = {
        (whose, by): world.at[whose].knows(SIDS[by], TOKENS[by])
        for whose in (MAIN, BRANCH)
        for by in (MAIN, BRANCH, SHUT)
    }

    assert {pair for pair, does in opens.items() if does} == {(MAIN, MAIN), (BRANCH, BRANCH), (BRANCH, MAIN)}
