"""The list of conversations and a thread cost the same after a thousand and after a hundred thousand messages."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.config import Config
from appliance.operations.correspondents import Listing, listing
from appliance.operations.threads import Thread, thread
from appliance.operations.transcript import PAGE, Reader
from appliance.store import Store, Tx
from appliance.store.database import FILE_NAME
from appliance.store.sql import Sql
from tests.store.test_query_cost import LARGE, SMALL, TOLERANCE, cost, statements
from tests.support import years

NOW = 1_800_025_200_000
READER = Reader(1, "en", Config())


async def filled(directory: Path, count: int) -> Tx:
    """A raw connection to years of a shop."""
    await (await Store.open(directory, SystemClock())).close()
    path = directory / FILE_NAME
    with sqlite3.connect(path) as connection:
        connection.executescript("""
            INSERT INTO organizations (id, name, language, timezone, created_at) VALUES (1, 'P', 'en', 'UTC', 1);
            INSERT INTO channels (id, organization_id, address, created_at, watermark_at) VALUES (1, 1, '+5511', 1, 1);
        """)
    years.fill(path, count, NOW)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return Tx(Sql(connection, lambda: NOW))


def one_customers(tx: Tx) -> None:
    """All that was ever said was said with one."""
    tx.sql._connection.executescript("""
        PRAGMA foreign_keys = 0;
        UPDATE messages SET contact_id = 1; UPDATE outbox SET contact_id = 1; UPDATE conversations SET contact_id = 1;
        UPDATE conversations SET is_newest = id = (SELECT max(id) FROM conversations);
    """)


def last(tx: Tx) -> int:
    found: int = tx.sql.value("SELECT max(id) FROM conversations")
    return found


def first_page(tx: Tx) -> Listing:
    return listing(tx, 1, limit=10)


def second_page(tx: Tx) -> Listing:
    newest = tx.threads.recent(1, None, 20)[-1]
    return listing(tx, 1, before="{}-{}".format(*newest.place), limit=5)


def opened(tx: Tx) -> Thread:
    return thread(tx, last(tx), READER)


def read_on(tx: Tx) -> Thread:
    newest = opened(tx)
    return thread(tx, last(tx), READER, newest.older) if newest.older else newest


@pytest.mark.parametrize("spread", ["many customers", "one customer"])
async def test_pages_cost_the_same_whatever_is_stored(tmp_path: Path, spread: str) -> None:
    """A hundred times the messages, the same steps: of the list, of a thread, and of what is older in both."""
    small, large = await filled(tmp_path / "small", SMALL), await filled(tmp_path / "large", LARGE)
    works: list[Callable[[Tx], object]] = [first_page, opened, read_on]
    if spread == "one customer":
        one_customers(small)
        one_customers(large)
    else:
        works.append(second_page)
    try:
        for work in works:
            before, after = cost(small, work), cost(large, work)
            assert after <= before * TOLERANCE, f"{work.__name__}: {before} steps became {after}"
        assert len(opened(large).messages) == PAGE
    finally:
        for tx in (small, large):
            tx.sql._connection.close()


async def test_a_search_looks_at_so_much_and_no_more(tmp_path: Path) -> None:
    """Ten times the messages beyond the bounds, the same steps; it says how far it looked."""
    small, large = await filled(tmp_path / "small", 10 * SMALL), await filled(tmp_path / "large", LARGE)

    def search(tx: Tx) -> Listing:
        return listing(tx, 1, query="horário 98765")

    def number(tx: Tx) -> Listing:
        return listing(tx, 1, query="(11) 90000-0001")

    try:
        # Ten thousand messages are of 250 customers, a hundred thousand of 2,500: names are looked at up to 2,000.
        names = cost(large, lambda tx: tx.threads.names(1, 2_001)) - cost(small, lambda tx: tx.threads.names(1, 2_001))
        assert cost(large, search) <= cost(small, search) * TOLERANCE + 2 * names
        assert cost(large, number) <= cost(small, number) * TOLERANCE + 2 * names
        assert search(large).since is not None and search(large).people == 2_000
        assert [each.address for each in number(large).entries] == ["+5511900000001"]
    finally:
        for tx in (small, large):
            tx.sql._connection.close()


async def test_no_page_reads_a_whole_table(tmp_path: Path) -> None:
    """Every statement of the pages finds its rows by an index or by their numbers."""
    tx = await filled(tmp_path, 100)
    try:
        with statements(tx) as made:
            first_page(tx)
            second_page(tx)
            opened(tx)
            listing(tx, 1, query="horário")
            listing(tx, 1, query="+55 11 90000-0001", show="trouble")
        plans = {each: tx.sql.all(f"EXPLAIN QUERY PLAN {each}") for each in dict.fromkeys(made)}
        large = (
            "messages",
            "outbox",
            "conversations",
            "contacts",
            "message_queue",
            "cards",
            "delivery_events",
            " m",
            " o",
            " v",
            " c",
        )
        scans = [
            (each, row["detail"])
            for each, rows in plans.items()
            for row in rows
            if row["detail"].startswith("SCAN")
            and row["detail"].removeprefix("SCAN").split()[0] in {name.strip() for name in large}
            and "INDEX" not in row["detail"]
        ]
        assert scans == []
    finally:
        tx.sql._connection.close()
