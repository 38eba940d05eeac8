"""Backups that were opened before they count, and a restored box that first asks Twilio what was sent."""

import asyncio
import shutil
from pathlib import Path

import pytest
from world import CUSTOMER, SMS, World

from appliance.clock import SystemClock
from appliance.errors import CorruptError, DatabaseError
from appliance.store import Store, backup


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
        backup.put_back(copy, tmp_path, 1)

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
