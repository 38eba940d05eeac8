"""Only the owner of the storage directory touches it: even a reader leaves files behind that are its own.

A command that root runs becomes the owner first; anybody else is told how to.
"""

import os
import pwd
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.config import Config
from appliance.config.sections import NO_FILE
from appliance.errors import ApplianceError, ConfigurationError

SUDO_PATH = "/usr/local/bin:/usr/bin"  # of its search path what holds a user's programs


def become_owner(config: Config) -> None:
    """For good. Raises ApplianceError with the exact `sudo` line for another user."""
    owner = _another_owner(config)
    if owner is not None:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


@contextmanager
def as_owner(config: Config) -> Iterator[None]:
    """Until the context ends; then root has its own rights again. Raises what `become_owner` raises."""
    owner = _another_owner(config)
    if owner is None:
        yield
        return
    groups, group, user = os.getgroups(), os.getegid(), os.geteuid()
    os.setgroups([])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(user)
        os.setegid(group)
        os.setgroups(groups)


def _another_owner(config: Config) -> os.stat_result | None:
    """Whom root must become; None where nobody else owns the directory."""
    owner = _owner_of(config.storage.directory)
    if owner is None or owner.st_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        line = _line(["sudo", "-u", _user(owner.st_uid)], config.source)
        raise ApplianceError(f"{config.storage.directory} belongs to another user. Run: {line}")
    return owner


def _owner_of(directory: Path) -> os.stat_result | None:
    """None where nothing is there yet. Whoever keeps us from looking into a directory above counts as its owner."""
    for path in (directory, *directory.parents):
        try:
            return path.stat()
        except PermissionError:
            continue
        except (FileNotFoundError, NotADirectoryError):
            return None
    return None


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def require_readable(path: Path) -> None:
    """Raises ConfigurationError with the `sudo` line where the file is there and not for this user."""
    try:
        path.open().close()
    except PermissionError:
        raise ConfigurationError([unreadable(path, str(path))]) from None
    except OSError:
        return  # loading it says why


def unreadable(path: Path, source: str) -> str:
    """The sentence about a file that is there and not for this user, with the `sudo` line."""
    return f"{path} is not readable for this user. Run: {_line(['sudo'], source)}"


def _line(sudo: list[str], source: str) -> str:
    """As typed, and the configuration file where only a variable named it: sudo drops variables."""
    typed = sys.argv[1:]
    named = any(word == "--config" or word.startswith("--config=") for word in typed)
    by_variable = "APPLIANCE_CONFIG" in os.environ and source != NO_FILE
    return shlex.join([*sudo, *_program(), *(["--config", source] if by_variable and not named else []), *typed])


def _program() -> list[str]:
    """What runs this program whoever calls it: sudo has a search path of its own."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return [sys.executable, "-m", "appliance"]
    if not called.is_file():
        return ["appliance"]  # called in a way that cannot be repeated
    found = shutil.which(called.name, path=SUDO_PATH)
    return [called.name if found and called.samefile(found) else str(called.resolve())]
