"""The newest copy: whether it is there, opens and is young. Nothing touches it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.store import backup
from tests.diagnosis.scene import Checks
from tests.support.world import World


def copy_of(world: World) -> Path:
    found = backup.newest(world.config.storage.directory)
    assert found is not None
    return found


async def test_a_copy_that_opens(checks: Checks, world: World) -> None:
    """It is only read."""
    copy = copy_of(world)
    before = (copy.stat().st_mtime_ns, [each.name for each in copy.parent.iterdir()])
    found = await checks.one("backup")

    assert (found["ok"], found["values"]) == (True, {"file": copy.name, "hours": 0})
    assert (copy.stat().st_mtime_ns, [each.name for each in copy.parent.iterdir()]) == before


async def test_no_copy(checks: Checks, world: World) -> None:
    """One is made by the command that is named."""
    copy_of(world).unlink()
    found = await checks.one("backup_none")
    made = await checks.line(*found["fix"].split()[1:])

    assert (found["ok"], made.exit_code, await checks.bad()) == (False, 0, [])


async def test_a_copy_that_does_not_open(checks: Checks, world: World) -> None:
    """An older one that does is no comfort: the newest is what a restore would take."""
    copy = copy_of(world)
    with copy.open("r+b") as file:
        file.seek(4096)
        file.write(b"\\0" * 8192)
    found = await checks.one("backup_broken")

    assert (found["ok"], found["fix"]) == (False, "appliance backup")


async def test_a_copy_that_is_old(checks: Checks, world: World) -> None:
    """One is made every day: after two of them something keeps it from being made."""
    copy = copy_of(world)
    then = datetime.now(UTC) - timedelta(days=3, hours=1)
    copy.rename(copy.with_name(f"appliance-{then:%Y%m%d-%H%M%S}.db"))

    assert (await checks.one("backup_old"))["values"]["days"] == 3
