"""An SQLite whose every write, truncation, sync and deletion is recorded, and a connection of it for the product."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from tests.lab.power_cut.journal import Journal, Step


class Recorder:
    """Names files below one directory and numbers them. What lies elsewhere is not recorded."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.journal = Journal()
        self._numbers: dict[str, int] = {}
        self._nameless: set[int] = set()  # files whose name is not on the disk yet
        self._count = 0

    def name(self, path: str | os.PathLike[str]) -> str | None:
        """The name in the journal; None for what is not recorded, such as shared memory."""
        whole = os.fspath(path)
        inside = whole.startswith(f"{self.directory}/") and not whole.endswith("-shm")
        return whole.removeprefix(f"{self.directory}/") if inside else None

    def opened(self, name: str, is_new: bool) -> int:
        if is_new or name not in self._numbers:
            self._count += 1
            self._numbers[name] = self._count
            self._nameless.add(self._count)
            self.journal.write(Step("create", self._count, name))
        return self._numbers[name]

    def synced(self, file: int, name: str) -> None:
        """SQLite syncs the directory with the first sync of a journal that it created."""
        self.journal.write(Step("sync", file))
        if file in self._nameless and name.endswith(("-wal", "-journal")):
            self.directory_synced()
            self._nameless.clear()

    def synced_path(self, path: str) -> None:
        """What the product syncs by itself: a file, or a directory."""
        name = self.name(path)
        if name in self._numbers:
            self.synced(self._numbers[name], name)
        else:
            self.directory_synced()

    def directory_synced(self) -> None:
        self.journal.write(Step("sync_dir"))

    def deleted(self, name: str) -> None:
        if self._numbers.pop(name, None) is not None:
            self.journal.write(Step("delete", name=name))

    def renamed(self, name: str, new_name: str) -> None:
        self._numbers[new_name] = self._numbers.pop(name)
        self.journal.write(Step("rename", name=name, new_name=new_name))


class RecordingVfs(apsw.VFS):
    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.vfs_name = f"recording-{id(recorder)}"
        super().__init__(self.vfs_name, base="unix")

    def xOpen(self, name: Any, flags: list[int]) -> "apsw.VFSFile":  # noqa: N802  # SQLite's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        known = self.recorder.name(path) if path else None
        if known is None:
            return apsw.VFSFile("unix", name, flags)
        return RecordingFile(self.recorder, known, Path(path), name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        known = self.recorder.name(filename)
        if known is not None:
            self.recorder.deleted(known)
            if syncdir:
                self.recorder.directory_synced()


class RecordingFile(apsw.VFSFile):
    def __init__(self, recorder: Recorder, known: str, path: Path, name: Any, flags: list[int]) -> None:
        is_new = not path.exists()
        super().__init__("unix", name, flags)
        self._recorder = recorder
        self._name = known
        self._file = recorder.opened(known, is_new)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._recorder.journal.write(Step("write", self._file, at=offset, data=bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._recorder.journal.write(Step("truncate", self._file, at=newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._recorder.synced(self._file, self._name)


class Row(tuple[Any, ...]):
    """A row by number and by name, as sqlite3.Row."""

    columns: tuple[str, ...]

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.columns.index(key) if isinstance(key, str) else key)

    def keys(self) -> tuple[str, ...]:
        return self.columns


def _named(cursor: apsw.Cursor, values: tuple[Any, ...]) -> Row:
    row = Row(values)
    row.columns = tuple(name for name, *_ in cursor.get_description())
    return row


@dataclass(frozen=True, slots=True)
class Result:
    rows: list[Any]
    rowcount: int

    def fetchall(self) -> list[Any]:
        return self.rows

    def fetchone(self) -> Any:
        return self.rows[0] if self.rows else None


class Connection:
    """What the product uses of sqlite3.Connection, over apsw."""

    def __init__(self, path: Path, vfs: RecordingVfs, *, readonly: bool = False) -> None:
        writable = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        flags = apsw.SQLITE_OPEN_READONLY if readonly else writable
        self._connection = apsw.Connection(str(path), flags=flags, vfs=vfs.vfs_name)
        self.row_factory: object = None

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> Result:
        cursor = self._connection.cursor()
        if self.row_factory is not None:
            cursor.row_trace = _named
        return Result(cursor.execute(statement, values).fetchall(), self._connection.changes())

    def executescript(self, script: str) -> None:
        self._connection.cursor().execute(script).fetchall()

    def set_progress_handler(self, handler: Callable[[], bool] | None, instructions: int) -> None:
        self._connection.set_progress_handler(handler, instructions)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        self._connection.close()


@contextmanager
def recorded_system(recorder: Recorder, vfs: RecordingVfs) -> Iterator[None]:
    """Inside, what the product does to files by itself is recorded too, and SQLite is the recording one."""
    connect, fsync, rename = sqlite3.connect, os.fsync, os.rename

    def recorded_connect(place: str, **options: Any) -> Any:
        if "immutable" in place:  # a copy that nobody has open
            return connect(place, **options)
        return Connection(Path(place.removeprefix("file:").partition("?")[0]), vfs, readonly=True)

    def recorded_fsync(descriptor: int) -> None:
        fsync(descriptor)
        recorder.synced_path(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    def recorded_rename(source: Any, target: Any) -> None:
        rename(source, target)
        recorder.renamed(str(recorder.name(source)), str(recorder.name(target)))

    try:
        sqlite3.connect, os.fsync, os.rename = recorded_connect, recorded_fsync, recorded_rename  # type: ignore[assignment]
        yield
    finally:
        sqlite3.connect, os.fsync, os.rename = connect, fsync, rename
