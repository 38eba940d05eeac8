"""Every fault made for real against the running process: told within 90 seconds, once, and taken back.

LAB_TABLE runs all of them, so many side by side, and prints the table; else a few.
"""

import asyncio
import os
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.faults.small_disk import SmallDisk, needs_root, small_disk
from tests.support.box import ANSWER
from tests.support.certificates import needs_openssl
from tests.trouble.faults import FAULTS, Fault
from tests.trouble.stand import Stand, with_tls

LIMIT = 90.0  # seconds
ALL = "LAB_TABLE" in os.environ
SIDE_BY_SIDE = int(os.environ.get("LAB_TABLE", "4"))
ONLY = os.environ.get("LAB_ONLY", "")  # faults with this in their names
QUICK = ("20003", "port closed", "public_url: another host", "disk nearly full")
CUSTOMERS = 5
HINTS = {"nothing_yet", "no_knowledge", "no_backup"}


@dataclass(frozen=True)
class Row:
    fault: str
    card: str
    seconds: float
    alerted: float
    closed: float
    status: str
    exit_code: int
    logged: str
    answered: str


async def tried(fault: Fault, directory: Path) -> Row:
    directory.mkdir()
    with small_disk(directory / "data", 400) if fault.card == "disk" else nullcontext() as disk:
        return await told(fault, directory, disk)


async def told(fault: Fault, directory: Path, disk: SmallDisk | None) -> Row:
    async with Stand(directory, model=fault.model) as stand:
        stand.disk = disk
        if fault.name.startswith("certificate"):
            await with_tls(stand, directory)
        await stand.start()
        await stand.write()
        await stand.until_sent(1)
        await fault.breaks(stand)
        began = time.monotonic()
        await stand.write(CUSTOMERS)
        seconds, card = await stand.until(bool, fault.card)
        assert card is not None
        while not stand.ears.alerts:
            await asyncio.sleep(0.2)
            assert time.monotonic() - began < LIMIT
        alerted = stand.ears.alerts[0].at - began
        exit_code, shown = await stand.run("status")
        await stand.write(CUSTOMERS)
        await asyncio.sleep(20)
        assert set(await stand.kinds()) - HINTS == {fault.card}
        assert len(stand.ears.alerts) == 1, stand.ears.alerts
        assert stand.ears.alerts[0].title.endswith(card["title"])
        lines = [line for line in stand.lines("warning", "error") if "error" in line]
        logged = next((line for line in lines if line["event"] != "webhook refused"), {})
        assert logged
        await fault.mends(stand)
        closed = await closes(stand, fault)
        answered = await everybody(stand, fault)
        return Row(
            fault.name,
            card["title"],
            seconds,
            alerted,
            closed,
            first(shown),
            exit_code,
            str(logged.get("error")),
            answered,
        )


async def closes(stand: Stand, fault: Fault) -> float:
    """Seconds from the repair on; what a webhook closes has one."""
    if fault.card in ("signature", "unheard"):
        await stand.write()
    return (await stand.until(lambda card: card is None, fault.card))[0]


async def everybody(stand: Stand, fault: Fault) -> str:
    """Each customer once, by the owner's one command where the provider had failed."""
    if fault.model:
        await stand.run("dead-letters", "retry", "--all")
    began = time.monotonic()
    while time.monotonic() - began < LIMIT:
        answers = [entry.recipient for entry in stand.twilio.ledger if entry.body.startswith(ANSWER[:10])]
        if len(set(answers)) == stand.customers:
            assert len(answers) == stand.customers
            return f"{len(answers)} of {stand.customers}"
        await asyncio.sleep(0.5)
    raise AssertionError(f"{fault.name}: {len(set(answers))} of {stand.customers} were answered")


def first(shown: str) -> str:
    return shown.strip().splitlines()[0]


@pytest.mark.slow
@needs_openssl
@needs_root
async def test_every_fault_is_told_once_and_takes_itself_back(tmp_path: Path) -> None:
    """None later than 90 s, none silent, one card and one alert however many customers, everybody answered afterwards."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)
    chosen = [fault for fault in FAULTS if ONLY in fault.name and (ALL or fault.name in QUICK)]
    rows: dict[str, Row | BaseException] = {}

    async def one(number: int, fault: Fault) -> None:
        async with room:
            try:
                rows[fault.name] = await tried(fault, tmp_path / str(number))
            except Exception as error:
                rows[fault.name] = error

    await asyncio.gather(*(one(number, fault) for number, fault in enumerate(chosen)))
    for row in rows.values():
        print(row)
    failed = {name: row for name, row in rows.items() if isinstance(row, BaseException)}
    assert not failed
    for row in rows.values():
        assert isinstance(row, Row)
        assert max(row.seconds, row.alerted, row.closed) <= LIMIT, row
        assert row.exit_code == 1
