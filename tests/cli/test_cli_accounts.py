"""Accounts on the command line: whose a channel is, which are configured, and where nothing can start."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.model import MAIN
from appliance.simulator import SANDBOX
from tests.support.accounts import BRANCH, NUMBERS, SERVICE, SHUT, SIDS, TOKENS, Accounts
from tests.support.command_line import CommandLine, write_config
from tests.support.world import CUSTOMER, SMS

LISTED = f"""
messaging_service_sid = "{SERVICE}"
[[twilio.accounts]]
name = "{BRANCH}"
account_sid = "{SIDS[BRANCH]}"
parent = "main"
"""
ONE_MORE = f"""
[[twilio.accounts]]
name = "{SHUT}"
account_sid = "{SIDS[SHUT]}"
auth_tokens = ["{TOKENS[SHUT]}"]
"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Accounts]:
    async with Accounts(tmp_path, own_token=False, signed_by_parent=True) as running:
        yield running


@pytest.fixture
def appliance(world: Accounts, tmp_path: Path) -> CommandLine:
    path = write_config(tmp_path / "config.toml", world.config)
    path.write_text(path.read_text() + LISTED + ONE_MORE)
    return CommandLine(path)


async def taught(world: Accounts) -> None:
    """Each organization knows something."""
    for organization in await world.column("SELECT id FROM organizations"):
        await world.appliance.store.write(lambda tx, whose=organization: tx.knowledge.put(whose, "Oi", "Olá."))  # type: ignore[misc]


async def test_channels_and_organizations_name_their_account(appliance: CommandLine) -> None:
    """Where there are several one must be named; the list tells whose each channel is."""
    unnamed = await appliance("channel", "add", "+551150000000", "--org", BRANCH)
    unknown = await appliance("channel", "add", "+551150000000", "--org", BRANCH, "--account", "nobody")
    added = await appliance("channel", "add", "+551150000000", "--org", BRANCH, "--account", BRANCH)
    registered = await appliance(
        "org", "register", "Novo", "--channel", SMS, "--user", "novo@example.com", "--account", SHUT
    )
    listed = (await appliance.json("channel", "list"))["channels"]

    assert [result.exit_code for result in (unnamed, unknown, added, registered)] == [2, 1, 0, 0]
    assert unnamed.stderr == "There are several accounts (main, branch, shut); name one. Use --account NAME.\n"
    assert {(each["address"], each["account"]) for each in listed} >= {
        ("+551150000000", BRANCH),
        (SMS, MAIN),
        (SMS, SHUT),
    }


async def test_a_channel_moves(appliance: CommandLine, world: Accounts) -> None:
    """From the account that is named where several have the address."""
    which = await appliance("channel", "move", SANDBOX, "--account", SHUT)
    moved = await appliance("channel", "move", SANDBOX, "--account", SHUT, "--from", BRANCH)

    assert (which.exit_code, moved.exit_code) == (2, 0)
    assert which.stderr.endswith("name the account. Use --from NAME.\n")
    assert await world.column("SELECT account FROM channels WHERE address = ? ORDER BY id", SANDBOX) == [MAIN, SHUT]


async def test_a_channel_moves_while_nothing_runs(appliance: CommandLine, world: Accounts) -> None:
    """The command reads the old account's log itself, and says what it did."""
    address = NUMBERS[BRANCH][0]
    world.at[SHUT].revoked, world.at[SHUT].owned = False, (*NUMBERS[SHUT], address)
    await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE channels SET watermark_at = 0"))
    await world.stop()
    world.clock.jump(time.time() - world.clock.now() / 1_000)  # the command has the machine's clock
    await world.write(BRANCH, CUSTOMER, address, "Oi", deliver=False)
    world.clock.jump(60)
    moved = await appliance("channel", "move", address, "--account", SHUT)
    world.at[SHUT].revoked = True
    refused = await appliance("channel", "move", address, "--account", MAIN)
    parked = await appliance("channel", "move", address, "--account", MAIN, "--park")

    assert [each.exit_code for each in (moved, refused, parked)] == [0, 1, 0]
    assert moved.stdout.splitlines()[1] == "The old account's log was read: what had not reached this box came in."
    assert "does not tell what was missed" in refused.stderr
    assert parked.stdout.splitlines()[1] == "The old account's log was not read: a card says what is not known."
    with closing(sqlite3.connect(world.appliance.store.path)) as file:
        assert file.execute("SELECT body, source FROM messages").fetchall() == [("Oi", "catch_up")]
        waiting = file.execute(
            "SELECT resource FROM message_queue WHERE lane GLOB '*|*' AND status = 'ready'"
        ).fetchall()
        assert [resource for (resource,) in waiting] == ["ai:2"]


async def test_check_names_each_account(appliance: CommandLine, world: Accounts) -> None:
    """One line each, with the end of its sid."""
    await taught(world)
    checked = await appliance("check")

    assert checked.exit_code == 0
    assert [line.split() for line in checked.stdout.splitlines() if "Account" in line] == [
        ["✓", "Account", name, f"…{SIDS[name][-4:]}"] for name in (MAIN, BRANCH, SHUT)
    ]


async def test_a_channel_without_its_account_is_a_fault_of_the_configuration(
    appliance: CommandLine, world: Accounts, tmp_path: Path
) -> None:
    """`check` and `serve` end with 78 and say what to do, which can be done while nothing runs."""
    await taught(world)
    path = write_config(tmp_path / "less.toml", world.config)
    path.write_text(path.read_text() + LISTED)
    less = CommandLine(path)
    checked = await less("check")
    await world.stop()
    command = [sys.executable, "-m", "appliance", "--config", str(path), "serve"]
    served = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True, text=True)
    moved = await less("channel", "move", NUMBERS[SHUT][0], "--from", SHUT, "--account", MAIN, "--park")
    again = await less("check")

    assert (checked.exit_code, served.returncode, moved.exit_code, again.exit_code) == (78, 78, 0, 0)
    told = f"appliance channel move {NUMBERS[SHUT][0]} --from {SHUT} --account main --park"
    assert (told in checked.stderr, told in served.stderr) == (True, True)


@pytest.mark.parametrize("live", [True, False])
async def test_a_simulated_customer_writes_to_the_channels_account(appliance: CommandLine, live: bool) -> None:
    """Signed as that account's webhooks are, the branch's with its parent's token; where several have the address one
    must be named.
    """
    how = ["--live"] if live else []
    branch = NUMBERS[BRANCH][0]
    found = await appliance("simulate", "--from", CUSTOMER, "--to", branch, *how, "Oi branch")
    customer = f"whatsapp:{CUSTOMER}"
    which = await appliance("simulate", "--from", customer, "--to", SANDBOX, *how, "Oi")
    stranger = await appliance("simulate", "--from", customer, "--to", SANDBOX, "--account", "x", *how, "Oi")

    assert (found.exit_code, found.stdout) == (0, "Re: Oi branch\n")
    assert (which.exit_code, stranger.exit_code) == (2, 1)


async def test_a_manual_message_names_the_account_where_two_have_the_number(
    appliance: CommandLine, world: Accounts
) -> None:
    """Else nobody knows through which of them it is to leave."""
    customer = f"whatsapp:{CUSTOMER}"
    await world.write(BRANCH, customer, SANDBOX, "Oi")
    await world.settle()
    which = await appliance("send", "--from", SANDBOX, "--to", customer, "Olá")
    sent = await appliance("send", "--from", SANDBOX, "--to", customer, "--account", BRANCH, "Olá")

    assert (which.exit_code, sent.exit_code) == (2, 0)
    assert world.answers(BRANCH) == ["Re: Oi", "Olá"]
    assert world.answers(MAIN) == []


async def test_an_empty_name_is_nobodys(world: Accounts, appliance: CommandLine) -> None:
    """A script whose variable is not set removes no channel and names no organization."""
    (number,) = NUMBERS[SHUT]
    removed = await appliance("channel", "remove", number, "--account", "")
    listed = await appliance("contacts", "list", CUSTOMER, "--org", "")

    assert [(told.exit_code, told.stderr) for told in (removed, listed)] == [
        (1, f"There is no channel {number}; see: appliance channel list\n"),
        (1, "There is no such organization.\n"),
    ]
    assert await world.column("SELECT removed_at FROM channels WHERE address = ?", number) == [None]
