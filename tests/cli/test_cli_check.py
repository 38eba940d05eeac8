"""`appliance check` as a person and as a script sees it, and that it leaves no trace."""

import asyncio
import json
import os
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.diagnosis.finding import UNTOLD, WELL, Kind
from appliance.diagnosis.words import ENGLISH
from appliance.simulator.settings import WELCOME, Setting
from tests.diagnosis.scene import Checks, plain, well
from tests.support.box import Box
from tests.support.world import CUSTOMER, SMS, TOKEN, WHATSAPP, World


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from plain(monkeypatch)


@pytest.fixture
async def checks(world: World, tmp_path: Path) -> Checks:
    await well(world)
    return Checks(world, tmp_path / "config.toml")


def test_every_finding_has_its_words() -> None:
    """What is not well says what to do; formats name their values, so that another language may turn them around."""
    assert set(ENGLISH) == set(Kind)
    assert [kind for kind in Kind if kind not in WELL | UNTOLD and not ENGLISH[kind].fix] == []
    assert [kind for kind in WELL if ENGLISH[kind].fix] == []
    parts = [part for told in ENGLISH.values() for part in string.Formatter().parse(told.what + told.fix)]
    assert [name for _, name, *_ in parts if name is not None and not name.isidentifier()] == []


async def test_what_a_terminal_shows(checks: Checks, world: World, tmp_path: Path) -> None:
    """Columns, a mark in front, what to do below; the last line sums up."""
    world.twilio.settings.changed[SMS] = Setting(WELCOME)
    result = await checks.line("check", "--online")
    lines = result.stdout.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("✗"))

    assert result.exit_code == 1
    assert lines[start].split() == ["✗", "Webhook", SMS, "Twilio", "calls", WELCOME]
    column = lines[start].index("Twilio calls")
    assert lines[start + 1][:column] + lines[start + 1][column] == " " * column + "→"
    assert {line[column - 1] for line in lines[:-2]} == {" "}
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 100  # a path is never broken
    assert lines[-2:] == ["", "To do: 1 of 12."]


async def test_a_terminal_that_knows_little(checks: Checks, tmp_path: Path) -> None:
    """Without UTF-8 the marks are ASCII; with NO_COLOR nothing is coloured, in a pipe neither."""
    environ = {"PYTHONIOENCODING": "ascii", "NO_COLOR": "1", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "appliance", "--config", str(checks.path), "check"]
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdout=-1, stderr=-1, cwd=Path(__file__).parents[2]
    )
    out, err = await process.communicate()

    assert (process.returncode, err) == (0, b"")
    assert out.decode("ascii").startswith("+  Configuration  ")
    assert b"\x1b" not in out


@pytest.mark.parametrize("colour", [True, False])
async def test_colours_are_for_a_terminal_that_wants_them(checks: Checks, colour: bool) -> None:
    """NO_COLOR takes them away (no-color.org); the marks stay."""
    ours, theirs = os.openpty()
    environ = {"COLUMNS": "200", "LANG": "C.UTF-8", "PATH": os.environ["PATH"]} | ({} if colour else {"NO_COLOR": "1"})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "appliance", "--config", str(checks.path), "check"),
        env=environ,
        stdout=theirs,
        cwd=Path(__file__).parents[2],
    )
    status = await process.wait()
    os.close(theirs)
    said = os.read(ours, 4096).decode()
    os.close(ours)

    assert (status, "✓" in said, "\x1b[32m✓" in said) == (0, True, colour)


async def test_the_json(checks: Checks) -> None:
    """Every finding with the same fields; `ok` is what the exit status says."""
    result = await checks.line("check", "--online", "--json")
    told = json.loads(result.stdout)

    assert (set(told), told["ok"], result.exit_code) == ({"ok", "findings"}, True, 0)
    for each in told["findings"]:
        assert set(each) == {"kind", "ok", "subject", "what", "fix", "values"}
        assert each["kind"] in list(Kind)
        assert each["ok"] in (True, False, None)
        assert "{" not in each["subject"] + each["what"] + (each["fix"] or "")
    assert TOKEN not in result.stdout


async def test_a_fix_is_asked_for(checks: Checks, world: World) -> None:
    """Each change is shown, from what to what, and made where the answer is y; with --yes nobody is asked."""
    for name in (SMS, WHATSAPP):
        world.twilio.settings.changed[name] = Setting(WELCOME, method="GET", fallback="https://f.example/?key=1")
    some = await checks.line("check", "--online", "--fix", text="n\ny\n")
    after_some = [world.twilio.settings.of(name).url for name in (SMS, WHATSAPP)]
    rest = await checks.line("check", "--online", "--fix", "--yes")
    again = await checks.line("check", "--online", "--fix")

    ours = f"{world.address}/twilio/messages#rc=3&rp=ct,rt,5xx"
    assert (some.exit_code, rest.exit_code, again.exit_code) == (1, 0, 0)
    assert after_some == [WELCOME, ours]
    assert world.twilio.settings.of(SMS) == Setting(ours)
    lines = some.stdout.splitlines()
    assert lines[:4] == [
        f"Number {SMS}, account main",
        f"  url         {WELCOME} → {ours}",
        "  method      GET → POST",
        "  fallback    https://f.example/?… → (none)",
    ]
    assert lines[4].startswith("Change it at Twilio? [y/N]: n")
    assert "Change it" not in rest.stdout + again.stdout


async def test_a_fix_that_twilio_does_not_take(checks: Checks, world: World) -> None:
    """It is said, and what is wrong stays so."""
    world.twilio.owned = [SMS, WHATSAPP]
    world.twilio.settings.changed[SMS] = Setting(WELCOME)
    await checks.line("check", "--online")
    world.twilio.settings.locked = True
    bad = await checks.bad("--fix", "--yes")

    assert bad == ["webhook_elsewhere", "webhook_not_set"]


@pytest.mark.parametrize(
    "options",
    [["--fix"], ["--online", "--yes"], ["--online", "--fix", "--json"]],
    ids=" ".join,
)
async def test_options_that_mean_nothing(checks: Checks, options: list[str]) -> None:
    """Wrong usage, exit status 2."""
    assert (await checks.line("check", *options)).exit_code == 2


async def test_it_is_harmless_beside_an_appliance_that_serves(checks: Checks, world: World) -> None:
    """No message is stored or sent, no job made, no card opened, no callback kept; customers are answered meanwhile."""
    tables = ("messages", "outbox", "delivery_events", "cards", "message_queue", "orphaned_messages", "conversations")

    async def counted() -> dict[str, list[int]]:
        return {name: await world.column(f"SELECT count(*) FROM {name}") for name in tables}

    before, ledger = await counted(), len(list(world.twilio.ledger))
    posts = world.twilio.posts.total()
    for _ in range(3):
        assert await checks.bad() == []

    assert (await counted(), len(list(world.twilio.ledger)), world.twilio.posts.total()) == (before, ledger, posts)
    await world.say("Qual o horário?")
    await world.settle()
    assert world.sent(CUSTOMER) == ["Abrimos às 7h."]


async def test_a_real_process_beside_a_real_one(tmp_path: Path) -> None:
    """`serve` and `check` as a box has them; an appliance that was killed is told from one that runs."""
    async with Box(tmp_path) as box:
        await box.start()
        await box.command("backup")
        told = json.loads(await box.command("check", "--online", "--json"))
        await box.kill()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", "check", "--online", env=box.environ, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()

        assert (told["ok"], process.returncode, err) == (True, 1, b"")
        assert out.decode().splitlines()[-1] == "To do: 1 of 12."
        assert "does not run" in out.decode()
        assert box.rows("SELECT count(*) FROM delivery_events") == [(0,)]
