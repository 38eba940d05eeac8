"""How the last holder of the storage directory ended, as its lock tells it."""

import os
from pathlib import Path

from appliance.clock import SystemClock
from appliance.store import Store
from appliance.store.lock import Lock


async def had(directory: Path, *, takes_up: bool = True, dies: bool = False) -> bool:
    """One process has the store; whether it was told of a death."""
    store = await Store.open(directory, SystemClock())
    told = store.was_left_by_a_death
    if takes_up:
        store.taken_up()
    name = (directory / "lock").read_bytes()
    await store.close()
    if dies:  # as it stays when nobody closes anything
        (directory / "lock").write_bytes(name)
    return told


async def test_a_death_is_told_to_the_next_one(tmp_path: Path) -> None:
    """The first start knows of none; after an end in order there is none; after a kill there is one, once."""
    assert not await had(tmp_path)
    assert not await had(tmp_path, dies=True)
    assert await had(tmp_path)
    assert not await had(tmp_path)


async def test_a_command_in_between_does_not_hide_it(tmp_path: Path) -> None:
    """Whoever takes up nothing of what was left passes the news on; so does one that dies."""
    await had(tmp_path, dies=True)
    assert await had(tmp_path, takes_up=False)
    assert await had(tmp_path, takes_up=False, dies=True)
    assert await had(tmp_path)
    assert not await had(tmp_path)


def test_the_number_of_an_older_version_counts_as_a_death(tmp_path: Path) -> None:
    """It left its number at every end; what it left is judged as it was then."""
    (tmp_path / "lock").write_text("1234567890\n")
    lock = Lock(tmp_path)
    lock.take()

    assert lock.tells_of_death
    assert int((tmp_path / "lock").read_text()) == os.getpid()
    lock.release()
