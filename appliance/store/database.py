"""The database file: who may open it, how, and which schema it has.

Exactly one connection writes and checkpoints (SQLite 3.7.0 to 3.51.2 has a bug in resetting the WAL that needs two).
"""

import os
import shutil
import sqlite3
import stat
from importlib.resources import files
from pathlib import Path

from appliance.errors import (
    ApplianceError,
    ConfigurationError,
    CorruptError,
    DatabaseError,
    ForeignError,
    StorageFullError,
)

APPLICATION_ID = 0x41505043  # "APPC"
FILE_NAME = "appliance.db"
MIB = 2**20
OVERWRITES_SINCE = 8  # the schema from which on what is deleted is overwritten; older files are made anew once

# A full disk also shows as an error of the shared-memory file, or of the first write.
_NO_SPACE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE)

# Every one is read back: an ignored PRAGMA fails silently.
_WRITER_PRAGMAS: dict[str, int | str] = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: a commit is on disk before anybody is told
    "foreign_keys": 1,
    "wal_autocheckpoint": 0,  # the writer checkpoints between batches, never inside one
    "journal_size_limit": 0,  # so that the size of the WAL file tells how much is in it
    "busy_timeout": 2_000,  # milliseconds; only a stranger's shell can hold the lock, and not for ever
    "secure_delete": 1,  # what is deleted is overwritten, in the file and in what is written to the log
    "mmap_size": 0,  # an I/O error must be an error, not a SIGBUS
    "cell_size_check": 1,
    "temp_store": 2,
}


def uri(path: Path, mode: str) -> str:
    """The path for sqlite3's `uri=True`, whatever characters are in it."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def prepare_directory(directory: Path) -> None:
    """Make the storage directory and everything in it private to its owner. Raises ConfigurationError."""
    refuse_shared(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    os.umask(0o077)
    for file in directory.glob(f"{FILE_NAME}*"):
        file.chmod(0o600)


def refuse_shared(directory: Path) -> None:
    """Raises ConfigurationError for a directory that others use, such as /tmp: made private, it is lost to them."""
    if not directory.is_dir() or not directory.stat().st_mode & stat.S_IWOTH:  # a group is often the user's own
        return
    names = {path.name for path in directory.iterdir()} - {"lost+found"}
    if names and FILE_NAME not in names:
        why = "others may write there and use it; name a directory of the appliance's own"
        raise ConfigurationError([f"storage.directory = {directory}: {why}"])


def configure_writer(connection: sqlite3.Connection) -> None:
    for name, wanted in _WRITER_PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {wanted}").fetchall()
        found = connection.execute(f"PRAGMA {name}").fetchone()
        if name != "busy_timeout" and found != (wanted,) and not (name == "mmap_size" and found is None):
            raise DatabaseError(f"SQLite does not accept {name} = {wanted} here (it says {found}).")
    connection.row_factory = sqlite3.Row


def configure_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = 1")
    connection.execute("PRAGMA busy_timeout = 1000")
    connection.row_factory = sqlite3.Row


def migrations() -> list[tuple[int, str]]:
    """(version, SQL) of each released step, in order."""
    folder = files("appliance.store") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name.split("_")[0]), (folder / name).read_text()) for name in names]


def version_of(connection: sqlite3.Connection, name: str = FILE_NAME) -> int:
    """The schema version; 0 for an empty file. A foreign or newer file is refused by its name."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    if application != APPLICATION_ID and not (empty and application == 0):
        raise ForeignError(f"{name} belongs to another program; move it away or set another storage.directory.")
    newest = migrations()[-1][0]
    if version > newest:
        raise ForeignError(
            f"{name} is of a newer appliance (schema {version}, this one knows {newest}); update the appliance."
        )
    return version


def opening_error(error: sqlite3.DatabaseError, path: Path) -> ApplianceError:
    """What a failed start means for the operator."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return CorruptError(f"{path} is damaged: {error}.")
    if code in _NO_SPACE:
        return StorageFullError(f"The disk of {path.parent} is full; free some space.")
    return DatabaseError(f"{path} cannot be opened: {error}.")


def check(connection: sqlite3.Connection, name: str = FILE_NAME) -> None:
    """Raises DatabaseError where SQLite finds damage."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise CorruptError(f"{name} is damaged ({str(found).splitlines()[0]}).")


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date, each step all or nothing; an existing file is copied aside first."""
    version = version_of(connection)
    todo = [(number, sql) for number, sql in migrations() if number > version]
    if todo and version > 0:
        is_made_anew = version < OVERWRITES_SINCE
        _copy_aside(connection, path.with_name(f"{FILE_NAME}.before-{todo[-1][0]}"), copies=1 + is_made_anew)
        if is_made_anew:
            connection.execute("VACUUM")
    # A table that others refer to can be made anew only while nobody looks; so all are looked at before the commit.
    connection.execute("PRAGMA foreign_keys = 0")
    try:
        known = _broken_references(connection) if todo else set()
        for number, sql in todo:
            stamp = f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {number};"
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\n{stamp}")
            if _broken_references(connection) - known:
                raise DatabaseError(f"{path} cannot be brought up to date: step {number} breaks references.")
            connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute("PRAGMA foreign_keys = 1")


def _broken_references(connection: sqlite3.Connection) -> set[tuple[str, int]]:
    """(table, row) of what names a row that is not there."""
    return {(row[0], row[1]) for row in connection.execute("PRAGMA foreign_key_check").fetchall()}


def _copy_aside(connection: sqlite3.Connection, copy: Path, *, copies: int) -> None:
    """Raises StorageFullError before anything is written: a start that is tried again would fill the disk again.

    `copies`: how often the file will be written, this one included; the steps write a part of it once more.
    """
    copy.unlink(missing_ok=True)
    names = ("page_count", "freelist_count", "page_size")
    pages, unused, size = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    needed = (pages - unused) * size * (5 * copies + 1) // 5
    if (free := shutil.disk_usage(copy.parent).free) < needed:
        raise StorageFullError(
            f"The new version copies {FILE_NAME} first: {needed // MIB + 1} MiB must be free on the disk of "
            f"{copy.parent}, and {free // MIB} are; free some space."
        )
    try:
        connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.DatabaseError:
        copy.unlink(missing_ok=True)
        raise
    sync(copy)


def sync(path: Path) -> None:
    """Put a file, or the names in a directory, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
