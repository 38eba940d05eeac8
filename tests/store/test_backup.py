"""Backups that were opened before they count, and a restored box that first asks Twilio what was sent."""

import asyncio
import errno
import resource
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from appliance import opening
from appliance.chores import Backup
from appliance.clock import SystemClock
from appliance.errors import CorruptError, DatabaseError, StorageFullError
from appliance.model import HOUR, NOTHING, JobKind
from appliance.opening import restore
from appliance.queue import worker
from appliance.queue.outcome import Dead
from appliance.simulator import Fault
from appliance.store import Store, backup
from appliance.store.box import Fact
from appliance.store.reserve import SIZE
from appliance.store.restoration import put_back
from tests.support.world import CUSTOMER, SMS, ManualClock, World

NOON = 1_800_025_200_000


async def test_a_backup_under_load_is_complete_and_verified(world: World) -> None:
    """What was acknowledged before the copy began is in it, and it opens."""
    await asyncio.gather(*(world.say(f"pergunta {n}", f"+55119{n:08}") for n in range(30)))
    load = [asyncio.create_task(world.say(f"mais {n}", f"+55118{n:08}")) for n in range(30)]

    copy = await backup.take_one(world.appliance.store.directory, 1_800_000_000_000)
    await asyncio.gather(*load)

    backup.verify(copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    store = await Store.open(_as_database(copy, world.directory / "other"), SystemClock())
    try:
        assert await store.read(lambda tx: tx.counts.received()) >= 30
    finally:
        await store.close()


def _as_database(copy: Path, directory: Path) -> Path:
    directory.mkdir()
    shutil.copy(copy, directory / "appliance.db")
    return directory


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough" * 100])
def test_a_file_that_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    """One sentence, and the present database stays where it is."""
    (tmp_path / "appliance.db").write_bytes(b"present")
    copy = tmp_path / "copy.db"
    copy.write_bytes(content)

    with pytest.raises(DatabaseError):
        put_back(copy, tmp_path, lambda: 1, lambda _tx: None)

    assert (tmp_path / "appliance.db").read_bytes() == b"present"


async def test_only_the_newest_are_kept_and_a_damaged_one_is_passed_over(world: World) -> None:
    """Seven copies; the newest that passes its check is the one to restore."""
    directory = world.appliance.store.directory
    for day in range(9):
        await backup.take_one(directory, 1_800_000_000_000 + day * 86_400_000)
    copies = sorted((directory / "backups").iterdir())
    assert len(copies) == 7

    copies[-1].write_bytes(copies[-1].read_bytes()[: 10 * 4096])

    assert backup.newest(directory) == copies[-2]


async def test_a_damaged_database_is_told_at_the_start(world: World) -> None:
    """Not trusted, not overwritten: CorruptError in one sentence."""
    await world.say("oi", CUSTOMER, SMS)
    await world.stop()
    path = world.config.storage.directory / "appliance.db"
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 30] = bytes(4096 * 27)
    path.write_bytes(content)

    with pytest.raises(CorruptError):
        await Store.open(world.config.storage.directory, SystemClock())
    path.unlink()
    await world.start()


async def test_a_damaged_database_is_replaced_by_the_newest_backup(tmp_path: Path) -> None:
    """The box starts again by itself, keeps the damaged file, and answers only after it asked Twilio."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await world.say("Qual o horário?")
        await world.settle()
        await backup.take_one(world.appliance.store.directory, clock.now())
        await world.stop()
        path = world.config.storage.directory / "appliance.db"
        path.write_bytes(b"\0" * len(path.read_bytes()))

        await world.start()
        await world.say("E agora, qual o horário?", "+5511977776666")
        await clock.advance(100, world.settle)
        assert world.sent("+5511977776666") == []
        await clock.advance(200, world.settle)

        assert len(list(world.config.storage.directory.glob("appliance.db.aside-*"))) >= 1
        assert len(world.sent()) == 1
        assert len(world.sent("+5511977776666")) == 1


async def test_a_damaged_database_without_a_backup_refuses_webhooks_and_stays_up(world: World) -> None:
    """503 and one sentence instead of a crash loop; once the file is out of the way, it goes on."""
    await world.stop()
    path = world.config.storage.directory / "appliance.db"
    path.write_bytes(b"\0" * len(path.read_bytes()))
    starting = asyncio.create_task(world.start())
    world.twilio.public_url = world.address

    async def refuses() -> bool:
        return (await world.twilio.receive(CUSTOMER, SMS, "oi"))[1] == 503

    await world.until(refuses)
    assert not starting.done()
    path.unlink()
    await starting

    assert (await world.twilio.receive(CUSTOMER, SMS, "oi"))[1] == 200


async def test_a_restored_box_sends_nothing_again(tmp_path: Path) -> None:
    """A copy of before the sends, put back: Twilio's log says what was sent, and the customers get nothing twice."""
    async with World(tmp_path, twilio={"doubt_grace": 1_000}) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        world.twilio.faults.add(Fault("create", "error", status=429, code=20429, times=None))
        customers = [f"+55119{n:08}" for n in range(10)]
        for customer in customers:
            await world.say("Qual o horário?", customer)
        await world.until(lambda: _drafts(world, 10))
        copy = await backup.take_one(world.appliance.store.directory, world.appliance.clock.now())
        world.twilio.faults.clear()
        await world.until(lambda: all(world.sent(customer) for customer in customers), 60)
        await world.stop()

        store = await restore(world.config, SystemClock(), copy)
        await store.close()
        await world.start()
        await world.settle()
        await world.until(lambda: _no_doubt(world))

        assert [len(world.sent(customer)) for customer in customers] == [1] * 10
        assert await world.dispositions() == ["answered"] * 10


async def _drafts(world: World, count: int) -> bool:
    return await world.column("SELECT count(*) FROM outbox WHERE state = 'ready'") == [count]


async def _no_doubt(world: World) -> bool:
    return await world.column("SELECT count(*) FROM outbox WHERE state IN ('doubt', 'ready', 'sending')") == [0]


async def _daily(world: World) -> None:
    """What housekeeping does once an hour, and the backup that it asks for."""
    await world.appliance.store.write(lambda tx: tx.jobs.tick(JobKind.HOUSEKEEPING))
    world.appliance.engine.bell.ring()
    await world.settle()


def _copies(world: World) -> list[Path]:
    return sorted((world.appliance.store.directory / backup.FOLDER).glob("*"))


async def test_a_backup_never_takes_the_space_that_messages_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too little space: nothing is written, one card until a later one succeeds, and messages come in."""
    monkeypatch.setattr(backup, "SIZE", 1 << 60)
    async with World(tmp_path, clock=ManualClock()) as world:
        assert isinstance(world.clock, ManualClock)
        await world.say("oi")
        for _ in range(3):
            await _daily(world)
            await world.clock.advance(3_600, world.settle)
        assert _copies(world) == []
        assert await world.told() == ["The backup failed. The reason: the disk has too little space for another copy."]
        await world.say("oi", "+5511977776666")

        monkeypatch.undo()
        await world.clock.advance(3_600, world.settle)

        assert len(_copies(world)) == 1
        assert await world.cards() == []


async def test_a_clock_that_was_ahead_stops_no_backup(world: World) -> None:
    """The last backup is dated years from now: another is taken today."""
    await world.say("oi")
    await world.settle()
    await world.appliance.store.write(lambda tx: tx.box.put(Fact.BACKUP_AT, 4_000_000_000_000))

    await _daily(world)

    await world.until(lambda: _copies(world))


async def test_what_a_killed_backup_left_is_cleared_away(world: World) -> None:
    """Halves of copies would fill a small disk."""
    directory = world.appliance.store.directory
    half = backup.target(directory, 1_700_000_000_000).with_suffix(".db.part")
    half.write_bytes(b"half")

    await backup.take_one(directory, world.appliance.clock.now())

    assert not half.exists()
    assert len(_copies(world)) == 1


async def test_a_backup_that_dies_is_a_card(world: World) -> None:
    """Whatever ends its job, the owner hears of it."""
    await world.appliance.store.write(lambda tx: tx.jobs.tick(JobKind.BACKUP))
    (job,) = await world.appliance.store.read(lambda tx: tx.jobs.due(NOTHING, 1))
    handler = Backup(world.appliance.store, world.appliance.clock)

    outcome = handler.give_up(job, "internal error")
    assert isinstance(outcome, Dead)
    await world.appliance.store.write(outcome.effects)

    assert await world.told() == ["The backup failed. The reason: internal error."]


async def test_a_disk_too_full_for_a_restoration_is_a_full_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """StorageFullError, for which a start waits; the present database stays. A limit stands for the disk's end."""
    monkeypatch.setattr(opening, "NO_SPACE", (errno.EFBIG,))
    await backup.take_one(world.appliance.store.directory, world.appliance.clock.now())
    (copy,) = _copies(world)
    await world.stop()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (copy.stat().st_size // 2, before[1]))
    try:
        with pytest.raises(StorageFullError):
            await restore(world.config, SystemClock(), copy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    await world.start()
    assert await world.column("SELECT count(*) FROM organizations") == [1]
    assert not list(copy.parents[1].glob("appliance.db.*"))


async def test_a_full_card_keeps_fewer_copies_and_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room for three copies: the oldest go, the newest is of today."""
    directory = world.appliance.store.directory

    def usage(folder: Path) -> Any:
        database = sum(file.stat().st_size for file in directory.glob("appliance.db*"))
        return SimpleNamespace(free=SIZE + (3 - len(list(Path(folder).glob("appliance-*.db")))) * database)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    for day in range(6):
        newest = await backup.take_one(directory, NOON + day * 24 * HOUR)

    assert _copies(world)[-1] == newest
    assert len(_copies(world)) == 3


async def test_a_copy_that_takes_long_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than any other job may take: it is done at its first attempt."""
    begun, let_go = threading.Event(), threading.Event()

    def slowly(*_arguments: Any) -> None:
        begun.set()
        assert let_go.wait(20)

    monkeypatch.setattr(worker, "LONGEST_JOB", 50)
    monkeypatch.setattr(backup, "keep_one", slowly)
    await world.appliance.store.write(lambda tx: tx.jobs.tick(JobKind.BACKUP))
    world.appliance.engine.bell.ring()
    await asyncio.to_thread(begun.wait, 10)
    await asyncio.sleep(0.2)
    let_go.set()
    await world.settle()

    done = "SELECT status, attempts FROM message_queue WHERE kind = 'backup' ORDER BY id DESC LIMIT 1"
    assert [tuple(row.values()) for row in await world.rows(done)] == [("done", 1)]
