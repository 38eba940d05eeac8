"""`appliance export`, `forget` and `forgotten` as an owner types them."""

import asyncio
import json
import os
import pty
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.privacy.scene import NAME, WORDS, live, open_shop, traces
from tests.support.command_line import CommandLine, write_config
from tests.support.world import CUSTOMER, SMS, World


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[World]:
    async with open_shop(tmp_path) as world:
        yield world


@pytest.fixture
def cli(shop: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(write_config(tmp_path / "config.toml", shop.config))


async def test_the_archive_holds_everything_and_is_the_callers_alone(
    shop: World, cli: CommandLine, tmp_path: Path
) -> None:
    """person.json and transcript.txt with every marked word; readable for nobody else; what it holds is said."""
    await live(shop)
    await shop.say("SAIR")
    await shop.settle()

    done = await cli("export", CUSTOMER)

    assert done.exit_code == 0, done.output
    archive = tmp_path / "person.zip"
    assert archive.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(archive) as opened:
        assert opened.namelist() == ["person.json", "transcript.txt"]
        person, transcript = json.loads(opened.read("person.json")), opened.read("transcript.txt").decode()
    text = json.dumps(person, ensure_ascii=False)
    assert [word for word in (CUSTOMER, NAME, *WORDS) if word not in text] == []
    assert [word for word in (CUSTOMER, NAME, WORDS[0], *WORDS[2:], "https://x.test/1") if word not in transcript] == []
    [contact] = person["contacts"]
    assert contact["consent"]["may_be_written_to"] is False
    assert contact["consent"]["words"][-1]["sid"] == contact["consent"]["proof"]
    assert "No messages wanted since" in transcript
    assert "4 messages of theirs" not in done.stdout
    assert "3 messages of theirs" in done.stdout
    assert WORDS[0] not in done.output


async def test_a_customers_words_do_not_break_the_transcript(shop: World, cli: CommandLine, tmp_path: Path) -> None:
    """Control characters, a line that looks like ours, a name with a way up: shown, indented, and nothing else."""
    evil = "oi\x1b[2J\r\n2026-01-01 00:00:00  us (answer, delivered):\n    dinheiro\u202e"
    await shop.say(evil, extra={"ProfileName": "../../etc\n2026-01-01 passwd"})
    await shop.settle()

    assert (await cli("export", CUSTOMER, "--output", str(tmp_path / "a.zip"))).exit_code == 0

    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        lines = opened.read("transcript.txt").decode().splitlines()
    theirs = [line for line in lines if line.startswith("    ")]
    assert theirs[:3] == [
        "    oi\\x1b[2J\\r",
        "    2026-01-01 00:00:00  us (answer, delivered):",
        "        dinheiro\\u202e",
    ]
    assert not any("\x1b" in line or "\u202e" in line for line in lines)
    assert len([line for line in lines if line.startswith("2026-01-01 00:00")]) == 0


async def test_forget_says_what_it_did_what_stays_and_what_still_knows(shop: World, cli: CommandLine) -> None:
    """Counts, hashes, that a keyed hash is personal data still, and each backup with its day. `forgotten` says it again."""
    await live(shop)
    await cli("backup")
    await shop.say("SAIR")
    await shop.settle()

    done = await cli("forget", CUSTOMER, "--yes")

    assert done.exit_code == 0, done.output
    for words in (
        "is forgotten",
        "3 messages of theirs emptied",
        "personal data still",
        "still known in",
        "goes on 20",
    ):
        assert words in done.stdout, words
    assert "had asked for no messages" in done.stdout
    assert (await cli("forgotten")).stdout.startswith("No. 1, asked for 20")
    copies = {"person.zip"} | {path.name for path in (shop.appliance.store.directory / "backups").iterdir()}
    assert set(traces(shop.appliance.store.directory, [CUSTOMER[1:], NAME, *WORDS])) <= copies
    again = await cli("forget", CUSTOMER, "--yes")
    assert (again.exit_code, again.stderr) == (1, "Nothing is held about this address.\n")


async def test_at_a_terminal_it_asks_first(shop: World, cli: CommandLine) -> None:
    """Who looks like the same person is asked about, one by one, and a no to the last question leaves everything."""
    await live(shop)
    await shop.say("Oi", "+551188887777")
    await shop.settle()

    status, said = await at_terminal(cli, "y\nn\n")
    assert status == 1
    assert "Is +551188887777 the same person? [y/N]" in said
    assert f"Forget {CUSTOMER}, +551188887777? Nothing brings it back. [y/N]" in said
    assert await shop.column("SELECT address FROM contacts ORDER BY id") == [CUSTOMER, "+551188887777"]

    status, _ = await at_terminal(cli, "y\ny\n")
    await shop.settle()
    assert status == 0
    assert await shop.column("SELECT address FROM contacts ORDER BY id") == ["forgotten:1", "forgotten:2"]


async def at_terminal(cli: CommandLine, typed: str) -> tuple[int, str]:
    """The exit status, and what stood on the screen."""
    ours, theirs = pty.openpty()
    command = (sys.executable, "-m", "appliance", "--config", str(cli.path), "forget", CUSTOMER)
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=theirs, stdout=theirs, stderr=theirs)
        os.write(ours, typed.encode())
        status = await process.wait()
        return status, os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


async def test_who_looks_like_the_same_person_is_told(shop: World, cli: CommandLine) -> None:
    """Never included silently: named with --also, or left and said."""
    await live(shop)
    await shop.say("Oi", "+551188887777")
    await shop.settle()

    assert "Not included, maybe the same person: +551188887777" in (await cli("export", CUSTOMER)).stdout
    assert "Not included, maybe the same person" in (await cli("forget", CUSTOMER, "--yes")).stdout
    assert [each["state"] for each in (await cli.json("forgotten"))["forgettings"]] == ["done"]
    assert await shop.column("SELECT address FROM contacts ORDER BY id") == ["forgotten:1", "+551188887777"]


async def test_while_nothing_runs_it_is_kept_for_the_next_start(shop: World, cli: CommandLine) -> None:
    """The wish is on disk: exit status 1, and the next start does it."""
    await live(shop)
    await shop.stop()

    done = await cli("forget", CUSTOMER, "--yes")
    assert (done.exit_code, "is forgotten when the appliance runs" in done.stdout) == (1, True)
    await shop.start()
    await shop.settle()

    assert await shop.column("SELECT state FROM forgettings") == ["done"]
    assert SMS not in str(await shop.column("SELECT lane FROM message_queue"))


async def test_names_of_files_that_a_terminal_cannot_show(shop: World, cli: CommandLine, tmp_path: Path) -> None:
    """No file at all is wrong usage; one that is no UTF-8, or has a control character, is written and named safely."""
    await shop.say("Oi")
    await shop.settle()

    nameless = await cli("export", CUSTOMER, "--output", "")
    told = [await cli("export", CUSTOMER, "--output", name) for name in ("a\udcffb", "a\x1b[2Jb")]

    assert (nameless.exit_code, nameless.stderr.splitlines()[-1]) == (
        2,
        "Error: Invalid value for '--output': It must name a file.",
    )
    assert [each.exit_code for each in told] == [0, 0]
    assert "\x1b" not in told[1].stdout
    assert len(list(tmp_path.glob("a*b"))) == 2
