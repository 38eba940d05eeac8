"""Forgetting where a channel belonged to several accounts, and where an account does not answer any more."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.model import MAIN
from appliance.operations import verification
from appliance.operations.channels import remove
from appliance.operations.moves import Move, move_channel
from appliance.simulator import SANDBOX, Fault
from tests.privacy.scene import forget, forgotten, states
from tests.support.accounts import BRANCH, NUMBERS, SHUT, Accounts
from tests.support.command_line import CommandLine, write_config
from tests.support.world import CUSTOMER

NUMBER = NUMBERS[BRANCH][0]
(SHUTS,) = NUMBERS[SHUT]
MINUTE, HOURS = 60.0, 3_600.0
OTHER = "+5511977776666"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Accounts]:
    async with Accounts(tmp_path) as running:
        yield running


async def move(world: Accounts, address: str, source: str, account: str) -> None:
    """With all that the accounts need for it."""
    world.at[account].revoked = False
    world.at[account].owned = (*NUMBERS[account], address)
    await move_channel(world.appliance.store, Move(address, source, account), world.appliance.engine.missed)
    await world.settle()


async def moved(world: Accounts) -> None:
    """A customer who wrote to a number while it was the branch's and afterwards; each time there was an answer."""
    await world.write(BRANCH, CUSTOMER, NUMBER, "one")
    await world.settle()
    await move(world, NUMBER, BRANCH, SHUT)
    await world.write(SHUT, CUSTOMER, NUMBER, "two")
    await world.settle()


async def told(world: Accounts) -> dict[str, Any]:
    [found] = await forgotten(world)
    return found


async def later(world: Accounts, hours: float, passing: float = 5 * MINUTE) -> None:
    """The wall clock is moved on; then time passes, and what falls due in it happens."""
    world.clock.jump(hours * HOURS)
    await world.pass_(passing)


async def looks(world: Accounts) -> float:
    """How often the job was run and had to wait."""
    labels = {"kind": "forget", "outcome": "snooze"}
    return world.appliance.metrics.registry.get_sample_value("appliance_jobs_total", labels) or 0.0


async def test_the_copies_of_both_accounts_go(world: Accounts) -> None:
    """What was said before the move is the old account's: it is listed there and deleted there."""
    await moved(world)
    assert [len(list(world.at[each].ledger)) for each in (BRANCH, SHUT)] == [2, 2]

    await forget(world, organization=BRANCH, at_twilio=True)
    await world.pass_(MINUTE)

    found = await told(world)
    assert (found["state"], found["report"]["deleted_at_twilio"], found["left_at_twilio"]) == ("done", 4, 0)
    assert "not_found_at_twilio" not in found["report"]
    assert [len(list(world.at[each].ledger)) for each in (BRANCH, SHUT)] == [0, 0]


async def test_what_no_log_lists_is_looked_for_in_each_account(world: Accounts) -> None:
    """The old account's log cannot be read for a day: what the box knows is asked of both accounts all the same."""
    await moved(world)
    world.at[BRANCH].faults.add(Fault("list", "error", times=None))
    await forget(world, organization=BRANCH, at_twilio=True)
    await world.pass_(MINUTE)
    found = await told(world)
    assert found["state"] == "waiting"
    assert found["waits_for"].startswith(
        "Twilio's log of the account branch cannot be read, which alone tells what is to"
    )

    await later(world, 25)

    found = await told(world)
    assert (found["state"], found["report"]["deleted_at_twilio"]) == ("done", 4)
    assert found["report"]["not_listed_branch"] is True
    assert [len(list(world.at[each].ledger)) for each in (BRANCH, SHUT)] == [0, 0]


async def test_an_account_that_takes_no_key_is_named(world: Accounts) -> None:
    """Its copies are tried for three days after the wish, the others' go at once, and the report says what was left."""
    await moved(world)
    world.at[BRANCH].revoked = True
    await forget(world, organization=BRANCH, at_twilio=True)
    await world.pass_(MINUTE)
    await later(world, 25)
    found = await told(world)
    assert (found["state"], found["left_at_twilio"], found["report"]["deleted_at_twilio"]) == ("at_twilio", 2, 2)
    assert found["waits_for"].startswith("Twilio deletes nothing in the account branch; give it a key that works")

    await later(world, 48)

    found = await told(world)
    assert (found["state"], found["left_at_twilio"]) == ("done", 0)
    counts = {name: count for name, count in found["report"].items() if "twilio" in name}
    assert counts == {"deleted_at_twilio": 2, "unanswered_at_twilio_branch": 2}
    assert ("forget", "forgetting:1") not in await world.opened()


async def test_an_account_that_left_the_configuration_is_named(world: Accounts, tmp_path: Path) -> None:
    """Nobody can ask it: what the other account does not have is said to be there still, also on the command line."""
    await moved(world)
    await world.appliance.store.write(lambda tx: remove(tx, SANDBOX, BRANCH, force=True))
    await world.stop()
    left = tuple(each for each in world.config.twilio.accounts if each.name != BRANCH)
    twilio = msgspec.structs.replace(world.config.twilio, accounts=left)
    world.config = msgspec.structs.replace(world.config, twilio=twilio)
    await world.start()

    await forget(world, organization=BRANCH, at_twilio=True)
    await world.pass_(MINUTE)

    found = await told(world)
    counts = {name: count for name, count in found["report"].items() if name.startswith(("not_", "deleted"))}
    assert found["state"] == "done"
    assert counts == {"deleted_at_twilio": 2, "not_configured_branch": 2, "not_listed_branch": True}
    listed = (await CommandLine(write_config(tmp_path / "config.toml", world.config))("forgotten")).stdout
    assert "at Twilio: 2 not deleted: the account branch is not in the configuration any more" in listed


async def test_what_is_not_there_any_more_is_told_apart(world: Accounts) -> None:
    """Somebody deleted it at Twilio: it was not the box that did."""
    sid = await world.write(BRANCH, CUSTOMER, NUMBER, "one")
    await world.settle()
    entry = world.at[BRANCH].ledger.get(sid)
    assert entry is not None
    world.at[BRANCH].ledger.erase(msgspec.structs.replace(entry, deleted=True))

    await forget(world, organization=BRANCH, at_twilio=True)
    await world.pass_(MINUTE)

    report = (await told(world))["report"]
    assert (report["deleted_at_twilio"], report["not_found_at_twilio"]) == (1, 1)


async def in_doubt(world: Accounts) -> None:
    """Whether the answer was sent is not known, and the account takes no key any more."""
    world.at[SHUT].revoked = False
    world.at[SHUT].faults.add(Fault("create", "reset"))
    await world.write(SHUT, CUSTOMER, SHUTS, "Oi")
    await world.settle()
    world.at[SHUT].revoked = True
    await forget(world, organization=SHUT)
    await world.pass_(MINUTE)


async def test_why_it_waits_is_told_at_once_and_on_a_card_after_an_hour(world: Accounts, tmp_path: Path) -> None:
    """One card, with what to do; with a key that works it goes on, and the card is closed."""
    await in_doubt(world)
    found = await told(world)
    assert found["state"] == "waiting"
    assert found["waits_for"].startswith("Twilio's log of the account shut cannot be read, which alone tells whether")
    listed = (await CommandLine(write_config(tmp_path / "config.toml", world.config))("forgotten")).stdout
    assert "give the account a key that works; after 24 hours it goes on without" in listed
    assert "forget" not in await world.cards()

    await later(world, 1)
    await later(world, 1)
    cards = await world.rows("SELECT * FROM cards WHERE kind = 'forget'")
    assert [each["times"] for each in cards] == [1]
    (card,) = [text for text in await world.told() if text.startswith("Forgetting")]
    assert card.startswith("Forgetting no. 1 waits. It waits for this: Twilio's log of the account shut cannot be read")
    assert CUSTOMER[-4:] not in card

    world.at[SHUT].revoked = False
    await later(world, 1, 25 * MINUTE)
    assert await states(world) == ["done"]
    assert "forget" not in await world.cards()
    assert (await told(world))["waits_for"] is None


async def test_after_a_day_what_nobody_can_tell_is_left_and_it_goes_on(world: Accounts) -> None:
    """The doubt is parked like one whose log is unclear; then all that is known of the person goes."""
    await in_doubt(world)
    await later(world, 22)
    assert await states(world) == ["waiting"]

    await later(world, 2)
    assert await world.column("SELECT state FROM outbox") == ["parked"]
    await later(world, 24)

    found = await told(world)
    assert found["report"]["never_known"] == 1
    assert found["erased_at"] is not None
    assert await world.column("SELECT address FROM contacts") == ["forgotten:1"]
    assert await world.dispositions() == ["dead"]
    assert (await world.appliance.store.inspect(verification.verify)).problems == []
    assert await world.column("SELECT count(*) FROM cards WHERE kind = 'doubt' AND closed_at IS NULL") == [0]


async def test_it_looks_again_later_and_later(world: Accounts) -> None:
    """At least a minute lies between two looks, and in the end an hour."""
    await in_doubt(world)
    began = await looks(world)
    await world.pass_(10 * MINUTE)
    assert await looks(world) - began <= 10

    await later(world, 9)
    began = await looks(world)
    await world.pass_(2 * HOURS)
    assert await looks(world) - began <= 2


async def test_who_is_forgotten_meanwhile_does_not_wait(world: Accounts) -> None:
    """One waits for hours: another's wish is done at once, and asking again has a look made at once."""
    await world.write(MAIN, OTHER, NUMBERS[MAIN][0], "Oi")
    await in_doubt(world)
    await later(world, 10)

    await forget(world, OTHER, organization=1)
    await world.pass_(1)
    assert await states(world) == ["waiting", "done"]

    world.at[SHUT].revoked = False
    await world.pass_(MINUTE)
    assert await states(world) == ["waiting", "done"]
    await forget(world, organization=SHUT)
    await world.pass_(25 * MINUTE)
    assert await states(world) == ["done", "done"]


async def test_a_hundred_copies_that_must_wait_hold_up_no_other(world: Accounts) -> None:
    """What is still on its way at Twilio is passed over, however much of it comes first."""
    address = NUMBERS[SHUT][0]
    world.at[SHUT].revoked = False
    sids = [await world.write(SHUT, CUSTOMER, address, str(number)) for number in range(130)]
    await world.settle()
    for sid in sorted(sids)[:110]:
        entry = world.at[SHUT].ledger.get(sid)
        assert entry is not None
        world.at[SHUT].ledger.set_status(entry, "queued", world.clock.now())

    await forget(world, organization=SHUT, at_twilio=True)
    await world.pass_(MINUTE)

    assert (await told(world))["left_at_twilio"] == 110
