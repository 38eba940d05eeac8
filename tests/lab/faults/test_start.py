"""Starts on what a dead run left: ten thousand live jobs, a damaged database, another program's database."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from appliance.config import Config, Conversations, Twilio
from appliance.inbox.intake import Received, receive
from appliance.model import HOUR, MAIN, JobKind
from appliance.store.database import FILE_NAME, configure_writer
from appliance.store.sql import Sql
from appliance.store.tx import Tx
from appliance.store.writer import BATCH_LIMIT, Unit, commit_batch
from appliance.wire import InboundMessage
from tests.lab.faults.desk import Customers, get
from tests.lab.faults.forked import ForkedBox
from tests.lab.figures import record
from tests.support.world import ACCOUNT, SMS

JOBS = 10_000
TARGET = 3.0  # seconds, on a machine that does nothing else
CONFIG = Config(
    twilio=Twilio(account_sid=ACCOUNT), conversations=Conversations(reply_delay=HOUR, reply_delay_max=2 * HOUR)
)


def crowd(place: Path, count: int) -> None:
    """So many customers wrote and none was answered yet."""
    with closing(sqlite3.connect(place, isolation_level=None)) as connection:
        configure_writer(connection)
        tx = Tx(Sql(connection, lambda: int(time.time() * 1000)))
        for first in range(0, count, BATCH_LIMIT):
            batch = [received(number) for number in range(first, min(count, first + BATCH_LIMIT))]
            assert set(commit_batch(connection, tx, batch)) == {Received.STORED}


def received(number: int) -> Unit:
    return lambda tx: receive(tx, message(number), CONFIG)


def message(number: int) -> InboundMessage:
    customer = f"+55118{number:08}"
    pairs = (("MessageSid", f"SM{number:032}"), ("From", customer), ("To", SMS), ("Body", "Qual o horário?"))
    return InboundMessage(f"SM{number:032}", ACCOUNT, customer, SMS, "Qual o horário?", parameters=pairs, account=MAIN)


async def test_it_is_ready_soon_after_a_kill_with_ten_thousand_jobs(tmp_path: Path) -> None:
    """From the start of the real process to the first webhook taken."""
    async with ForkedBox(tmp_path, reply_delay="1h") as box:
        customers = Customers(box)
        crowd(tmp_path / "data" / FILE_NAME, JOBS)
        await box.start()
        await box.kill()
        waiting = f"SELECT count(*) FROM message_queue WHERE status = 'ready' AND kind = '{JobKind.REPLY}'"
        assert box.rows(waiting) == [(JOBS,)]
        began = time.monotonic()
        await super(ForkedBox, box).start()
        listening = time.monotonic() - began
        assert await customers.write() == 200

        record(
            "start with 10,000 jobs", ready_s=round(listening, 2), first_webhook_s=round(time.monotonic() - began, 2)
        )
        assert listening < 5 * TARGET
        await box.kill()
        assert box.rows(waiting) == [(JOBS + 1,)]


async def test_a_damaged_database_keeps_the_process_up_and_webhooks_refused(tmp_path: Path) -> None:
    """No crash loop: 503 until the file is out of the way; then it goes on without a restart."""
    async with ForkedBox(tmp_path) as box:
        customers = Customers(box)
        place = tmp_path / "data" / FILE_NAME
        sound = place.read_bytes()
        place.write_bytes(b"\xff" * len(sound))
        await box.start()
        assert await customers.write() == 503
        assert [await get(box, "/healthz"), await get(box, "/readyz")] == [200, 503]
        place.write_bytes(sound)
        await customers.until_taken()

        assert box.child.returncode is None
        record("damaged database", **await customers.judge())


async def test_another_programs_database_is_refused_for_good(tmp_path: Path) -> None:
    """Exit status 78, which tells systemd that starting again cannot help; the file is not touched."""
    async with ForkedBox(tmp_path) as box:
        place = tmp_path / "data" / FILE_NAME
        place.unlink()
        with closing(sqlite3.connect(place)) as other:
            other.execute("CREATE TABLE songs (title TEXT)")
            other.commit()
        content = place.read_bytes()
        await box.launch()

        assert await box.child.wait() == 78
        assert place.read_bytes() == content
