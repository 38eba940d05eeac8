"""The store under real faults: no space, an I/O error at the commit, a second process, a foreign file."""

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from appliance import opening
from appliance.clock import SystemClock
from appliance.errors import AlreadyRunningError, DatabaseError, StorageBrokenError, StorageFullError
from appliance.model import MAIN
from appliance.store import Store, Tx, database
from appliance.store.box import Box, Fact
from tests.support.wire import message, post
from tests.support.world import World

PADDING = "x" * 20_000
UNLIMITED = 1_073_741_823


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    opened = await Store.open(tmp_path, SystemClock())
    yield opened
    await opened.close()


async def limit_pages(store: Store, spare: int | None) -> None:
    """Let the file grow by so many pages; None: as it likes."""
    used = await store.write(lambda tx: int(tx.sql.value("PRAGMA page_count")))
    pages = UNLIMITED if spare is None else used + spare
    await store._run(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}"))


@contextmanager
def no_file_may_grow(store: Store) -> Iterator[None]:
    """Writes past the end of the log fail with EFBIG, which SQLite reports as SQLITE_IOERR_WRITE."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (store.wal_bytes(), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def put(key: str, value: str = "1") -> Callable[[Tx], None]:
    def unit(tx: Tx) -> None:
        tx.sql.run("INSERT OR REPLACE INTO box VALUES (?, ?)", key, value)

    return unit


async def keys(store: Store) -> set[str]:
    return {row[0] for row in await store.read(lambda tx: tx.sql.all("SELECT key FROM box"))}


async def gather(store: Store, units: list) -> list:  # type: ignore[type-arg]
    """All in one batch: the first unit holds the writer until the others have gathered."""
    first = asyncio.create_task(store.write(put("first")))
    await asyncio.sleep(0)
    found = await asyncio.gather(*(store.write(unit) for unit in units), return_exceptions=True)
    await first
    return found


async def test_units_share_a_commit(store: Store) -> None:
    """A hundred units that gather while one is being synced take one more batch, each with its own result."""
    before = store._writer.batches

    found = await gather(store, [lambda tx, n=n: n for n in range(100)])

    assert found == list(range(100))
    assert store._writer.batches - before <= 3


async def test_a_failing_unit_takes_nobody_with_it(store: Store) -> None:
    """Its error is its caller's; what it wrote is undone; the others of the batch are stored."""

    def fail(tx: Tx) -> None:
        put("half")(tx)
        raise ValueError("a bug")

    found = await gather(store, [put("a"), fail, put("b")])

    assert [type(result) for result in found] == [type(None), ValueError, type(None)]
    assert await keys(store) == {"first", "a", "b"}


async def test_no_space_in_the_middle_of_a_batch_fails_the_whole_batch(store: Store) -> None:
    """SQLITE_FULL rolls everything back: nobody of the batch is told it was stored; later units are."""
    await store.write(put("before"))
    await limit_pages(store, 2)

    found = await gather(store, [put("a"), put("big", PADDING), put("b")])

    assert [type(result) for result in found] == [StorageFullError] * 3
    assert await keys(store) == {"before", "first"}
    await store.write(put("small"))
    await limit_pages(store, None)
    await store.write(put("big", PADDING))
    assert await keys(store) == {"before", "first", "small", "big"}


async def test_no_space_gives_the_reserve_back(store: Store) -> None:
    """The reserve file goes, so that what is under way can still be written."""
    assert (store.directory / "reserve").exists()
    await limit_pages(store, 1)

    with pytest.raises(StorageFullError):
        await store.write(put("big", PADDING))

    assert not (store.directory / "reserve").exists()


async def test_webhooks_of_a_full_disk_hear_503_and_nothing_stored_is_missing(world: World) -> None:
    """Twenty webhooks at once, room for some of the batches: 200 means stored, 503 means not, later ones work."""
    store = world.appliance.store
    await limit_pages(store, 12)
    sids = [f"SM{number:032d}" for number in range(20)]

    answers = await asyncio.gather(*(post(world, message(sid, "á" * 3_000)) for sid in sids))

    said = {sid for sid, (status, _) in zip(sids, answers, strict=True) if status == 200}
    assert {status for status, _ in answers} <= {200, 503}
    assert len(said) < 20
    assert set(await world.column("SELECT sid FROM messages")) == said
    assert not world.appliance.stopping.is_set()
    await limit_pages(store, None)
    assert {status for status, _ in [await post(world, message(sid)) for sid in sids]} == {200}
    assert set(await world.column("SELECT sid FROM messages")) == set(sids)


async def test_an_io_error_at_the_commit_stops_the_appliance(world: World) -> None:
    """A failed COMMIT means "maybe": 503, no more trust in the connection, and the process is to end."""
    store = world.appliance.store
    await store.write(put("before"))
    with no_file_may_grow(store):
        status, _ = await post(world, message("SM" + "1" * 32))

    assert status == 503
    assert world.appliance.stopping.is_set()
    assert isinstance(world.appliance.fault, StorageBrokenError)
    status, _ = await post(world, message("SM" + "2" * 32))
    assert status == 503
    await world.stop()
    await world.start()
    assert await world.column("SELECT sid FROM messages") == []
    assert (await post(world, message("SM" + "1" * 32)))[0] == 200


async def test_a_start_that_waits_for_space_says_so_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would log each try, every two seconds, on the disk that is full."""
    whole, tries = Box.put, iter(range(6))

    def put(self: Box, fact: Fact, value: str | int, account: str = MAIN) -> None:
        if fact == Fact.OPENED_AT and next(tries, None) is not None:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        whole(self, fact, value, account)

    monkeypatch.setattr(opening, "AGAIN", 0.01)
    monkeypatch.setattr(Box, "put", put)
    await world.stop()
    with capture_logs() as logs:
        await world.start()

    errors = [entry["event"] for entry in logs if entry["log_level"] == "error"]
    assert errors == ["cannot store anything, every webhook gets 503"]


async def test_after_an_io_error_nothing_more_is_written(store: Store) -> None:
    """What had gathered behind the failed batch is not tried on a connection that cannot be trusted."""
    loop = asyncio.get_running_loop()
    late: list[asyncio.Task[None]] = []

    def write_and_let_others_gather(tx: Tx) -> None:
        put("a", PADDING)(tx)
        asyncio.run_coroutine_threadsafe(_start(), loop).result()

    async def _start() -> None:
        late.append(asyncio.create_task(store.write(lambda tx: None)))
        await asyncio.sleep(0)

    with no_file_may_grow(store), pytest.raises(StorageBrokenError):
        await store.write(write_and_let_others_gather)
    with pytest.raises(StorageBrokenError):
        await late[0]


async def test_a_checkpoint_without_space_holds_nobody_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log cannot be copied into the file: the units behind it are written all the same."""

    async def fail() -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(store._writer, "_after", fail)

    async with asyncio.timeout(5):
        await gather(store, [put("a"), put("b")])
    assert await keys(store) == {"first", "a", "b"}


async def test_a_cancelled_caller_leaves_no_transaction_open(store: Store) -> None:
    """Its unit is committed all the same, and the next one works."""
    task = asyncio.create_task(store.write(put("a")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    await store.write(put("b"))

    assert await keys(store) == {"a", "b"}


async def test_a_second_process_is_refused_in_one_sentence(store: Store) -> None:
    """The lock is held for life and names its holder."""
    with pytest.raises(AlreadyRunningError, match=r"^Another appliance \(process \d+\) is using .*; stop it first\.$"):
        await Store.open(store.directory, SystemClock())
    await store.write(put("still works"))


async def test_the_lock_is_free_again_after_a_failed_start(tmp_path: Path) -> None:
    """A database that cannot be opened keeps nobody out once it is mended."""
    (tmp_path / database.FILE_NAME).write_bytes(b"not a database" * 100)
    with pytest.raises(DatabaseError):
        await Store.open(tmp_path, SystemClock())
    (tmp_path / database.FILE_NAME).unlink()

    await (await Store.open(tmp_path, SystemClock())).close()


async def test_every_pragma_is_in_force(store: Store) -> None:
    """Durability is a PRAGMA that SQLite may ignore silently: read back from the writer's own connection."""
    found = await store._run(
        lambda connection: {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in database._WRITER_PRAGMAS
        }
    )
    assert found == database._WRITER_PRAGMAS
    assert (found["synchronous"], found["journal_mode"], found["wal_autocheckpoint"]) == (2, "wal", 0)


async def test_the_reader_cannot_write(store: Store) -> None:
    """A page that reads never changes anything."""
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await store.read(put("a"))


async def test_a_reader_that_stays_too_long_is_interrupted(store: Store) -> None:
    """Longer readers would keep the log from being reset; the next reading works."""
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        await store.read(lambda tx: tx.sql.value(endless), limit=0.05)
    assert await store.read(lambda tx: tx.sql.value("SELECT 1")) == 1


async def test_everything_in_the_directory_is_private(store: Store) -> None:
    """Customers' words are nobody else's business: directory 0700, files 0600."""
    assert store.directory.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in store.directory.iterdir()} == {0o600}
