"""The power goes while a copy is being put back: the old database, or the new one that trusts nothing it has not sent."""

import asyncio
import json
import os
import shutil
import sys
from contextlib import closing
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.operations.organizations import Registration, register_organization
from appliance.store import Store, Tx
from appliance.store.backup import take
from appliance.store.box import Fact
from tests.lab.faults.library import Shared, preload
from tests.lab.figures import record
from tests.support.world import CUSTOMER, SMS

pytestmark = [
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc builds the counter of system calls"),
]
ROOT = Path(__file__).parents[3]


def draft(tx: Tx) -> None:
    """One reply that waits to be sent."""
    register_organization(tx, Registration("Padaria", [SMS], "dono@example.com"))
    contact = tx.contacts.ensure(1, CUSTOMER)
    tx.outbox.insert(body="Olá", kind="answer", organization_id=1, channel_id=1, contact_id=contact.id)


async def prepare(directory: Path) -> tuple[Path, Path]:
    """A running box's files as a power cut leaves them, with its last words only in the WAL; and an older copy."""
    copy, present = directory / "copy.db", directory / "present"
    store = await Store.open(directory / "data", SystemClock())
    await store.write(draft)
    await store.write(lambda tx: tx.sql.run("INSERT INTO box VALUES ('which', 'copy')"))
    await asyncio.to_thread(take, store.path, copy)
    await store.write(lambda tx: tx.sql.run("UPDATE box SET value = 'present' WHERE key = 'which'"))
    shutil.copytree(store.directory, present)
    await store.close()
    return present, copy


async def test_a_restoration_is_one_step(tmp_path: Path) -> None:
    """Killed before any of its system calls, the next start finds one database or the other, and never unsent drafts of
    the copy that look as if they might be sent."""
    present, copy = await prepare(tmp_path)
    with closing(Shared(tmp_path / "shared")) as shared:
        environ = os.environ | preload("killer", shared) | {"PYTHONPATH": str(ROOT)}
    arguments = [shared.path, present, copy, tmp_path / "box"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.lab.faults.restoring",
        *map(str, arguments),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()

    assert process.returncode == 0
    found = [json.loads(line) for line in output.splitlines()]
    old = [facts for facts in found if facts["which"] == "present"]
    new = [facts for facts in found if facts["which"] == "copy"]
    record("interrupted restorations", kills=len(found), before=len(old), after=len(new))
    assert {(tuple(facts["states"]), Fact.RESTORED_AT in facts) for facts in old} == {(("ready",), False)}
    assert {(tuple(facts["states"]), Fact.RESTORED_AT in facts) for facts in new} == {(("doubt",), True)}
    assert len(old) + len(new) == len(found)
