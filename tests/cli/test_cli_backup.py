"""`appliance backup` and `appliance restore` with every file that somebody may name."""

import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.config import Config
from appliance.store import backup
from appliance.store.box import Fact
from appliance.store.lock import Lock
from tests.support.command_line import CommandLine, write_config
from tests.support.world import ACCOUNT, CUSTOMER, SMS, TOKEN


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
    config = replace(config, server=replace(config.server, public_url="https://example.com", language="en"))
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
    (made,) = (tmp_path / "data" / "backups").iterdir()
    assert refused.stderr == (
        f"{place} cannot be written (No such file or directory); the copy that was taken is {made}.\n"
    )


def _link_to_a_device(place: Path) -> None:
    place.symlink_to(os.devnull)


def _link_to_itself(place: Path) -> None:
    place.symlink_to(place)


def _socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(place.name)


@pytest.mark.parametrize("make", [os.mkfifo, _socket, _link_to_a_device, _link_to_itself])
def test_a_backup_replaces_nothing_but_a_file(
    alone: CommandLine, data: Path, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """Root would lose a device; whoever reads a pipe would wait for ever."""
    make(tmp_path / "copy.db")
    before = (tmp_path / "copy.db").lstat()[:7]

    refused = alone.now("backup", "copy.db")

    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1] == "Error: copy.db is no regular file; name another place."
    assert (tmp_path / "copy.db").lstat()[:7] == before
    assert not (data / "backups").exists()


@pytest.mark.parametrize("present", [True, False])
def test_a_backup_goes_through_a_link(alone: CommandLine, tmp_path: Path, present: bool) -> None:
    """The link stays what it is, as one to the newest copy on another disk."""
    (tmp_path / "usb").mkdir()
    (tmp_path / "copy.db").symlink_to("usb/real.db")
    if present:
        (tmp_path / "usb" / "real.db").write_text("an older backup")

    made = alone.now("backup", "copy.db")

    assert (made.exit_code, made.stdout) == (0, "copy.db\n")
    assert (tmp_path / "copy.db").readlink() == Path("usb/real.db")
    backup.verify(tmp_path / "usb" / "real.db")


class Root:
    """Root, whose rights go and come back; `private` is a directory that nobody else finds.

    Not in earnest: the tests' user need not be root, and giving the rights up for good would end the tests' own.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
        self.private = data.parent / "private"
        self.private.mkdir()
        self.did: list[object] = []
        self._user = 0
        found = data.stat()
        owner = os.stat_result((*found[:4], 1234, 567, *found[6:]))
        monkeypatch.setattr("appliance.cli.owner._owner_of", lambda _: owner)
        for name in ("setgroups", "setegid", "setgid"):
            monkeypatch.setattr(os, name, self.did.append)
        for name in ("seteuid", "setuid"):
            monkeypatch.setattr(os, name, self._become)
        monkeypatch.setattr(os, "geteuid", lambda: self._user)

    def _become(self, user: int) -> None:
        self.did.append(user)
        self._user = user
        hidden = self.private.with_name("hidden")
        (self.private if user else hidden).rename(hidden if user else self.private)


def test_root_puts_a_backup_where_only_root_may(
    alone: CommandLine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken as the owner, put there as root: first the rights to change rights come back, then the others."""
    root = Root(monkeypatch, data)
    groups, group = os.getgroups(), os.getegid()

    made = alone.now("backup", str(root.private / "copy.db"))

    assert made.exit_code == 0, made.stderr
    assert root.did == [[], 567, 1234, 0, group, groups]
    backup.verify(root.private / "copy.db")


def test_root_restores_what_only_root_may_read(alone: CommandLine, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened before the rights are gone, with the log beside it; what the owner needed to read it goes again."""
    root = Root(monkeypatch, data)
    with closing(sqlite3.connect(data / "appliance.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE organizations SET name = 'in the log only'")
        for suffix in ("", "-wal"):
            shutil.copy(data / f"appliance.db{suffix}", root.private / f"copy.db{suffix}")
        connection.execute("UPDATE organizations SET name = 'later'")

    restored = alone.now("restore", str(root.private / "copy.db"))

    assert restored.exit_code == 0, restored.stderr
    assert root.did == [[], 567, 1234]
    with closing(sqlite3.connect(data / "appliance.db")) as found:
        assert found.execute("SELECT name FROM organizations").fetchall() == [("in the log only",)]
    assert _states(data / "appliance.db") == ["doubt"]
    assert not list(data.glob("restore-*"))


def test_what_only_root_may_read_is_named_as_root_named_it(
    alone: CommandLine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by the place where the owner looked at it."""
    root = Root(monkeypatch, data)
    copy = root.private / "copy.db"
    copy.write_bytes(b"not a database" * 100)

    refused = alone.now("restore", str(copy))

    assert (refused.exit_code, refused.stderr) == (1, f"{copy} is not a usable backup: file is not a database.\n")
    assert _states(data / "appliance.db") == ["ready"]
    assert not list(data.glob("restore-*"))


def test_what_nobody_may_read_is_called_unreadable(
    alone: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the best of backups: root can read it."""
    alone.now("backup", "copy.db")

    really_open: Any = Path.open

    def refuse(path: Path, *how: Any, **options: Any) -> Any:
        if path.name == "copy.db":
            raise PermissionError(13, "Permission denied", str(path))
        return really_open(path, *how, **options)

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(sys, "argv", ["appliance", "restore", "copy.db"])

    refused = alone.now("restore", "copy.db")

    assert refused.exit_code == 1
    assert refused.stderr == "copy.db is not readable for this user. Run: sudo appliance restore copy.db\n"


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
        (os.mkfifo, 2, "is no regular file"),
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
        assert found.execute("SELECT count(*) FROM box WHERE key = ?", (Fact.RESTORED_AT,)).fetchone() == (1,)
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
