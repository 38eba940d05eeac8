"""Claim, end and enqueue cost the same with a thousand and a hundred thousand jobs, counted in SQLite's VM steps."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.model import HOUR, Job, JobKind, JobStatus, OutboxState, ai_resource
from appliance.queue.ready import ready
from appliance.store import Store, Tx
from appliance.store.database import FILE_NAME
from appliance.store.sql import Sql
from appliance.wire import InboundMessage

SMALL, LARGE = 1_000, 100_000
TOLERANCE = 1.5  # a B-tree one level deeper

_ROWS = """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO message_queue (kind, lane, resource, status, run_at, finished_at, created_at)
    SELECT 'process_ai_response', {lane}, {resource}, {status}, {run_at}, 0, 0 FROM n
"""
PLAIN = {"lane": "'lane ' || i", "resource": "'ai:1'", "status": "'ready'", "run_at": "i"}
SHAPES: dict[str, dict[str, str]] = {
    "distinct lanes": {},
    "one lane": {"lane": "'lane'", "status": "iif(i = 1, 'ready', 'done')"},
    "all in the future": {"run_at": str(2**50)},
    "all done": {"status": "'done'"},
    "all dead": {"status": "'dead'"},
}


async def with_rows(directory: Path, shape: str, count: int) -> Tx:
    """A raw connection to a database with so many jobs."""
    await (await Store.open(directory, SystemClock())).close()
    connection = sqlite3.connect(directory / FILE_NAME, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = 0")
    connection.execute(_ROWS.format(**PLAIN | SHAPES[shape]), (count,))
    connection.execute(
        "INSERT INTO message_queue (kind, lane, resource, status, run_at, created_at, run, attempts) "
        "VALUES ('send_reply', 'a running lane', '', 'running', 0, 0, 1, 1)"
    )
    return Tx(Sql(connection, SystemClock().now))


async def with_answers(directory: Path, count: int) -> Tx:
    """A raw connection to a database with so many delivered answers."""
    tx = await with_rows(directory, "all done", 1)
    connection = tx.sql._connection
    connection.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO outbox (organization_id, channel_id, contact_id, kind, body, body_hash, state, created_at) "
        "SELECT 1, 1, 1, 'answer', '', x'', 'delivered', 0 FROM n",
        (count,),
    )
    return tx


@contextmanager
def counted(tx: Tx) -> Iterator[list[int]]:
    steps = [0]

    def step() -> int:
        steps[0] += 1
        return 0

    tx.sql._connection.set_progress_handler(step, 1)
    yield steps
    tx.sql._connection.set_progress_handler(None, 0)


@contextmanager
def statements(tx: Tx) -> Iterator[list[str]]:
    made: list[str] = []
    tx.sql._connection.set_trace_callback(made.append)
    yield made
    tx.sql._connection.set_trace_callback(None)


def cost(tx: Tx, work: Callable[[Tx], object]) -> int:
    """VM steps of one call; the statement is compiled before it is counted."""
    tx.sql._connection.execute("BEGIN")
    work(tx)
    tx.sql._connection.execute("ROLLBACK")
    with counted(tx) as steps:
        work(tx)
    return steps[0]


def claim(tx: Tx) -> Job | None:
    """As the worker does it: which resources, what is due, when the next falls due, start the first."""
    found = None
    for each in ready(tx, 8)[0]:
        found = tx.jobs.start(each.due[0], run=1, alone=False, deadline_at=None) if each.due else None
    return found


def enqueue(tx: Tx) -> None:
    tx.jobs.enqueue(JobKind.REPLY, lane="a new lane", resource=ai_resource(1), run_at=tx.now + HOUR)


def enqueue_again(tx: Tx) -> None:
    tx.jobs.enqueue(JobKind.REPLY, lane="lane 1", resource=ai_resource(1))


def move(tx: Tx) -> None:
    """What each message does to a reply that waits, and each row that is sent again."""
    tx.jobs.postpone_reply("lane 2", 1)
    tx.jobs.give_way("lane 3")


def bury(tx: Tx) -> None:
    """What each accepted answer asks, and each that failed."""
    tx.letters.about_row(tx.jobs.bury(JobKind.SEND, "a lane", "", None, outbox=1))


def look_for_letters(tx: Tx) -> None:
    """What each late message asks, and each dead letter that is discarded or retried."""
    tx.letters.too_late(1)
    tx.letters.in_lane("lane 2")


def end(tx: Tx) -> None:
    running = tx.jobs.in_lane("a running lane")
    assert running is not None
    assert tx.jobs.finish(running, JobStatus.DONE)


def resume(tx: Tx) -> None:
    tx.jobs.resume_the_box(crashed=True)


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_queue_costs_the_same_whatever_its_size(tmp_path: Path, shape: str) -> None:
    """A hundred times the rows, the same steps, in every shape a queue can have."""
    small, large = [await with_rows(tmp_path / str(count), shape, count) for count in (SMALL, LARGE)]
    try:
        for work in (claim, enqueue, enqueue_again, move, bury, look_for_letters, end, resume):
            before, after = cost(small, work), cost(large, work)
            assert after <= before * TOLERANCE, f"{work.__name__}: {before} steps became {after}"
    finally:
        for tx in (small, large):
            tx.sql._connection.close()


async def test_a_message_asks_once_whether_it_was_forgotten(tmp_path: Path) -> None:
    """One statement more for each message, whose cost is the same with a hundred thousand sids that outlived their rows;
    none more for the sids that catch-up knows as rows.
    """
    tx = await with_rows(tmp_path, "all done", 1)
    filled = (
        "INSERT INTO known_sids (hash) SELECT random() FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 "
    )
    try:
        empty = cost(tx, lambda tx: tx.forgotten.knows("SM1"))
        tx.sql._connection.execute(f"{filled} FROM n WHERE i < {LARGE}) SELECT i FROM n)")
        assert cost(tx, lambda tx: tx.forgotten.knows("SM1")) <= empty * TOLERANCE
        tx.messages.insert_orphan(InboundMessage("SM1", "AC1", "+1", "+2", ""), "unknown number")

        with statements(tx) as made:
            assert tx.messages.known(["SM1"]) == {"SM1"}
        assert len(made) == 1
        with statements(tx) as made:
            assert tx.messages.known(["SM1", "SM2"]) == {"SM1"}
            assert not tx.forgotten.knows("SM2")
        assert len(made) == 3
    finally:
        tx.sql._connection.close()


def look_at_doubts(tx: Tx) -> None:
    """What every start and every settling asks of the outbox."""
    assert tx.outbox.in_doubt_in_the_box() == []
    assert tx.outbox.in_state(OutboxState.SENDING) == []
    tx.times.shift_outbox(1, 0, 0)
    tx.times.predate(0)


async def test_a_long_history_of_answers_costs_nothing(tmp_path: Path) -> None:
    """A hundred times the answers that are settled, the same steps to find those that are not."""
    small, large = [await with_answers(tmp_path / str(count), count) for count in (SMALL, LARGE)]
    try:
        assert cost(large, look_at_doubts) <= cost(small, look_at_doubts) * TOLERANCE
    finally:
        for tx in (small, large):
            tx.sql._connection.close()


async def with_failures(directory: Path, count: int) -> Tx:
    """A raw connection to a database with so many answers that failed, each with its card."""
    tx = await with_answers(directory, count)
    tx.sql._connection.executescript("""
        PRAGMA foreign_keys = 0;
        UPDATE outbox SET state = 'failed';
        INSERT INTO messages (sid, organization_id, contact_id, conversation_id, body, media, message_type, parameters,
            source, received_at, reply_id) SELECT id, 1, 1, 1, '', '[]', '', '[]', 'webhook', 0, id FROM outbox;
        INSERT INTO cards (kind, subject, text, opened_at, last_at, closed_at)
            SELECT 'not_sent', 'outbox:' || id, '', 0, 0, 0 FROM outbox;
    """)
    return tx


async def test_verify_does_not_read_all_cards_for_each_message(tmp_path: Path) -> None:
    """Ten times the failures, ten times the steps: on a large file it ends, and lets go of the file."""
    small, large = [await with_failures(tmp_path / str(count), count) for count in (SMALL, 10 * SMALL)]

    def look(tx: Tx) -> None:
        assert tx.integrity.dead_without_card() == []

    try:
        assert cost(large, look) <= cost(small, look) * 10 * TOLERANCE
    finally:
        for tx in (small, large):
            tx.sql._connection.close()


async def with_messages(directory: Path, count: int, young: int) -> Tx:
    """So many messages with a delivered answer each; the last ones were received at 1000, the others at 1."""
    tx = await with_answers(directory, count)
    connection = tx.sql._connection
    connection.execute("PRAGMA foreign_keys = 0")
    connection.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
        "INSERT INTO messages (sid, organization_id, contact_id, conversation_id, body, media, message_type, parameters, "
        "source, received_at, reply_id) "
        "SELECT 'SM' || i, 1, 1, 1, '', '[]', 'text', '[]', 'webhook', iif(i > ?1 - ?2, 1000, 1), i FROM n",
        (count, young),
    )
    return tx


async def test_a_glance_costs_what_is_new(tmp_path: Path) -> None:
    """What is new today, who waits and since when do not cost what there ever was."""
    small, large = [await with_messages(tmp_path / str(count), count, young=100) for count in (3_000, 100_000)]

    def glance(tx: Tx) -> tuple[object, ...]:
        counts = tx.counts
        return (
            counts.messages_since(500),
            counts.customers_waiting(None),
            counts.oldest_waiting(),
            tx.times.last_worked(),
        )

    assert glance(small)[0] == glance(large)[0] == {"answered": 100}
    assert cost(large, glance) <= TOLERANCE * cost(small, glance)
    assert glance(small)[1:3] == (0, None)


async def test_a_statement_costs_what_is_new(tmp_path: Path) -> None:
    """What came in and went out since a time, and what was charged for it, is found without reading what there was."""
    small, large = [await with_messages(tmp_path / str(count), count, young=100) for count in (3_000, 100_000)]
    day = 24 * HOUR
    for tx in (small, large):
        tx.sql.run("UPDATE messages SET received_at = ? WHERE received_at = 1000", 3 * day)
        tx.sql.run("UPDATE outbox SET created_at = ? WHERE id > (SELECT max(id) - 100 FROM outbox)", 3 * day)

    def look(tx: Tx) -> tuple[object, ...]:
        return (
            tx.statements.received_since_in_the_box(2 * day),
            tx.statements.sent_since_in_the_box("main", 2 * day),
            tx.outbox.charges(1, 2 * day, 4 * day),
            tx.statements.differences(1, "2026-11-24", "2026-11-30"),
        )

    assert cost(large, look) <= TOLERANCE * cost(small, look)


async def test_what_was_told_late_hides_nothing_of_today(tmp_path: Path) -> None:
    """Twilio's log tells old messages among the new ones; nothing is counted for another day."""
    tx = await with_messages(tmp_path, 5_000, young=3_000)
    tx.sql.run("UPDATE messages SET received_at = 1 WHERE id BETWEEN 3001 AND 3500 OR id > 4900")
    tx.sql.run("DELETE FROM messages WHERE id BETWEEN 4001 AND 4100")

    assert tx.counts.messages_since(500) == {"answered": 3_000 - 500 - 100 - 100}
    assert tx.counts.messages_since(2_000) == {}


PAUSED = {
    "the box": "INSERT INTO pauses VALUES ('box', NULL, NULL, 0, NULL, NULL, 'x')",
    "another organization": "INSERT INTO pauses VALUES ('organization:2', 2, NULL, 0, NULL, NULL, 'x')",
    "some customers": """WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
        INSERT INTO pauses SELECT 'contact:' || i, 1, i, 0, NULL, NULL, 'x' FROM n""",
}


@pytest.mark.parametrize("paused", PAUSED)
async def test_a_pause_costs_a_claim_no_more_in_a_long_queue(tmp_path: Path, paused: str) -> None:
    """Whatever is paused, also where what is held waits longest: the steps of a claim do not grow with what waits."""
    small, large = [await with_rows(tmp_path / str(count), "distinct lanes", count) for count in (SMALL, LARGE)]
    try:
        for tx in (small, large):
            tx.sql._connection.execute("PRAGMA foreign_keys = 0")
            tx.sql._connection.execute(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO contacts "
                "(id, channel_id, address, created_at) SELECT i, 1, i, 0 FROM n"
            )
            tx.sql._connection.execute("UPDATE message_queue SET lane = '1|' || id WHERE id <= 20")
            tx.sql._connection.execute(PAUSED[paused])
        started = claim(small)
        assert (started and started.lane) == {"the box": None, "some customers": "lane 21"}.get(paused, "1|1")
        assert cost(large, claim) <= TOLERANCE * cost(small, claim)
    finally:
        for tx in (small, large):
            tx.sql._connection.close()
