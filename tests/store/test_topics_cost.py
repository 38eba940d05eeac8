"""The pages of topics cost the same after a thousand and after a hundred thousand messages."""

from collections.abc import Callable
from pathlib import Path

from appliance.operations import topics, unanswered
from appliance.store import Tx
from tests.store.test_query_cost import LARGE, SMALL, TOLERANCE, cost
from tests.store.test_threads_cost import NOW, filled

TITLE = "Horário"


def teach(tx: Tx) -> None:
    """Every answer was one topic's; every question was once asked in vain, and all but the newest twenty are settled."""
    tx.sql._connection.executescript(f"""
        PRAGMA foreign_keys = 0;
        UPDATE outbox SET source = '{TITLE}', kind = 'answer';
        INSERT INTO knowledge (organization_id, title, body, updated_at) VALUES (1, '{TITLE}', 'Das 7h às 19h.', 0);
        INSERT INTO unanswered (organization_id, contact_id, message_id, words, question, asked_at, settled_at)
        SELECT 1, contact_id, id, 'acucar bolo sem', 'Bolo sem açúcar?', {NOW},
               iif(id > (SELECT max(id) FROM messages) - 20, NULL, {NOW}) FROM messages;
    """)


def the_list(tx: Tx) -> object:
    organization = tx.organizations.get(1)
    assert organization is not None
    return topics.overview(tx, organization), unanswered.of_the_week(tx, organization)


def one(tx: Tx) -> object:
    organization = tx.organizations.get(1)
    assert organization is not None
    return topics.view(tx, organization, 1)


def a_lesson(tx: Tx) -> object:
    organization = tx.organizations.get(1)
    assert organization is not None
    found = unanswered.lesson(tx, organization, "Bolo sem açúcar?")
    assert found.group is not None and found.group.times == 20
    return found


def put_away(tx: Tx) -> object:
    organization = tx.organizations.get(1)
    assert organization is not None
    unanswered.settle(tx, organization, "Bolo sem açúcar?")
    return None


async def test_pages_cost_the_same_whatever_is_stored(tmp_path: Path) -> None:
    """A hundred times the messages, the same steps: of the list, a topic, what is taught, and putting it away."""
    small, large = await filled(tmp_path / "small", SMALL), await filled(tmp_path / "large", LARGE)
    works: list[Callable[[Tx], object]] = [the_list, one, a_lesson, put_away]
    try:
        for tx in (small, large):
            teach(tx)
        for work in works:
            before, after = cost(small, work), cost(large, work)
            assert after <= before * TOLERANCE, f"{work.__name__}: {before} steps became {after}"
    finally:
        for tx in (small, large):
            tx.sql._connection.close()


async def test_who_floods_costs_no_more_than_the_bound(tmp_path: Path) -> None:
    """Ten thousand open questions, each in other words: so many groups are shown, of so many of the newest."""
    tx = await filled(tmp_path, 10_000)
    try:
        teach(tx)
        tx.sql._connection.execute("UPDATE unanswered SET settled_at = NULL, words = 'words ' || id")
        organization = tx.organizations.get(1)
        assert organization is not None
        assert len(unanswered.of_the_week(tx, organization)) == unanswered.MOST
        assert cost(tx, lambda tx: unanswered.of_the_week(tx, organization)) < 400_000
    finally:
        tx.sql._connection.close()
