"""Opens an image as the appliance does after a power cut, and says what is wrong with what it finds."""

import functools
import multiprocessing
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from appliance.engine import begin_run, past
from appliance.errors import DatabaseError
from appliance.model import OutboxState
from appliance.operations.verification import verify
from appliance.store import backup, database
from appliance.store.database import FILE_NAME, check, configure_writer, migrate, version_of
from appliance.store.sql import Sql
from appliance.store.tx import Tx
from appliance.store.writer import commit_batch
from tests.lab.power_cut.journal import Cutter, Files, Image, Journal, Promise
from tests.lab.power_cut.ledger import digest
from tests.lab.power_cut.work import BEGINNING, CONFIG, RecordedStore

PROCESSES = 2
AGAIN = 20  # every so many images are written to after their recovery
MEMORY = Path("/dev/shm")  # where there is one, an image costs no disk


@dataclass
class Verdict:
    images: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)  # of each fault: where it was met first

    def add(self, other: "Verdict") -> None:
        self.images += other.images
        self.faults += other.faults
        self.first = other.first | self.first


def memory() -> str | None:
    """Where many small files are best made; None for the usual place."""
    return str(MEMORY) if MEMORY.is_dir() else None


def examine(store: RecordedStore, images: int, *, seed: int = 1) -> Verdict:
    """Cut the recorded day at every place, at least so many images in all, and recover each one."""
    each = max(2, -(-7 * images // 4 // len(store.journal.steps)))  # many are like another
    verdict = Verdict()
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        shares = [pool.apply_async(_share, (store.journal, store.digests, each, seed, n)) for n in range(PROCESSES)]
        for share in shares:
            verdict.add(share.get())
    return verdict


def _share(journal: Journal, digests: list[bytes], each: int, seed: int, first: int) -> Verdict:
    database.migrations = functools.cache(database.migrations)  # this process opens thousands
    verdict = Verdict()
    with tempfile.TemporaryDirectory(dir=memory()) as name:
        examiner = Examiner(Path(name), digests)
        for image in Cutter(journal, seed + first).images(each, PROCESSES, first):
            verdict.images += 1
            for fault in examiner.faults(image):
                kind = fault.partition(":")[0]
                verdict.faults[kind] += 1
                verdict.first.setdefault(kind, f"place {image.place}, {image.shape}: {fault}")
    return verdict


class Examiner:
    """Recovers one image after the other in a directory of its own."""

    def __init__(self, directory: Path, digests: list[bytes]) -> None:
        self._directory = directory
        self._place = directory / FILE_NAME
        self._digests = digests
        self._newest = {content: batches for batches, content in enumerate(digests)}
        self._verified: set[bytes] = set()
        self._good_backups: set[bytes] = set()
        self._count = 0

    def faults(self, image: Image) -> Iterator[str]:
        """What the customers or the owner would notice after this power cut; nothing, if all is well."""
        self._lay_out(image.files)
        self._count += 1
        try:
            with closing(sqlite3.connect(self._place, isolation_level=None)) as connection:
                yield from self._recover(connection, image.promise)
        except (sqlite3.DatabaseError, DatabaseError) as error:
            yield f"corrupt: {error}"
        for name, content in image.files.items():
            if name.startswith(backup.FOLDER) and name.endswith(".db"):
                yield from self._bad_backup(content)

    def _lay_out(self, files: Files) -> None:
        for entry in os.scandir(self._directory):
            Path(entry.path).unlink()
        for name, content in files.items():
            if not name.startswith(backup.FOLDER):
                (self._directory / name).write_bytes(content)

    def _bad_backup(self, content: bytes) -> Iterator[str]:
        """A copy that counts as a backup must be one; equal copies are looked at once."""
        if content in self._good_backups:
            return
        copy = self._directory / "backup.db"
        copy.write_bytes(content)
        try:
            backup.verify(copy)
        except DatabaseError as error:
            yield f"bad backup: {error}"
        else:
            self._good_backups.add(content)

    def _recover(self, connection: sqlite3.Connection, promise: Promise) -> Iterator[str]:
        """The steps of Store.open and of the start of a run, and what must hold before and after."""
        version_of(connection)
        configure_writer(connection)
        check(connection)
        content = digest(connection)
        if content not in self._newest:
            yield "half: a unit of work"
        elif self._newest[content] < promise.batches:
            yield "lost: an acknowledged unit"
        migrate(connection, self._place)
        tx = Tx(Sql(connection, lambda: BEGINNING))
        yield from _twice(tx, promise)
        # Whether it adds up depends on the content alone; that the file can be written to again is asked now and then.
        if content not in self._verified or self._count % AGAIN == 0:
            self._verified.add(content)
            sending = tx.outbox.in_state(OutboxState.SENDING)
            commit_batch(connection, tx, [lambda tx: begin_run(tx, past(tx, CONFIG).run, {}, CONFIG)])
            for outbox_id in sorted(set(sending).intersection(tx.outbox.in_state(OutboxState.READY))):
                yield f"twice: outbox row {outbox_id} may be at Twilio and would be sent again by the next start"
            if problems := verify(tx).problems:
                yield f"inconsistent: {problems}"


def _twice(tx: Tx, promise: Promise) -> Iterator[str]:
    if not promise.handed:
        return
    unsent = set(tx.outbox.in_state(OutboxState.READY))
    known = int(tx.sql.value("SELECT count(*) FROM outbox"))
    for outbox_id in promise.handed:
        if outbox_id in unsent or outbox_id > known:
            yield f"twice: outbox row {outbox_id} was handed to Twilio and would be again"
