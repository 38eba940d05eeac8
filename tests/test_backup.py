"""Backups that were opened before they count, and a restored box that first asks Twilio what was sent."""

import asyncio
import shutil
from pathlib import Path

import pytest
from world import CUSTOMER, SMS, World

from appliance.clock import SystemClock
from appliance.errors import CorruptError, DatabaseError
from appliance.opening import restore
from appliance.simulator import Fault
from appliance.store import Store, backup
from appliance.store.restoration import put_back


async def test_a_backup_under_load_is_complete_and_verified(world: World) -> None:
    """What was acknowledged before the copy began is in it, and it opens."""
    await asyncio.gather(*(world.say(f"pergunta {n}", f"+55119{n:08}") for n in range(30)))
    load = [asyncio.create_task(world.say(f"mais {n}", f"+55118{n:08}")) for n in range(30)]
    copy = backup.target(world.appliance.store.directory, 1_800_000_000_000)

    await asyncio.to_thread(backup.take, world.appliance.store.path, copy)
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
        await asyncio.to_thread(
            backup.take, world.appliance.store.path, backup.target(directory, 1_800_000_000_000 + day * 86_400_000)
        )
    backup.prune(directory)
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


async def test_a_damaged_database_is_replaced_by_the_newest_backup(world: World) -> None:
    """The box starts again by itself, keeps the damaged file, and answers only after it asked Twilio."""
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    await world.say("Qual o horário?")
    await world.settle()
    await asyncio.to_thread(backup.keep_one, world.appliance.store.directory, world.appliance.clock.now())
    await world.stop()
    path = world.config.storage.directory / "appliance.db"
    path.write_bytes(b"\0" * len(path.read_bytes()))

    await world.start()
    await world.say("E agora, qual o horário?", "+5511977776666")
    await world.settle()

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
        copy = await asyncio.to_thread(backup.keep_one, world.appliance.store.directory, world.appliance.clock.now())
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
