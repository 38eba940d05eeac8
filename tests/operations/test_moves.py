"""A channel that moves to another account, and what keeps it where it is."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.errors import RequestError
from appliance.model import MAIN, Channel, Handover, JobKind
from appliance.operations.channels import remove
from appliance.operations.moves import Move, move_channel
from appliance.simulator import SANDBOX, Fault
from appliance.store.box import Fact
from tests.support import wire
from tests.support.accounts import BRANCH, NUMBERS, SHUT, SIDS, TOKENS, Accounts
from tests.support.api_client import control_of
from tests.support.world import CUSTOMER, SMS

(SHUTS,) = NUMBERS[SHUT]
MINUTE = 60.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Accounts]:
    async with Accounts(tmp_path) as running:
        await running.settle()  # the start reads each log, and would find what is written meanwhile
        yield running


async def move(world: Accounts, address: str, account: str, source: str | None = None, *, park: bool = False) -> str:
    """ "" or the code of the refusal."""
    try:
        await move_channel(world.appliance.store, Move(address, source, account, park), world.appliance.engine.missed)
    except RequestError as error:
        return error.code
    world.appliance.engine.bell.ring()
    await world.settle()
    return ""


async def test_what_was_never_handed_over_goes_out_through_the_new_account(world: Accounts) -> None:
    """Answers wait for an account whose key is revoked; moved, they are sent by the new one, and what comes next too."""
    await world.write(SHUT, CUSTOMER, SHUTS, "one")
    await world.pass_(MINUTE)
    assert world.answers(SHUT) == []
    world.at[MAIN].owned = (*NUMBERS[MAIN], SHUTS)
    world.at[MAIN].services = None

    assert await move(world, SHUTS, MAIN, park=True) == ""
    await world.pass_(MINUTE)
    await world.write(MAIN, CUSTOMER, SHUTS, "two")
    await world.settle()

    assert (world.answers(SHUT), world.answers(MAIN)) == ([], ["Re: one", "Re: two"])
    assert await world.column("SELECT count(*) FROM conversations") == [1]
    assert await world.column("SELECT disposition FROM dispositions") == ["answered"] * 2


def ready_for(world: Accounts, account: str, address: str) -> None:
    """At Twilio the number is the account's, which answers."""
    world.at[account].revoked = False
    world.at[account].owned = (*NUMBERS[account], address)


async def test_what_was_missed_comes_in_before_the_move(world: Accounts) -> None:
    """Its webhook never arrived, and nobody asks the old account's log for the channel afterwards: it is read first, and
    the answer leaves through the new account.
    """
    address = NUMBERS[BRANCH][0]
    ready_for(world, SHUT, address)
    await world.write(BRANCH, CUSTOMER, address, "Oi", deliver=False)
    await world.pass_(MINUTE)

    assert await move(world, address, SHUT) == ""
    await world.settle()

    assert (world.answers(BRANCH), world.answers(SHUT)) == ([], ["Re: Oi"])
    assert await world.dispositions() == ["answered"]


async def test_it_stays_while_the_old_log_cannot_be_read(world: Accounts) -> None:
    """Nobody could tell what was missed: the refusal says so and what to do, and nothing has moved. Over the API too."""
    address = NUMBERS[BRANCH][0]
    world.at[BRANCH].faults.add(Fault("list", "error", times=None))
    async with control_of(world) as api:
        status, told = await api.post("channels/move", {"address": address, "account": MAIN})

    assert (status, told["error"]["code"]) == (409, "unread")
    assert re.search(r"The log of branch does not tell what was missed .* cannot be read .* --park", str(told))
    assert await world.column("SELECT account FROM channels WHERE address = ?", address) == [BRANCH]


async def test_what_is_just_coming_in_is_left_to_its_webhook(world: Accounts) -> None:
    """A message that Twilio has and we do not, a second old: it does not move before that is here, or known as missed."""
    address = NUMBERS[BRANCH][0]
    ready_for(world, SHUT, address)
    await world.write(BRANCH, CUSTOMER, address, "Oi", deliver=False)

    assert await move(world, address, SHUT) == "unread"
    await world.pass_(MINUTE)
    assert await move(world, address, SHUT) == ""
    await world.settle()

    assert world.answers(SHUT) == ["Re: Oi"]


async def test_what_a_parked_move_leaves_unknown_is_told(world: Accounts) -> None:
    """The old account takes no key any more: it moves with `--park`, and a card says what is not known."""
    async with control_of(world) as api:
        status, told = await api.post("channels/move", {"address": SHUTS, "account": BRANCH, "park": True})

    (channel,) = await world.column("SELECT id FROM channels WHERE address = ?", SHUTS)
    assert (status, told) == (200, {"id": channel, "read": False})
    assert ("moved", f"channel:{channel}") in await world.opened()
    (text,) = [told for told in await world.told() if "before a number moved" in told]
    assert "by the account shut before the move was not read to the end: it cannot be read" in text
    assert SHUTS not in text


async def test_what_arrives_between_the_read_and_the_move_is_answered(world: Accounts) -> None:
    """By webhook, when the old log was read already: it is the channel's like any other."""
    address = NUMBERS[BRANCH][0]
    ready_for(world, SHUT, address)

    class Late:
        async def fetch(self, channel: Channel) -> bool:
            found = await world.appliance.engine.missed.fetch(channel)
            await world.write(BRANCH, CUSTOMER, address, "Oi")
            await world.settle()  # it was answered as well
            return found

    await move_channel(world.appliance.store, Move(address, None, SHUT), Late())
    await world.settle()

    assert world.answers(BRANCH) + world.answers(SHUT) == ["Re: Oi"]
    assert await world.dispositions() == ["answered"]


async def test_the_old_log_may_be_behind(world: Accounts) -> None:
    """A missed message that the list shows only minutes later, after the move: that log is read a little longer, and
    what it tells is answered by the new account. Then nobody asks it any more.
    """
    address = NUMBERS[BRANCH][0]
    ready_for(world, SHUT, address)
    await world.write(BRANCH, CUSTOMER, address, "Oi", deliver=False)
    await world.pass_(MINUTE)
    world.at[BRANCH].faults.add(Fault("list", "lag", seconds=300, times=None))
    assert await move(world, address, SHUT) == ""

    async def pass_(seconds: float) -> None:
        await world.pass_(seconds)
        await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
        await world.settle()

    await pass_(2 * MINUTE)
    assert world.answers(SHUT) == []
    await pass_(5 * MINUTE)
    assert (world.answers(BRANCH), world.answers(SHUT)) == ([], ["Re: Oi"])
    await pass_(5 * MINUTE)

    assert await world.column("SELECT read_from FROM former_accounts") == [None]
    assert await world.dispositions() == ["answered"]


async def test_a_pass_under_way_does_not_mind_the_move(world: Accounts) -> None:
    """The old log is being read while the channel moves: what it tells is the channel's, and no orphan."""
    address = NUMBERS[BRANCH][0]
    ready_for(world, SHUT, address)
    await world.write(BRANCH, CUSTOMER, address, "Oi", deliver=False)
    await world.pass_(MINUTE)
    (channel,) = await world.column("SELECT id FROM channels WHERE address = ?", address)
    read, outbound = asyncio.Event(), world.appliance.engine.adapters.accounts[BRANCH].log.outbound
    log: Any = world.appliance.engine.adapters.accounts[BRANCH].log

    async def slow(*about: Any, **more: Any) -> Any:
        read.set()
        await world.appliance.store.write(lambda tx: tx.channels.move(channel, SHUT, goes_on=True))
        return await outbound(*about, **more)

    log.outbound = slow
    await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
    await world.settle()

    assert read.is_set()
    assert await world.column("SELECT count(*) FROM orphaned_messages") == [0]
    assert world.answers(SHUT) == ["Re: Oi"]


async def test_an_address_that_was_removed_over_there_is_refused(world: Accounts) -> None:
    """It keeps its customers and their messages, and two rows cannot bear the name."""
    await world.write(MAIN, CUSTOMER, SANDBOX, "Oi")
    await world.settle()
    await world.appliance.store.write(lambda tx: remove(tx, SANDBOX, MAIN, force=True))

    assert await move(world, SANDBOX, MAIN, BRANCH) == "taken"


async def test_it_stays_while_a_send_is_in_doubt(world: Accounts) -> None:
    """Only the old account's log can tell; once it has, it moves. The refusal says what to do."""
    world.at[BRANCH].faults.add(Fault("create", "reset", accepted=True), Fault("callback", "lost", times=None))
    address = NUMBERS[BRANCH][0]
    await world.write(BRANCH, CUSTOMER, address, "Oi")
    await world.settle()
    with pytest.raises(RequestError, match=r"only its log can tell. Wait until .* or .* --park"):
        await move_channel(world.appliance.store, Move(address, None, MAIN), world.appliance.engine.missed)
    assert await move(world, address, MAIN) == "in_doubt"

    await world.pass_(5 * MINUTE)
    assert await world.column("SELECT state FROM outbox") == ["delivered"]

    assert await move(world, address, MAIN) == ""
    assert (len(world.answers(BRANCH)), len(world.answers(MAIN))) == (1, 0)


async def test_what_nobody_can_tell_any_more_is_left_to_a_person(world: Accounts) -> None:
    """The old account is gone with its log: `--park` makes dead letters of what is in doubt, and the channel is free."""
    world.at[SHUT].revoked = False
    world.at[SHUT].faults.add(Fault("create", "reset"))
    await world.write(SHUT, CUSTOMER, SHUTS, "Oi")
    await world.settle()
    world.at[SHUT].revoked = True
    assert await move(world, SHUTS, BRANCH) == "in_doubt"

    assert await move(world, SHUTS, BRANCH, park=True) == ""

    assert await world.column("SELECT state FROM outbox") == ["parked"]
    assert await world.column("SELECT status FROM message_queue WHERE kind = 'send_reply' AND status = 'dead'") == [
        "dead"
    ]
    assert (await world.opened()) & {("doubt", "outbox:1")}


async def test_what_the_old_account_says_of_its_sends_counts(world: Accounts) -> None:
    """A message was handed over before the move; that it was not delivered is told by the old account afterwards, and
    the new one may say nothing of it.
    """
    world.at[BRANCH].faults.add(Fault("delivery", "held"))
    await world.write(BRANCH, CUSTOMER, NUMBERS[BRANCH][0], "Oi")
    await world.settle()
    (row,) = await world.rows("SELECT id, attempt, tag, sid FROM outbox")
    assert await move(world, NUMBERS[BRANCH][0], SHUT) == ""

    async def reported(account: str) -> str:
        form = {"MessageSid": row["sid"], "MessageStatus": "undelivered", "ErrorCode": "30003"}
        pairs = list((form | {"AccountSid": SIDS[account]}).items())
        path = f"/twilio/status?o={row['id']}.{row['attempt']}.{row['tag']}"
        signature = wire.signature(world, path, pairs, TOKENS[account])
        await wire.post(world, pairs, path, X_Twilio_Signature=signature)
        found: list[str] = await world.column("SELECT state FROM outbox")
        return found[0]

    assert [await reported(SHUT), await reported(MAIN), await reported(BRANCH)] == ["sent", "sent", "failed"]
    assert ("undelivered", f"outbox:{row['id']}") in await world.opened()


async def test_jobs_go_with_the_channel(world: Accounts) -> None:
    """What waits in the lanes needs the new account from now on, and nobody else's does."""

    async def resources() -> list[str]:
        return sorted(
            await world.column("SELECT resource FROM message_queue WHERE status = 'ready' AND resource <> ''")
        )

    await world.write(SHUT, CUSTOMER, SHUTS, "Oi")
    await world.settle()
    (shut,) = await world.column("SELECT id FROM channels WHERE account = ?", SHUT)
    assert await resources() == [f"channel:{shut}@{SHUT}"]

    world.at[BRANCH].revoked = True
    assert await move(world, SHUTS, BRANCH, park=True) == ""

    assert await resources() == [f"channel:{shut}@{BRANCH}"]


async def test_why_it_does_not_move(world: Accounts) -> None:
    """No such channel, several of it, the account has it already, and a restored copy that was not compared yet."""
    assert await move(world, "+550000000000", MAIN) == "not_found"
    assert await move(world, SANDBOX, SHUT) == "which_account"
    assert await move(world, SANDBOX, BRANCH, MAIN) == "taken"
    assert await move(world, SMS, MAIN) == "taken"
    await world.appliance.store.write(lambda tx: tx.box.put(Fact.RESTORED_AT, 1, BRANCH))
    assert await move(world, NUMBERS[BRANCH][0], MAIN) == "restored"
    assert await move(world, SANDBOX, SHUT, MAIN) == ""


async def test_whom_a_person_has_stays_with_the_person(world: Accounts) -> None:
    """The contact moves with its channel: what was promised to the customer holds."""
    await world.write(BRANCH, CUSTOMER, NUMBERS[BRANCH][0], "Oi")
    await world.settle()
    await world.appliance.store.write(lambda tx: tx.contacts.hand_over(1, Handover.ASKED, tx.now))

    assert await move(world, NUMBERS[BRANCH][0], SHUT) == ""

    assert await world.column("SELECT handover FROM contacts") == ["asked"]


async def test_an_account_whose_channels_were_removed_may_leave_the_configuration(world: Accounts) -> None:
    """The box starts without it, and who wrote to it can be forgotten all the same."""
    for address in NUMBERS[BRANCH]:
        await world.write(BRANCH, f"whatsapp:{CUSTOMER}" if ":" in address else CUSTOMER, address, "Oi")
    await world.settle()
    for address in NUMBERS[BRANCH]:
        await world.appliance.store.write(lambda tx, address=address: remove(tx, address, BRANCH, force=True))  # type: ignore[misc]
    await world.stop()
    left = tuple(each for each in world.config.twilio.accounts if each.name != BRANCH)
    twilio = msgspec.structs.replace(world.config.twilio, accounts=left)
    world.config = msgspec.structs.replace(world.config, twilio=twilio)
    await world.start()

    async with control_of(world) as api:
        status, _ = await api.post("contacts/forget", {"address": CUSTOMER, "organization": BRANCH})
        await world.pass_(MINUTE)
        told = (await api.get("contacts/forgotten"))["forgettings"]

    assert (status, [each["state"] for each in told]) == (202, ["done"])
