"""What no card can tell, as the process does not run or Twilio's console alone knows it: said by `status` and `check`."""

import json
import os
import sys
import time
from asyncio.subprocess import STDOUT, create_subprocess_exec
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import SMS
from tests.trouble.stand import Stand

pytestmark = pytest.mark.slow
LIMIT = 90.0  # seconds


async def findings(stand: Stand) -> list[dict[str, Any]]:
    """What `check --online` has against this box."""
    _, shown = await stand.run("check", "--online", "--json")
    return [found for found in json.loads(shown)["findings"] if found["ok"] is False]


async def test_stopped(tmp_path: Path) -> None:
    """By kill -9: since when, and exit status 1, at once."""
    async with Stand(tmp_path) as stand:
        await stand.start()
        await stand.write()
        await stand.until_sent(1)
        await stand.kill()
        began = time.monotonic()
        code, shown = await stand.run("status")
        told = json.loads((await stand.run("status", "--json"))[1])

        assert code == 1
        assert shown.startswith("Not running since ")
        assert (told["running"], told["started_at"]) == (False, None)
        print("told: stopped", round(time.monotonic() - began, 1))
        await stand.start()
        assert (await stand.run("status"))[1].startswith("All is well.") or await stand.kinds()


async def test_without_a_configuration(tmp_path: Path) -> None:
    """Where it was looked for, and exit status 78."""
    process = await create_subprocess_exec(
        sys.executable,
        "-m",
        "appliance",
        "status",
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        stdout=-1,
        stderr=STDOUT,
    )
    shown = (await process.communicate())[0].decode()

    assert process.returncode == 78
    assert "/etc/appliance/config.toml" in shown
    assert "Permission denied" not in shown


async def test_no_organization(tmp_path: Path) -> None:
    """A box of which nobody has made anything yet; the card goes when one is registered."""
    async with Stand(tmp_path) as stand:
        for name in ("appliance.db", "appliance.db-wal", "appliance.db-shm"):
            (tmp_path / "data" / name).unlink(missing_ok=True)
        await stand.start()
        seconds, card = await stand.until(bool, "no_organization")
        assert card is not None
        code, shown = await stand.run("status")
        await stand.command("org", "register", "Padaria", "--channel", SMS, "--user", "a@example.com")
        closed, _ = await stand.until(lambda found: found is None, "no_organization")

        assert code == 1
        assert "appliance org register" in shown
        assert max(seconds, closed) <= LIMIT
        print(f"told: no organization after {seconds:.1f} s, closed after {closed:.1f} s")


async def test_what_twilios_console_alone_knows(tmp_path: Path) -> None:
    """A hook by GET works, so nothing but `check --online` tells of it; so it is with a fallback URL. `--fix` mends both."""
    async with Stand(tmp_path) as stand:
        await stand.start()
        before = {found["kind"] for found in await findings(stand)}
        stand.twilio.settings.of(SMS).method = "GET"
        by_get = {found["kind"] for found in await findings(stand)} - before
        await stand.write()
        await stand.until_sent(1)
        stand.twilio.settings.of(SMS).method = "POST"
        stand.twilio.settings.of(SMS).fallback = "https://elsewhere.example.com/sms"
        fallback = {found["kind"] for found in await findings(stand)} - before
        stand.twilio.settings.of(SMS).url = "https://elsewhere.example.com/sms"
        unset = {found["kind"] for found in await findings(stand)} - before - fallback
        await stand.run("check", "--online", "--fix", "--yes")

        assert by_get and fallback and unset
        assert {found["kind"] for found in await findings(stand)} <= before
        print("told by check --online:", by_get, fallback, unset)
