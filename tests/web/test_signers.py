"""A webhook counts for the account that it names and whose token signed it, and for no other."""

import asyncio
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest

from appliance.model import MAIN, JobKind
from appliance.simulator import SANDBOX
from tests.support import wire
from tests.support.accounts import BRANCH, NUMBERS, SHUT, SIDS, TOKENS, Accounts
from tests.support.world import CUSTOMER, SMS

STRANGER = "AC" + "9" * 32
OWN = {(name, name) for name in SIDS}
RIGHT = OWN | {(MAIN, BRANCH)}  # (whose token, whose webhook): the parent's may sign for its subaccount
PAIRS = list(product(TOKENS, SIDS))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Accounts]:
    async with Accounts(tmp_path) as running:
        yield running


async def post(world: Accounts, pairs: dict[str, str], signed_by: str, path: str = "/twilio/messages") -> int:
    """The HTTP status of a form that this account's token signed."""
    items = list(pairs.items())
    status, _ = await wire.post(
        world, items, path, X_Twilio_Signature=wire.signature(world, path, items, TOKENS[signed_by])
    )
    return status


def message(account_sid: str, to: str, sid: str = "SM1", sender: str = CUSTOMER, **more: str) -> dict[str, str]:
    return {"MessageSid": sid, "AccountSid": account_sid, "From": sender, "To": to, "Body": "Oi", **more}


async def test_every_token_with_every_accounts_webhooks(world: Accounts) -> None:
    """Of nine pairs of a token and an account four pass, for messages and for callbacks."""
    heard = {}
    for number, (signer, account) in enumerate(PAIRS):
        form = message(SIDS[account], NUMBERS[account][0], f"SM{number}")
        report = {"MessageSid": "SM", "MessageStatus": "sent", "AccountSid": SIDS[account]}
        heard[signer, account] = [
            await post(world, form, signer),
            await post(world, report, signer, "/twilio/status?o=1.1.0123456789abcdef"),
        ]

    assert heard == {pair: [200, 204] if pair in RIGHT else [403, 403] for pair in PAIRS}
    assert await world.column("SELECT count(*) FROM messages") == [len(RIGHT)]


async def test_a_number_that_two_accounts_share(world: Accounts) -> None:
    """The sandbox's, to which one customer writes through both accounts at once: two channels, two conversations, and
    each answer leaves through the account that was written to.
    """
    sender = f"whatsapp:{CUSTOMER}"
    await asyncio.gather(*(world.write(name, sender, SANDBOX, f"to {name}") for name in (MAIN, BRANCH)))
    await world.settle()

    assert {name: world.answers(name, sender) for name in SIDS} == {
        MAIN: [f"Re: to {MAIN}"],
        BRANCH: [f"Re: to {BRANCH}"],
        SHUT: [],
    }
    said = {(entry.sender, entry.recipient) for name in SIDS for entry in world.at[name].ledger if not entry.inbound}
    assert said == {(SANDBOX, sender)}
    assert await world.column("SELECT count(DISTINCT session_key) FROM conversations") == [2]


async def test_a_strangers_message_is_an_orphan_whose_card_says_whose(world: Accounts) -> None:
    """Signed with a token of ours for an account that is not configured; the card names it, masked."""
    assert await post(world, message(STRANGER, SMS), MAIN) == 200
    assert await post(world, message("", SMS, "SM2"), MAIN) == 200
    await world.settle()

    assert await world.column("SELECT reason FROM orphaned_messages") == ["unknown account"] * 2
    cards = await world.opened_cards()
    assert [(row["kind"], row["subject"]) for row in cards] == [
        ("stranger", f"account_sid:{STRANGER}"),
        ("stranger", "account_sid:"),
    ]
    told = await world.told()
    assert "of the account …9999, which is not configured" in told[0]
    assert STRANGER not in str(told) + str([row["facts"] for row in cards])
    assert world.answers(MAIN) == []


async def test_an_accounts_number_in_another_account_is_an_orphan(world: Accounts) -> None:
    """Rightly signed by the branch for a number of main: nobody's, with a card that names the branch."""
    assert await post(world, message(SIDS[BRANCH], SMS), BRANCH) == 200
    await world.settle()

    assert await world.column("SELECT reason FROM orphaned_messages") == ["unknown number"]
    assert await world.opened() == {("orphan", f"number:{SMS}@{BRANCH}")}
    assert (await world.told())[0].startswith(f"{BRANCH}: ")


async def test_a_callback_touches_no_other_accounts_row(world: Accounts) -> None:
    """With the right tag and sid, but signed by another account, with its AccountSid, with none, or with the row's: the
    row stays as it is. The row's own account moves it.
    """
    world.at[MAIN].faults.clear()
    await world.write(MAIN, CUSTOMER, SMS, "Oi")
    await world.settle()
    (row,) = await world.rows("SELECT id, attempt, tag, sid, state FROM outbox")
    path = f"/twilio/status?o={row['id']}.{row['attempt']}.{row['tag']}"
    report = {"MessageSid": row["sid"], "MessageStatus": "read", "From": SMS, "To": CUSTOMER}

    async def state() -> str:
        found: list[str] = await world.column("SELECT state FROM outbox")
        return found[0]

    for signer, sid in ((BRANCH, SIDS[BRANCH]), (SHUT, SIDS[SHUT]), (SHUT, ""), (SHUT, STRANGER), (MAIN, STRANGER)):
        assert await post(world, report | {"AccountSid": sid}, signer, path) == 204
        assert await state() == "delivered"
    assert await post(world, report | {"AccountSid": SIDS[MAIN]}, SHUT, path) == 403
    assert await post(world, report | {"AccountSid": ""}, MAIN, path) == 204
    assert await state() == "read"


async def test_a_sid_of_another_account_fills_no_gap(world: Accounts) -> None:
    """A webhook of the branch that bears the sid of a message which main's log told of: nothing of it is written."""
    sid = await world.write(MAIN, CUSTOMER, SMS, "Oi", deliver=False)
    await world.pass_(60)
    await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
    await world.settle()
    assert await world.column("SELECT source FROM messages") == ["catch_up"]
    forged = message(SIDS[BRANCH], NUMBERS[BRANCH][0], sid, OptOutType="STOP", MessageType="location")

    assert await post(world, forged, BRANCH) == 200

    assert await world.rows("SELECT parameters, message_type FROM messages") == [
        {"parameters": "[]", "message_type": ""}
    ]
    assert await world.column("SELECT opted_out_at FROM contacts") == [None]
    assert await post(world, message(SIDS[MAIN], SMS, sid), MAIN) == 200
    assert await world.column("SELECT parameters <> '[]' FROM messages") == [1]
