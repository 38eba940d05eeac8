"""Copies of the database that were opened and checked before they count."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import DatabaseError
from appliance.model import SECOND
from appliance.store.database import FILE_NAME, check, sync, version_of

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
        sync(unfinished)
        unfinished.rename(copy)
        sync(copy.parent)
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
