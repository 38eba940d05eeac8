"""`appliance backup` and `appliance restore` with every file that somebody may name."""

import os
import sqlite3
from pathlib import Path

import msgspec
import pytest
from command_line import CommandLine, write_config
from world import ACCOUNT, CUSTOMER, SMS, TOKEN

from appliance.config import Config
from appliance.delivery import RESTORED
from appliance.store import backup
from appliance.store.lock import Lock


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the caller's is in force."""
    for name in list(os.environ):
        if name.startswith(("APPLIANCE_", "TWILIO_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def alone(tmp_path: Path, data: Path) -> CommandLine:
    """A stopped box with one organization and one message that waits to be sent."""
    replace = msgspec.structs.replace
    config = Config()
    config = replace(config, storage=replace(config.storage, directory=data))
    config = replace(config, server=replace(config.server, public_url="https://example.com"))
    config = replace(config, twilio=replace(config.twilio, account_sid=ACCOUNT, auth_tokens=(TOKEN,)))
    command_line = CommandLine(write_config(tmp_path / "box.toml", config))
    command_line.now("org", "register", "Padaria", "--channel", SMS, "--user", "ana@example.com")
    command_line.now("send", "--from", SMS, "--to", CUSTOMER, "Olá")
    return command_line


def _states(database: Path) -> list[str]:
    with sqlite3.connect(database) as connection:
        return [row[0] for row in connection.execute("SELECT state FROM outbox")]


@pytest.mark.parametrize("name", ["copy.db", "a copy#1?%20.db", "cópia.db"])
def test_a_backup_goes_where_it_is_told(alone: CommandLine, tmp_path: Path, name: str) -> None:
    """Relative to where the command is given, whatever the name; what stood there is replaced; it can be restored."""
    (tmp_path / name).write_text("an older backup")

    made = alone.now("backup", name)

    assert (made.exit_code, made.stdout) == (0, f"{name}\n")
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert alone.now("restore", name).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "box.toml", "data"])


def test_a_backup_that_cannot_be_put_there_leaves_what_there_is(alone: CommandLine, tmp_path: Path) -> None:
    """One sentence, exit status 1; the copy in the box's own folder was taken."""
    place = tmp_path / "usb" / "copy.db"

    refused = alone.now("backup", str(place))

    assert (refused.exit_code, len(refused.stderr.splitlines())) == (1, 1)
    assert "usb" in refused.stderr
    assert len(list((tmp_path / "data" / "backups").iterdir())) == 1


@pytest.mark.parametrize("name", ["appliance.db", "lock", "reserve"])
def test_a_backup_never_overwrites_the_box(alone: CommandLine, data: Path, name: str) -> None:
    """The live database named as the place of its own copy."""
    before = (data / name).read_bytes()

    refused = alone.now("backup", str(data / name))

    assert refused.exit_code == 2
    assert "own directory" in refused.stderr
    assert (data / name).read_bytes() == before


def test_a_backup_that_fails_says_why(alone: CommandLine, data: Path) -> None:
    """Not "try again", but what is in the way."""
    (data / "backups").write_text("a file where the folder belongs")

    refused = alone.now("backup")

    assert (refused.exit_code, refused.stderr) == (1, "The backup failed: File exists.\n")


def _foreign(place: Path) -> None:
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TABLE other (a)")


def _newer(place: Path) -> None:
    place.write_bytes((place.parent / "good.db").read_bytes())
    with sqlite3.connect(place) as connection:
        connection.execute("PRAGMA user_version = 999")


def _cut(place: Path) -> None:
    content = (place.parent / "good.db").read_bytes()
    place.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("make", "status", "said"),
    [
        (lambda place: place.write_bytes(b""), 1, "is not a backup of the appliance"),
        (lambda place: place.write_bytes(b"not a database" * 100), 1, "is not a usable backup"),
        (_cut, 1, ""),
        (_foreign, 78, "belongs to another program"),
        (_newer, 78, "is of a newer appliance"),
        (Path.mkdir, 2, "is a directory"),
        (lambda place: None, 2, "does not exist"),
    ],
)
def test_what_is_no_backup_is_refused_by_its_name(
    alone: CommandLine, data: Path, tmp_path: Path, make: object, status: int, said: str
) -> None:
    """One sentence that names the file; the present database stays and is trusted."""
    alone.now("backup", "good.db")
    make(tmp_path / "copy.db")  # type: ignore[operator]

    refused = alone.now("restore", "copy.db")

    assert refused.exit_code == status
    assert "copy.db" in refused.stderr
    assert said in refused.stderr
    assert _states(data / "appliance.db") == ["ready"]
    assert not list(data.glob("appliance.db.*"))


def test_the_database_itself_can_be_restored_and_loses_nothing(alone: CommandLine, data: Path) -> None:
    """As it stands, with what its log holds: a house move that copied the files. All of it is in doubt."""
    connection = sqlite3.connect(data / "appliance.db", isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("UPDATE organizations SET name = 'in the log only'")
    assert (data / "appliance.db-wal").stat().st_size

    restored = alone.now("restore", str(data / "appliance.db"))

    connection.close()
    assert restored.exit_code == 0, restored.stderr
    with sqlite3.connect(data / "appliance.db") as found:
        assert found.execute("SELECT name FROM organizations").fetchall() == [("in the log only",)]
        assert found.execute("SELECT count(*) FROM box WHERE key = ?", (RESTORED,)).fetchone() == (1,)
    assert _states(data / "appliance.db") == ["doubt"]


def test_a_restoration_that_the_power_cut_short_is_a_database(alone: CommandLine, data: Path) -> None:
    """The old one is set aside, the new one does not have its name yet: whoever comes next finishes it."""
    (data / "appliance.db").rename(data / "appliance.db.incoming")

    assert alone.now("verify").exit_code == 0
    assert _states(data / "appliance.db") == ["ready"]


def test_nothing_is_restored_under_a_running_appliance(alone: CommandLine, data: Path, tmp_path: Path) -> None:
    """Who holds the lock is named, and nothing is touched."""
    alone.now("backup", "copy.db")
    lock = Lock(data)
    lock.take()
    try:
        refused = alone.now("restore", "copy.db")
    finally:
        lock.release()

    assert refused.exit_code == 1
    assert "stop it first" in refused.stderr
    assert _states(data / "appliance.db") == ["ready"]


def test_a_restored_box_says_so_in_its_status(alone: CommandLine, tmp_path: Path) -> None:
    """Until Twilio's log was read, `status` is 1 with a card."""
    alone.now("backup", "copy.db")
    alone.now("restore", "copy.db")

    status = alone.now("status")

    assert status.exit_code == 1
    assert "Restored from a backup" in status.stdout
    backup.verify(tmp_path / "copy.db")
