"""`appliance status`: the real process alive, killed, stopped and never started; no configuration; `--watch`."""

import asyncio
import json
import re
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from appliance import logs
from appliance.cli import overview
from appliance.config import Config
from appliance.config.sections import Storage
from appliance.model import MINUTE, SECOND
from appliance.store.cards import BOX, CardKind
from appliance.watch.conditions import Condition
from tests.support.box import Box
from tests.support.command_line import CommandLine, surroundings, write_config
from tests.support.world import ACCOUNT, CUSTOMER, SMS, TOKEN, World

SEPARATOR = "-" * 20


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings of the tester's; the terminal has 80 columns."""
    with surroundings(monkeypatch, tmp_path):
        logs.configure("error", "json")
        yield


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    async with Box(tmp_path) as box:
        yield box


async def begin(box: Box, *options: str) -> Process:
    """`appliance status` of a process of its own."""
    command = (sys.executable, "-m", "appliance", "status", *options)
    return await asyncio.create_subprocess_exec(
        *command, env=box.environ | {"COLUMNS": "80", "TZ": "UTC"}, stdout=PIPE, stderr=PIPE
    )


async def told(box: Box, *options: str) -> tuple[int | None, str]:
    process = await begin(box, *options)
    out, err = await process.communicate()
    assert err == b""
    return process.returncode, out.decode()


def alone(tmp_path: Path) -> CommandLine:
    """A configuration, and no database."""
    replace, config = msgspec.structs.replace, Config()
    config = replace(config, storage=replace(config.storage, directory=tmp_path / "data"))
    config = replace(config, server=replace(config.server, public_url="https://example.com"))
    config = replace(config, twilio=replace(config.twilio, account_sid=ACCOUNT, auth_tokens=(TOKEN,)))
    return CommandLine(write_config(tmp_path / "box.toml", config))


async def test_alive_killed_and_stopped(box: Box) -> None:
    """0 while it runs and all is well; killed or stopped it is 1, with the time, and nobody is soothed."""
    never = await told(box)
    started = time.time()
    await box.start()
    await box.twilio.receive(CUSTOMER, SMS, "Qual é o horário?")
    await box.until_sent(1)
    async with asyncio.timeout(30):
        while "Twilio answers" not in (alive := await told(box))[1] or "1 answered" not in alive[1]:
            await asyncio.sleep(0.2)
    await box.kill()
    killed, killed_json = await told(box), json.loads((await told(box, "--json"))[1])
    await box.start()
    await box.stop()
    ended = time.time()
    stopped, stopped_json = await told(box), json.loads((await told(box, "--json"))[1])

    assert (never[0], never[1].splitlines()[0]) == (1, "Has never run here.")
    assert alive[0] == 0
    first, _, *rest = alive[1].splitlines()
    assert first == "All is well."
    assert rest[:2] == ["Nobody waits for an answer.", "1 message came in today: 1 answered."]
    assert re.fullmatch(r"There is no backup yet\.|The last backup is \d+ s old\.", rest[2])
    assert re.fullmatch(r"Twilio answers \(\d+ s ago\)\.", rest[3])
    assert rest[4].startswith("Running since ")
    for code, text in (killed, stopped):
        assert code == 1
        assert re.match(r"Not running since \d+ \w{3} \d\d:\d\d\.\n\n", text)
        assert not any(soothing in text for soothing in ("All is well", "answers", "Running since"))
    for figures in (killed_json, stopped_json):
        assert (figures["running"], figures["started_at"]) == (False, None)
        assert figures["messages"]["answered"] == 1
        assert figures["verdict"]["kind"] == "not_running"
    assert started <= killed_json["stopped_at"] / SECOND <= ended
    assert killed_json["stopped_at"] < stopped_json["stopped_at"] <= ended * SECOND


async def test_watch_survives_a_stop_and_a_start(box: Box) -> None:
    """It goes on while nothing runs, and with what runs then; Ctrl-C ends it with the last exit status."""
    await box.start()
    process = await begin(box, "--watch")
    assert process.stdout is not None

    async def sees(words: str) -> None:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            while words not in (await process.stdout.readuntil(f"{SEPARATOR}\n".encode())).decode():
                pass

    await sees("All is well.")
    await box.kill()
    await sees("Not running since ")
    await box.start()
    await sees("All is well.")
    process.send_signal(signal.SIGINT)
    await process.communicate()
    well = process.returncode
    await box.stop()
    process = await begin(box, "--watch")
    await sees("Not running since ")
    await box.start()
    await sees("All is well.")
    await box.stop()
    await sees("Not running since ")
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()

    assert (well, process.returncode, errors) == (0, 1, b"")


def test_what_never_ran_has_no_database(tmp_path: Path) -> None:
    """Looking makes nothing; a script reads the same."""
    appliance = alone(tmp_path)

    text, data = appliance.now("status"), appliance.now("status", "--json")

    assert (text.exit_code, text.stdout) == (1, "Has never run here.\n")
    assert data.exit_code == 1
    figures = json.loads(data.stdout)
    assert (figures["running"], figures["started_at"], figures["stopped_at"]) == (False, None, None)
    assert not (tmp_path / "data").exists()


@pytest.mark.skipif(Storage().directory.exists(), reason="the appliance is installed on this machine")
def test_without_a_configuration_it_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place, what is wrong with it, and what to do: 78. A storage directory by a variable is a configuration."""
    nowhere = CommandLine(tmp_path / "x")
    places = (Path("config.toml"), tmp_path / "etc" / "config.toml")
    monkeypatch.setattr("appliance.config.DEFAULT_PATHS", places)

    missing = nowhere.without_a_file("status")
    monkeypatch.setenv("APPLIANCE_STORAGE__DIRECTORY", str(tmp_path / "data"))
    elsewhere = nowhere.without_a_file("status")

    assert missing.exit_code == 78
    assert missing.stdout == ""
    assert missing.stderr.splitlines()[2:-1] == [
        "  --config FILE: was not given",
        "  $APPLIANCE_CONFIG: is not set",
        f"  {tmp_path}/config.toml: is not there",
        f"  {tmp_path}/etc/config.toml: is not there",
    ]
    assert "Name the file with --config" in missing.stderr
    assert (elsewhere.exit_code, elsewhere.stdout) == (1, "Has never run here.\n")


async def test_cards_are_told_whole(world: World, tmp_path: Path) -> None:
    """What happened, what happens by itself, what to do; the most urgent first, within 80 columns."""
    appliance = CommandLine(write_config(tmp_path / "config.toml", world.config))
    what = " ".join(f"{number} reasons." for number in range(20))
    await world.appliance.store.write(lambda tx: tx.cards.open(CardKind.SENT_TWICE, BOX, who="…4321"))
    await world.appliance.store.write(lambda tx: tx.cards.open(CardKind.AI, BOX, said=what))

    shown = await appliance("status")

    assert shown.exit_code == 1
    lines = shown.stdout.splitlines()
    assert lines[0] == "The AI provider answers nobody."
    assert max(map(len, lines)) <= 80
    assert what.rstrip(".") in " ".join(shown.stdout.split())
    order = ["The AI provider answers nobody (since ", "  By itself: ", "  To do: Check the key", "…4321 may have the"]
    assert [
        next(words for words in order if line.startswith(words)) for line in lines if line.startswith(tuple(order))
    ] == [
        *order,
        "  By itself: ",
    ]


async def test_what_the_disk_does_not_take_counts(world: World, tmp_path: Path) -> None:
    """A full disk takes no card of it: it is told all the same, first, and only once where there is a card."""
    appliance = CommandLine(write_config(tmp_path / "config.toml", world.config))
    full = Condition(CardKind.DISK, BOX, facts={"free": 0, "needed": 300})
    world.appliance.engine.watch.unstored = [full]

    shown, figures = await appliance("status"), await appliance.json("status")
    await world.appliance.store.write(lambda tx: tx.cards.open(CardKind.DISK, BOX, free=0, needed=300))
    stored = await appliance.json("status")

    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (1, "The disk is nearly full.")
    assert "0 MB are left; 300 MB are needed" in shown.stdout
    assert (figures["cards"], stored["cards"]) == (1, 1)


async def test_a_box_that_is_not_ready_is_not_well(world: World, tmp_path: Path) -> None:
    """No card yet, and /readyz says 503: so does status."""
    appliance = CommandLine(write_config(tmp_path / "config.toml", world.config))
    await world.settle()
    await world.appliance.engine.worker.stop(grace=0)  # its loop ends, and the process goes on
    world.appliance.engine.worker.beat -= 3_600

    shown = await appliance("status")

    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (1, "Not ready: the workers do not answer.")
    assert (await appliance.json("status"))["reasons"] == ["the workers do not answer"]


async def test_people_come_before_other_things(world: World, tmp_path: Path) -> None:
    """Who waits for a person is not counted among those that wait for the appliance."""
    appliance = CommandLine(write_config(tmp_path / "config.toml", world.config))
    await world.say("ATENDENTE")
    await world.settle()
    await world.appliance.store.write(lambda tx: tx.cards.open(CardKind.SENT_TWICE, BOX, who="…4321"))

    shown = await appliance("status")

    assert shown.stdout.splitlines()[:3] == [
        "1 customer waits for a person.",
        "",
        "Nobody else waits for an answer.",
    ]


def test_on_a_terminal_it_is_drawn_in_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the top, without a flicker, and never more than fits."""
    monkeypatch.setenv("LINES", "4")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    overview.draw(["one", "two", "three", "four"])

    assert capsys.readouterr().out == "\x1b[Hone\x1b[K\ntwo\x1b[K\nthree\x1b[K\n\x1b[J"


def test_watching_has_no_json(tmp_path: Path) -> None:
    """A usage error, not half a document every two seconds."""
    assert alone(tmp_path).now("status", "--watch", "--json").exit_code == 2


async def test_an_idle_box_that_is_killed_is_known_to_the_minute(box: Box) -> None:
    """The last job that ended tells when it was alive."""
    await box.start()
    await asyncio.sleep(1.5)
    await box.kill()
    now = time.time() * SECOND

    assert now - MINUTE <= json.loads((await told(box, "--json"))[1])["stopped_at"] <= now
