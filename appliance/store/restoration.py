"""Putting a copy in the database's place, in one step: whenever the power goes, the old database or the whole new one.

The step is a rename to `appliance.db.incoming`. Before it nothing of the present database is touched; after it the next
start, whoever makes it, finishes what is left.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from appliance.store.backup import verify
from appliance.store.database import FILE_NAME, check, configure_writer, migrate, opening_error, sync
from appliance.store.sql import Sql
from appliance.store.tx import Tx

_INCOMING = f"{FILE_NAME}.incoming"


def put_back(copy: Path, directory: Path, now: Callable[[], int], unit: Callable[[Tx], None]) -> Path | None:
    """Make a verified copy the database; returns where the present one was set aside.

    `unit` is in the copy before anybody can open it as the database. The caller holds the lock. Blocking. Raises
    DatabaseError or OSError, and then nothing has changed.
    """
    verify(copy)
    log = Path(f"{copy}-wal")  # beside a database that was copied as it stood
    unfinished = directory / f"{_INCOMING}.part"
    try:
        shutil.copyfile(copy, unfinished)
        if log.exists():
            shutil.copyfile(log, f"{unfinished}-wal")
        unfinished.chmod(0o600)
        # Closing the only connection writes the WAL back and removes it.
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
            configure_writer(connection)
            check(connection)
            migrate(connection, unfinished)
            connection.execute("BEGIN IMMEDIATE")
            unit(Tx(Sql(connection, now)))
            connection.execute("COMMIT")
        sync(unfinished)
        unfinished.rename(directory / _INCOMING)
    except sqlite3.DatabaseError as error:
        raise opening_error(error, unfinished) from error
    finally:
        for leftover in directory.glob(f"{unfinished.name}*"):
            leftover.unlink()
    sync(directory)
    return complete(directory)


def is_present(directory: Path) -> bool:
    """Is there a database, or one that the next start puts in its place?"""
    return any((directory / name).exists() for name in (FILE_NAME, _INCOMING))


def complete(directory: Path) -> Path | None:
    """Finish a restoration that was decided: set the present database aside, put the new one in its place.

    Idempotent: both files carry the name that the moment of the decision gives them. None where nothing is incoming.
    """
    incoming = directory / _INCOMING
    if not incoming.exists():
        return None
    aside = directory / f"{FILE_NAME}.aside-{incoming.stat().st_mtime_ns // 1_000_000}"
    for suffix in ("-shm", "-wal", ""):
        file = directory / f"{FILE_NAME}{suffix}"
        if file.exists():
            file.rename(f"{aside}{suffix}")
    sync(directory)  # an old WAL beside a new database would be played into it
    incoming.rename(directory / FILE_NAME)
    sync(directory)
    return aside
