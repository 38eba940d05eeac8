"""Copies of the database that were opened and checked before they count."""

import asyncio
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from appliance.errors import DatabaseError
from appliance.model import HOUR, SECOND
from appliance.store.database import FILE_NAME, check, sync, uri, version_of
from appliance.store.keyed import KEY, LIST
from appliance.store.reserve import SIZE

FOLDER = "backups"
KEEP = 7
EVERY = 24 * HOUR
FAILED = "The backup failed: "  # how the reason begins where it stands alone
NO_SPACE = "the disk has too little space for another copy"
_UNFINISHED = ".part"
LIVE = {FILE_NAME, f"{FILE_NAME}-wal", KEY, LIST, "lock", "reserve"}  # what lies beside it and is no copy
# One at a time, the daily one and an operator's. On a slow card a copy takes long, and the threads that everybody
# shares also look names up.
_thread = ThreadPoolExecutor(1, "backup")
Stop = Callable[[], bool]  # asked again and again during the long steps
_OFTEN = 1_000  # of SQLite's instructions, between two times


def never() -> bool:
    """Nobody will stop it."""
    return False


async def take_one(directory: Path, now: int) -> Path:
    """keep_one(), off the loop. Cancelled, it ends the copy and returns when nothing of it is left."""
    stop = threading.Event()
    work = _thread.submit(keep_one, directory, now, stop.is_set)
    done = asyncio.wrap_future(work)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        stop.set()
        if not work.cancel():  # it has begun
            with suppress(DatabaseError):
                await done
        raise


def keep_one(directory: Path, now: int, stop: Stop = never) -> Path:
    """Take a checked copy of the live database into the backups' folder; the oldest ones go. Blocking.

    Raises DatabaseError, one sentence; also where it is to stop.
    """
    try:
        copy = target(directory, now)
        for leftover in copy.parent.glob(f"*{_UNFINISHED}*"):  # of a run that was killed
            leftover.unlink()
        # A copy of today is worth more than the oldest ones; the newest of them stays until it is there.
        for old in sorted(copy.parent.glob("appliance-*.db"))[:-1]:
            if _has_space(directory / FILE_NAME, copy.parent):
                break
            old.unlink()
        take(directory / FILE_NAME, copy, stop)
        prune(directory)
    except OSError as error:
        raise DatabaseError(f"{FAILED}{error.strerror}.") from error
    return copy


def target(directory: Path, now: int) -> Path:
    """Where a backup taken at a time (ms UTC) belongs."""
    folder = directory / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"appliance-{datetime.fromtimestamp(now / SECOND, UTC):%Y%m%d-%H%M%S}.db"


def take(source: Path, copy: Path, stop: Stop = never) -> None:
    """Copy the live database and prove that the copy opens; blocking, on a read-only connection of its own.

    Raises DatabaseError or OSError; a copy that did not pass the check is not left behind.
    """
    if not _has_space(source, copy.parent):  # a copy that fills the disk would keep messages from being stored
        raise DatabaseError(f"{FAILED}{NO_SPACE}.")

    def write(unfinished: Path) -> None:
        with closing(sqlite3.connect(uri(source, "ro"), uri=True, isolation_level=None)) as connection:
            connection.set_progress_handler(stop, _OFTEN)
            connection.execute("VACUUM INTO ?", (str(unfinished),))

    try:
        _put(copy, write, stop)
    except sqlite3.DatabaseError as error:
        raise DatabaseError(f"{FAILED}{error}.") from error


def hand_out(copy: BinaryIO, place: Path) -> None:
    """Put another copy of a backup anywhere; what stood there goes only when the copy is whole.

    Raises DatabaseError or OSError.
    """

    def write(unfinished: Path) -> None:
        private = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(private, "wb") as file:
            shutil.copyfileobj(copy, file)

    _put(place, write)


def _has_space(source: Path, folder: Path) -> bool:
    log = source.with_name(f"{source.name}-wal")
    size = source.stat().st_size + (log.stat().st_size if log.exists() else 0)
    return shutil.disk_usage(folder).free >= size + SIZE


def _put(copy: Path, write: Callable[[Path], object], stop: Stop = never) -> None:
    unfinished = copy.with_name(copy.name + _UNFINISHED)
    unfinished.unlink(missing_ok=True)
    try:
        write(unfinished)
        unfinished.chmod(0o600)
        verify(unfinished, stop)
        sync(unfinished)
        unfinished.rename(copy)
        sync(copy.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def verify(copy: Path, stop: Stop = never) -> None:
    """Open a copy and check every page. Raises DatabaseError in one sentence."""
    try:
        with closing(sqlite3.connect(f"{uri(copy, 'ro')}&immutable=1", uri=True)) as connection:
            connection.set_progress_handler(stop, _OFTEN)
            if version_of(connection, str(copy)) == 0:
                raise DatabaseError(f"{copy} is not a backup of the appliance.")
            check(connection, str(copy))
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


@dataclass(frozen=True, slots=True)
class Copy:
    """`goes_at`: when newer ones will have taken its place (ms UTC), with one made every day; None: never by itself."""

    file: str
    taken_at: int
    goes_at: int | None


def copies(directory: Path, next_at: int) -> list[Copy]:
    """Every file that may hold what was in the database once: backups, databases that were set aside, and whatever else
    lies there. `next_at`: when the next daily copy is due (ms UTC).
    """
    found: list[Copy] = []
    for place, copy in enumerate(sorted((directory / FOLDER).glob("appliance-*.db"), reverse=True)):
        more = max(KEEP - place - 1, 0)
        found.append(Copy(str(copy), taken_at(copy), next_at + more * EVERY))
    backups = {copy.file for copy in found}
    files = (file for file in sorted(directory.rglob("*")) if file.is_file() and not file.name.endswith("-shm"))
    others = (file for file in files if file.name not in LIVE and str(file) not in backups)
    return found + [Copy(str(file), file.stat().st_mtime_ns // 1_000_000, None) for file in others]


def last_at(directory: Path) -> int | None:
    """When the newest one was taken (ms UTC); each was checked before it got its name."""
    for copy in sorted((directory / FOLDER).glob("appliance-*.db"), reverse=True):
        with suppress(ValueError):  # a file that somebody else put there
            return taken_at(copy)
    return None


def taken_at(copy: Path) -> int:
    """As its name says (ms UTC)."""
    taken = datetime.strptime(copy.stem, "appliance-%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    return int(taken.timestamp()) * SECOND


def prune(directory: Path, keep: int = KEEP) -> None:
    for copy in sorted((directory / FOLDER).glob("appliance-*.db"), reverse=True)[keep:]:
        copy.unlink(missing_ok=True)
