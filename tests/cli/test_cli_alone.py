"""The command line where no appliance runs, for another user, and before anything is configured."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from appliance import __main__, __version__
from appliance.cli import main
from appliance.cli.owner import unreadable
from appliance.config import Config
from appliance.store.lock import Lock
from tests.support.command_line import CommandLine, surroundings, write_config
from tests.support.world import ACCOUNT, CUSTOMER, SMS, TOKEN


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No variable of the caller's is in force, and logging is given back as it was."""
    with surroundings(monkeypatch, tmp_path):
        yield


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def alone(tmp_path: Path, data: Path) -> CommandLine:
    config = Config()
    replace = msgspec.structs.replace
    config = replace(config, storage=replace(config.storage, directory=data))
    config = replace(config, server=replace(config.server, public_url="https://example.com", language="en"))
    config = replace(config, twilio=replace(config.twilio, account_sid=ACCOUNT, auth_tokens=(TOKEN,)))
    return CommandLine(write_config(tmp_path / "box.toml", config))


REGISTER = ["org", "register", "Padaria", "--channel", SMS, "--user", "ana@example.com"]


def test_everything_can_be_prepared_before_the_first_start(alone: CommandLine) -> None:
    """The process stands in for the appliance; what is sent then waits for it."""
    registered = alone.now(*REGISTER)
    sent = alone.now("send", "--from", SMS, "--to", CUSTOMER, "Olá")
    status = alone.now("status")

    assert [registered.exit_code, sent.exit_code, status.exit_code] == [0, 0, 1]
    assert sent.stdout == "Message 1: ready (it leaves when the appliance runs)\n"
    assert status.stdout.startswith("Has never run here.\n\n1 customer waits for an answer")
    assert "Padaria" in alone.now("org", "list").stdout


def test_who_is_handed_back_while_nothing_runs_waits_for_the_start(alone: CommandLine, data: Path) -> None:
    """The wish is kept; nothing revives before Twilio's log was read."""
    alone.now(*REGISTER)
    with closing(sqlite3.connect(data / "appliance.db")) as connection:
        connection.executescript(
            f"INSERT INTO contacts (channel_id, address, handover, handover_at, created_at) "
            f"VALUES (1, '{CUSTOMER}', 'asked', 1, 1);"
            "INSERT INTO conversations (organization_id, channel_id, contact_id, session_key, status, created_at, "
            "updated_at, expires_at) VALUES (1, 1, 1, 'x', 'human', 1, 1, 1)"
        )

    waits = alone.now("resume", "--conversation", CUSTOMER)

    assert (waits.exit_code, waits.stdout) == (1, "Conversation 1: waiting (it happens when the appliance runs)\n")
    with closing(sqlite3.connect(data / "appliance.db")) as connection:
        assert connection.execute("SELECT handover, resume_at > 0 FROM contacts").fetchall() == [("asked", 1)]
        assert connection.execute("SELECT status FROM message_queue WHERE kind = 'hand_back'").fetchall() == [
            ("ready",)
        ]


def test_standing_in_leaves_nothing_behind(alone: CommandLine, data: Path) -> None:
    """No socket that nobody answers, no lock that is held, no file for others to read."""
    alone.now(*REGISTER)

    assert not (data / "control.sock").exists()
    assert {path.stat().st_mode & 0o077 for path in [data, *data.iterdir()]} == {0}
    lock = Lock(data)
    lock.take()
    lock.release()


def test_a_socket_of_a_dead_process_is_no_obstacle(alone: CommandLine, data: Path) -> None:
    """A killed appliance leaves its socket; nothing answers there."""
    alone.now(*REGISTER)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(data / "control.sock"))

    assert alone.now("verify").exit_code == 0


def test_a_lock_that_is_held_without_a_socket_is_one_sentence(
    alone: CommandLine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An appliance that starts is waited for, but not for ever."""
    monkeypatch.setattr("appliance.cli.client.PATIENCE", 0.0)
    alone.now(*REGISTER)
    lock = Lock(data)
    lock.take()

    result, status = alone.now("verify"), alone.now("status")
    lock.release()

    assert [result.exit_code, status.exit_code] == [1, 1]
    assert status.stderr == f"An appliance is starting, or hangs: nothing answers for {data}.\n"
    assert result.stderr == f"Another appliance (process {os.getpid()}) is using {data}; stop it first.\n"


def test_empty_lists_say_what_comes_next(alone: CommandLine) -> None:
    """Each names the command that fills it."""
    assert "appliance org register" in alone.now("org", "list").stdout
    assert "appliance channel add" in alone.now("channel", "list").stdout
    alone.now(*REGISTER)
    assert "appliance knowledge import" in alone.now("knowledge", "list").stdout


def test_check_touches_nothing_before_the_first_start(alone: CommandLine, data: Path) -> None:
    """A fresh box is fit to serve."""
    result = alone.now("check")

    assert (result.exit_code, data.exists()) == (0, False)
    assert "made at the first start" in result.stdout


@pytest.mark.parametrize("command", ["verify", "backup"])
def test_nothing_is_proved_and_nothing_copied_where_nothing_is(alone: CommandLine, data: Path, command: str) -> None:
    """An empty database made on the spot would always be whole, and its copy worth nothing."""
    result = alone.now(command)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"There is no database in {data} yet.\n"
    assert not data.exists()


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o702])
@pytest.mark.parametrize("command", [["status"], ["check"], ["restore", "box.toml"]])
def test_a_directory_that_others_use_is_left_to_them(
    alone: CommandLine, data: Path, command: list[str], mode: int
) -> None:
    """/tmp made private would be the end of everybody else on the box."""
    data.mkdir()
    (data / "somebodys").touch()
    data.chmod(mode)

    result = alone.now(*command)

    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.splitlines()[-1] == (
        f"  storage.directory = {data}: others may write there and use it; name a directory of the appliance's own"
    )
    assert (data.stat().st_mode & 0o7777, [path.name for path in data.iterdir()]) == (mode, ["somebodys"])


@pytest.mark.parametrize(
    ("mode", "name"), [(0o755, "somebodys"), (0o775, "somebodys"), (0o777, "lost+found"), (0o777, "appliance.db")]
)
def test_a_directory_that_is_ours_becomes_private(alone: CommandLine, data: Path, mode: int, name: str) -> None:
    """Nobody else writes there, or a new disk was mounted there, or a database was brought there by hand."""
    data.mkdir()
    (data / name).touch()
    data.chmod(mode)

    assert alone.now("org", "list").exit_code == 0
    assert data.stat().st_mode & 0o7777 == 0o700


def test_cron_finds_the_database_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative directory in the file means the same whichever directory the command is called from."""
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "config.toml").write_text("storage = { directory = 'data' }\n")
    monkeypatch.chdir(tmp_path / "box")
    CommandLine(Path("config.toml")).now(*REGISTER)

    monkeypatch.chdir(tmp_path)
    ticked = CommandLine(tmp_path / "box" / "config.toml").now("tick")

    assert ticked.exit_code == 0, ticked.stderr
    assert "Padaria" in CommandLine(Path("box/config.toml")).now("org", "list").stdout
    assert [path.name for path in tmp_path.iterdir()] == ["box"]


def test_check_finds_a_database_that_is_none(alone: CommandLine, data: Path) -> None:
    """Exit status 1 and one sentence."""
    data.mkdir()
    (data / "appliance.db").write_bytes(b"no database at all" * 400)

    result = alone.now("check")

    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)


def test_check_wants_what_serve_wants(tmp_path: Path) -> None:
    """An empty configuration is enough for some commands, not for serving."""
    (tmp_path / "empty.toml").touch()
    empty = CommandLine(tmp_path / "empty.toml")

    checked = empty.now("check")

    assert empty.now("config", "show").exit_code == 0
    assert checked.exit_code == 78
    assert [line.split(":")[0] for line in checked.stderr.splitlines()] == [
        "Configuration",
        "  server.public_url",
        "  twilio.account_sid",
        "  twilio.auth_tokens",
    ]


def test_the_configuration_is_shown_without_secrets(alone: CommandLine) -> None:
    """With the file in force, as text and as JSON."""
    text = alone.now("config", "show").stdout
    shown = json.loads(alone.now("config", "show", "--json").stdout)

    assert text.startswith(f"# {alone.path}\n")
    assert "# auth_tokens: 1 set" in text
    assert 'public_url = "https://example.com"' in text
    assert shown["source"] == str(alone.path)
    assert TOKEN not in text + json.dumps(shown)


def test_config_may_stand_after_the_command(alone: CommandLine, tmp_path: Path) -> None:
    """The last one counts."""
    result = CommandLine(tmp_path / "nowhere.toml").now("config", "show", "--config", str(alone.path))

    assert result.stdout.startswith(f"# {alone.path}\n")


def test_simulate_refuses_the_real_twilio(alone: CommandLine) -> None:
    """Only --live says that a customer may really be written to."""
    result = alone.now("simulate", "--from", CUSTOMER, "--to", SMS, "Oi")

    assert (result.exit_code, "--live" in result.stderr) == (1, True)


def test_live_without_an_appliance_says_how_to_start_it(alone: CommandLine, data: Path) -> None:
    """The webhook goes to where the appliance would listen."""
    alone.path.write_text(alone.path.read_text().replace("127.0.0.1:8080", "127.0.0.1:9"))

    result = alone.now("simulate", "--live", "--from", CUSTOMER, "--to", SMS, "Oi")

    assert (result.exit_code, "appliance serve" in result.stderr) == (1, True)


LATIN_1 = os.fsdecode("caf\u00e9".encode("latin-1"))
NOT_TEXT = [
    ("TEXT", ["simulate", "--from", CUSTOMER, "--to", SMS, "--live", LATIN_1]),
    ("TEXT", ["simulate", "--from", CUSTOMER, "--to", SMS, LATIN_1]),
    ("--to", ["simulate", "--from", CUSTOMER, "--to", LATIN_1, "--live", "Oi"]),
    ("TEXT", ["send", "--from", SMS, "--to", CUSTOMER, LATIN_1]),
    ("--idempotency-key", ["send", "--from", SMS, "--to", CUSTOMER, "--idempotency-key", LATIN_1, "Oi"]),
    ("NAME", ["org", "register", LATIN_1, "--channel", SMS, "--user", "ana@example.com"]),
    ("--channel", ["org", "register", "Padaria", "--channel", SMS, "--channel", LATIN_1, "--user", "ana@example.com"]),
    ("ADDRESS", ["channel", "add", LATIN_1]),
    ("QUESTION", ["knowledge", "test", LATIN_1]),
    ("--org", ["knowledge", "list", "--org", LATIN_1]),
]


@pytest.mark.parametrize(("name", "arguments"), NOT_TEXT)
def test_what_is_no_text_is_wrong_usage(alone: CommandLine, data: Path, name: str, arguments: list[str]) -> None:
    """Bytes of another encoding, as an old terminal or a script sends them: one sentence that names the argument."""
    result = alone.now(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].endswith("It must be UTF-8 text.")
    assert f"'{name}'" in result.stderr.splitlines()[-1]
    assert not data.exists()


def test_a_password_that_is_no_text_is_one_sentence(alone: CommandLine, data: Path) -> None:
    """It comes by standard input, where nothing has looked at it."""
    command = [sys.executable, "-m", "appliance", "--config", str(alone.path), *REGISTER, "--password-stdin"]
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}

    result = subprocess.run(command, input=b"caf\xe9 caf\xe9\n", capture_output=True, check=False, env=environ)

    assert (result.returncode, result.stderr) == (1, b"The password must be UTF-8 text.\n")
    assert not data.exists()


@pytest.mark.parametrize("by_variable", [False, True])
def test_another_user_gets_the_exact_sudo_line(
    alone: CommandLine, data: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    """With the file that only a variable named, because sudo drops variables; nothing is touched."""
    data.mkdir()
    os.chown(data, os.getuid(), -1)
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    monkeypatch.setattr("appliance.cli.owner._user", lambda uid: f"user{uid}")
    typed = ["org", "list"] if by_variable else ["--config", str(alone.path), "org", "list"]
    monkeypatch.setattr(sys, "argv", ["appliance", *typed])
    if by_variable:
        monkeypatch.setenv("APPLIANCE_CONFIG", str(alone.path))

    result = alone.now("org", "list")

    line = f"sudo -u user{os.getuid()} appliance --config {alone.path} org list"
    assert (result.exit_code, result.stderr) == (1, f"{data} belongs to another user. Run: {line}\n")
    assert list(data.iterdir()) == []


def test_root_becomes_the_owner_first(alone: CommandLine, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups, then group, then user: the other way round the rights to do so would be gone."""
    alone.now(*REGISTER)
    found = data.stat()
    order: list[object] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("appliance.cli.owner._owner_of", lambda _: os.stat_result((*found[:4], 1234, 567, *found[6:])))
    monkeypatch.setattr(os, "setgroups", order.append)
    monkeypatch.setattr(os, "setgid", order.append)
    monkeypatch.setattr(os, "setuid", order.append)

    assert alone.now("verify").exit_code == 0
    assert order == [[], 567, 1234]


def test_an_unreadable_configuration_names_sudo(
    alone: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The installed file is for root and the service only."""

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(sys, "argv", ["appliance", "status"])

    by_option = alone.now("status")
    monkeypatch.setenv("APPLIANCE_CONFIG", str(alone.path))
    by_variable = CliRunner().invoke(main, ["status"], prog_name="appliance")

    for result, option in ((by_option, ""), (by_variable, f"--config {alone.path} ")):
        assert result.exit_code == 78
        assert result.stderr.splitlines() == [
            f"Configuration: {alone.path}",
            f"  {alone.path} is not readable for this user. Run: sudo appliance {option}status",
        ]


def test_sudo_finds_what_was_called(alone: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its whole path, as sudo has a search path of its own; by its name where that path leads to it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "appliance").touch()
    module = str(Path(__main__.__file__))
    programs = {
        "bin/appliance": f"{tmp_path}/bin/appliance",
        "/usr/bin/env": "env",
        module: f"{sys.executable} -m appliance",
    }
    told = {}

    for called in programs:
        monkeypatch.setattr(sys, "argv", [called, "status"])
        told[called] = unreadable(alone.path, str(alone.path)).partition("Run: ")[2]

    assert told == {called: f"sudo {program} status" for called, program in programs.items()}


def test_a_configuration_that_is_no_file_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    """As one that is not there: 78, whichever way it was named."""
    results = [CommandLine(tmp_path / name).now("status") for name in ("", "absent.toml")]

    assert [result.exit_code for result in results] == [78, 78]
    assert ["Is a directory" in results[0].stderr, "No such file" in results[1].stderr] == [True, True]


def test_check_tells_a_foreign_database_from_a_faulty_configuration(alone: CommandLine, data: Path) -> None:
    """1 is the database, 78 the configuration, which is said to be well."""
    data.mkdir()
    with closing(sqlite3.connect(data / "appliance.db")) as connection:
        connection.execute("CREATE TABLE somebodys (thing)")

    result = alone.now("check")

    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        [f"✓  Configuration  {alone.path}", "✓  Account main   …0000"],
    )
    assert result.stderr.startswith("appliance.db belongs to another program")


def test_the_version_and_the_help(alone: CommandLine) -> None:
    """Every command of the contract is listed."""
    assert alone.now("--version").stdout == f"appliance {__version__}\n"

    listed = alone.now("--help").stdout.partition("Commands:")[2]

    assert {line.split()[0] for line in listed.splitlines() if line} >= {
        *("serve", "demo", "check", "org", "channel", "knowledge", "send", "simulate"),
        *("dead-letters", "orphans", "status", "verify", "tick", "config"),
    }
