"""One number that is two organizations', each in an account of its own: a person's rights reach one's rows alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.model import MAIN
from appliance.opening import restore
from appliance.simulator import SANDBOX
from appliance.store import backup
from appliance.wire import SIMULATED
from tests.privacy.scene import forget, forgotten, states
from tests.support import wire
from tests.support.accounts import BRANCH, SIDS, TOKENS, Accounts
from tests.support.api_client import api_of
from tests.support.world import CUSTOMER, TOKEN

SENDER = f"whatsapp:{CUSTOMER}"
FIRST = "Padaria Aurora"
OLD_LANE = f"{SANDBOX}|{SENDER}"


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Accounts]:
    """One customer wrote to the number through both accounts."""
    async with Accounts(tmp_path) as world:
        for account in (MAIN, BRANCH):
            await world.write(account, SENDER, SANDBOX, f"Oi {account}")
        await world.pass_(60)
        await world.appliance.store.write(lambda tx: tx.sql.run("DELETE FROM delivery_events"))
        yield world


async def tell(world: Accounts, sid: str, token: str = TOKEN, **told: str) -> None:
    """A callback that names no row of ours."""
    items = [("MessageSid", sid), ("MessageStatus", "delivered"), ("To", SENDER), *told.items()]
    path = "/twilio/status?o=9.9.0123456789abcdef"
    signature = wire.signature(world, path, items, token)
    assert (await wire.post(world, items, path, X_Twilio_Signature=signature))[0] == 204


async def held(world: Accounts, organization: str, table: str) -> list[dict[str, Any]]:
    async with api_of(world) as api:
        status, answer = await api.post("contacts/export", {"address": SENDER, "organization": organization})
    if status == 404:
        return []
    assert status == 200, answer
    return [row for contact in answer["person"]["contacts"] for row in contact["held"][table]]


async def sids(world: Accounts, organization: str) -> list[str]:
    return [row["sid"] for row in await held(world, organization, "delivery_events")]


async def test_a_callback_for_no_row_is_its_accounts(shared: Accounts) -> None:
    """By the account that it names, by whose token alone signed it; with or without the number it came from."""
    for account in (MAIN, BRANCH):
        await tell(shared, f"SM from {account}", TOKENS[account], AccountSid=SIDS[account], From=SANDBOX)
        await tell(shared, f"SM of {account}", TOKENS[account], AccountSid=SIDS[account])
    await tell(shared, "SM signed", TOKENS[BRANCH], From=SANDBOX)
    branchs = [f"SM from {BRANCH}", f"SM of {BRANCH}", "SM signed"]
    mains = [f"SM from {MAIN}", f"SM of {MAIN}"]

    assert (await sids(shared, FIRST), await sids(shared, BRANCH)) == (mains, branchs)
    await forget(shared, SENDER, organization=FIRST)
    await shared.pass_(60)

    assert await shared.column("SELECT sid FROM delivery_events ORDER BY id") == branchs
    await forget(shared, SENDER, organization=BRANCH)
    await shared.pass_(60)
    assert await states(shared) == ["done", "done"]
    assert await shared.column("SELECT sid FROM delivery_events") == []


async def test_what_nobody_can_tell_goes_with_the_last_who_knows_the_person(shared: Accounts) -> None:
    """No account is named, and the parent's token signs for both: it is shown to neither, and goes with the second."""
    await tell(shared, "SM either", From=SANDBOX)

    assert (await sids(shared, FIRST), await sids(shared, BRANCH)) == ([], [])
    await forget(shared, SENDER, organization=BRANCH)
    await shared.pass_(60)

    assert await sids(shared, FIRST) == ["SM either"]
    await forget(shared, SENDER, organization=FIRST)
    await shared.pass_(60)
    assert await shared.column("SELECT sid FROM delivery_events") == []


async def test_a_channel_that_moved_brings_its_callbacks_along(shared: Accounts) -> None:
    """They name the account that it came from, which has no such number any more."""
    await tell(shared, "SM before", TOKENS[BRANCH], AccountSid=SIDS[BRANCH], From="+551140000010")
    await shared.write(BRANCH, SENDER, "+551140000010", "Oi")
    await shared.pass_(60)
    await shared.appliance.store.write(
        lambda tx: tx.channels.move(tx.channels.at(BRANCH, "+551140000010").id, "shut", goes_on=True)  # type: ignore[union-attr]
    )

    assert await sids(shared, BRANCH) == ["SM before"]


async def test_a_message_to_nobodys_number_is_its_accounts(shared: Accounts) -> None:
    """Also where the other organization alone knows the customer."""
    other = "+5511966665555"
    await shared.write(MAIN, other, "+551140000000", "Oi")
    await shared.write(BRANCH, other, "+551149999999", "Enganei-me")
    await shared.pass_(60)

    async with api_of(shared) as api:
        found = {}
        for name in (FIRST, BRANCH):
            _, answer = await api.post("contacts/export", {"address": other, "organization": name})
            found[name] = "Enganei-me" in answer["transcript"]
    assert found == {FIRST: False, BRANCH: True}
    await forget(shared, other, organization=FIRST)
    await shared.pass_(60)
    assert await shared.column("SELECT body FROM orphaned_messages") == ["Enganei-me"]
    await forget(shared, other, organization=BRANCH)
    await shared.pass_(60)
    assert await shared.column("SELECT body FROM orphaned_messages") == [""]


async def test_an_old_lane_is_the_first_channels(shared: Accounts) -> None:
    """Older versions named a lane by the two addresses, and knew one account."""
    statement = (
        "INSERT INTO message_queue (kind, lane, resource, status, run_at, created_at, finished_at, error) "
        "VALUES ('send_reply', ?, '', 'discarded', 0, 0, 0, 'Oi de antes')"
    )
    await shared.appliance.store.write(lambda tx: tx.sql.run(statement, OLD_LANE))
    old = "SELECT count(*) FROM message_queue WHERE lane = ?"

    assert "Oi de antes" not in [job["error"] for job in await held(shared, BRANCH, "message_queue")]
    assert "Oi de antes" in [job["error"] for job in await held(shared, FIRST, "message_queue")]
    await forget(shared, SENDER, organization=BRANCH)
    await shared.pass_(60)
    assert await shared.column(old, OLD_LANE) == [1]
    await forget(shared, SENDER, organization=FIRST)
    await shared.pass_(60)
    assert await shared.column(old, OLD_LANE) == [0]


async def test_a_copy_forgets_again_for_whom_it_was(shared: Accounts) -> None:
    """What went to nobody's number: the one organization's wish takes nothing of the other's account along."""
    for account in (MAIN, BRANCH):
        await shared.write(account, SENDER, "whatsapp:+551149999999", f"Enganei-me {account}")
    copy = backup.keep_one(shared.appliance.store.directory, shared.clock.now())
    await shared.pass_(60)
    await forget(shared, SENDER, organization=BRANCH)
    await shared.pass_(60)
    await shared.stop()

    store = await restore(shared.config, shared.clock, copy)
    bodies = await store.read(
        lambda tx: [row[0] for row in tx.sql.all("SELECT body FROM orphaned_messages ORDER BY id")]
    )
    await store.close()

    assert bodies == [f"Enganei-me {MAIN}", ""]


async def test_only_the_demos_account_forgets_at_twilio_unasked(shared: Accounts) -> None:
    """The demo's Twilio is a file on this box; what the other account has there stays unless somebody asks."""
    assert SIDS[MAIN] == SIMULATED
    for organization in (FIRST, BRANCH):
        await forget(shared, SENDER, organization=organization)
        await shared.pass_(60)

    assert [each["at_twilio"] for each in await forgotten(shared)] == [False, True]
    left = {
        name: [entry for entry in shared.at[name].ledger if SENDER in (entry.sender, entry.recipient)] for name in SIDS
    }
    assert {name: bool(entries) for name, entries in left.items()} == {MAIN: False, BRANCH: True, "shut": False}
