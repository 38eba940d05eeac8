"""Copies of the database that were opened and checked before they count, and putting one back."""

import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import DatabaseError
from appliance.model import SECOND
from appliance.store.database import FILE_NAME, check, version_of

FOLDER = "backups"
KEEP = 7


def keep_one(directory: Path, now: int) -> Path:
    """Take a checked copy of the live database into the backups' folder; the oldest ones go. Blocking."""
    copy = target(directory, now)
    take(directory / FILE_NAME, copy)
    prune(directory)
    return copy


def target(directory: Path, now: int) -> Path:
    """Where a backup taken at a time (ms UTC) belongs."""
    folder = directory / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"appliance-{datetime.fromtimestamp(now / SECOND, UTC):%Y%m%d-%H%M%S}.db"


def take(source: Path, copy: Path) -> None:
    """Copy the live database and prove that the copy opens; blocking, on a read-only connection of its own.

    Raises DatabaseError or OSError; a copy that did not pass the check is not left behind.
    """
    unfinished = copy.with_name(copy.name + ".part")
    unfinished.unlink(missing_ok=True)
    try:
        connection = sqlite3.connect(f"file:{source}?mode=ro", uri=True, isolation_level=None)
        try:
            connection.execute("VACUUM INTO ?", (str(unfinished),))
        finally:
            connection.close()
        unfinished.chmod(0o600)
        verify(unfinished)
        _sync(unfinished)
        unfinished.rename(copy)
        _sync(copy.parent)
    except sqlite3.DatabaseError as error:
        raise DatabaseError(f"The backup failed: {error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def verify(copy: Path) -> None:
    """Open a copy and check every page. Raises DatabaseError in one sentence."""
    try:
        connection = sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)
        try:
            if version_of(connection) == 0:
                raise DatabaseError(f"{copy} is not a backup of the appliance.")
            check(connection)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise DatabaseError(f"{copy} is not a usable backup: {error}.") from error


def newest(directory: Path) -> Path | None:
    """The newest backup that passes its check."""
    for copy in sorted((directory / FOLDER).glob("appliance-*.db"), reverse=True):
        try:
            verify(copy)
        except DatabaseError:
            continue
        return copy
    return None


def prune(directory: Path, keep: int = KEEP) -> None:
    for copy in sorted((directory / FOLDER).glob("appliance-*.db"), reverse=True)[keep:]:
        copy.unlink(missing_ok=True)


def put_back(copy: Path, directory: Path, now: int) -> Path | None:
    """Make a verified copy the database; the present file is set aside and its new place returned.

    The caller holds the lock. The schema is brought up to date when the store is opened.
    """
    verify(copy)
    place = directory / FILE_NAME
    incoming = directory / f"{FILE_NAME}.incoming"
    shutil.copyfile(copy, incoming)
    incoming.chmod(0o600)
    _sync(incoming)
    aside = set_aside(directory, now)
    incoming.rename(place)
    _sync(directory)
    return aside


def set_aside(directory: Path, now: int) -> Path | None:
    """Move the database with its -wal and -shm out of the way; nothing is deleted."""
    aside: Path | None = None
    for suffix in ("-shm", "-wal", ""):
        file = directory / f"{FILE_NAME}{suffix}"
        if file.exists():
            aside = directory / f"{FILE_NAME}.aside-{now}{suffix}"
            file.rename(aside)
    return aside


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
