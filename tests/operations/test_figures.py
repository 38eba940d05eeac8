"""The day in figures: against a scene with known times, of one organization, at a cost that does not grow."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.model import HOUR, SECOND, OutboxState
from appliance.notices.sentences import Reader
from appliance.operations import faults, figures
from appliance.operations.attention import needs
from appliance.operations.figures import Day, within
from appliance.operations.organizations import Registration, register_organization
from appliance.store import Store, Tx
from appliance.store.cards import BOX, CardKind, conversation
from appliance.store.database import FILE_NAME
from appliance.store.sql import Sql
from tests.store.test_query_cost import LARGE, SMALL, TOLERANCE, cost
from tests.support.world import SMS
from tests.support.years import fill

BEGAN = 1_796_007_600_000  # 30 November 2026, midnight in São Paulo
OTHER = "+551140000009"


async def two(directory: Path, count: int = 0) -> Tx:
    """A raw connection to a database with two organizations, and so many messages of the first."""
    clock = SystemClock()
    store = await Store.open(directory, clock)
    for name, address in (("Padaria", SMS), ("Florista", OTHER)):
        registration = Registration(name, [address], f"{name}@example.com")
        await store.write(lambda tx, registration=registration: register_organization(tx, registration))  # type: ignore[misc]
    await store.close()
    if count:
        fill(directory / FILE_NAME, count, clock.now())
    connection = sqlite3.connect(directory / FILE_NAME, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return Tx(Sql(connection, clock.now))


def tell(tx: Tx, owner: int, at: int, after: int | None, state: str = "read", *, suppressed: str | None = None) -> None:
    """A message that came in at a time, and had its answer after so many ms; None: it has none."""
    number = tx.sql.value("SELECT count(*) FROM messages") + 1
    contact = tx.sql.insert("contacts", channel_id=owner, address=f"+55119{number:08}", created_at=at)
    talk = tx.conversations.insert(owner, owner, contact, f"lane {number}", at)
    reply = None
    if after is not None:
        reply = tx.outbox.insert(
            body="a",
            organization_id=owner,
            channel_id=owner,
            contact_id=contact,
            conversation_id=talk.id,
            kind="answer",
        )
        tx.outbox.update(reply, state=state, created_at=at, sent_at=at + after)
    tx.sql.insert(
        "messages", sid=f"SM{number}", organization_id=owner, contact_id=contact, conversation_id=talk.id, body="b",
        media="[]", message_type="text", parameters="[]", source="webhook", received_at=at, reply_id=reply,
        suppressed=suppressed,
    )  # fmt: skip


async def test_the_figures_of_a_known_day(tmp_path: Path) -> None:
    """Twenty answers within 1 to 20 s at nine, one after a minute at ten; what needs none, waits or failed is no answer;
    yesterday and the other organization are left out.
    """
    tx = await two(tmp_path)
    nine, ten = BEGAN + 9 * HOUR, BEGAN + 10 * HOUR
    tell(tx, 1, BEGAN - 1, 5 * SECOND)
    for second in range(1, 21):
        tell(tx, 1, nine + second, second * SECOND, "delivered" if second % 2 else "read")
    tell(tx, 1, ten, 60 * SECOND - 300, "sent")
    tell(tx, 1, ten, None)
    tell(tx, 1, ten, None, suppressed="needs no reply")
    tell(tx, 1, ten, 4 * SECOND, "failed")
    tell(tx, 1, ten, 4 * SECOND, "doubt")
    tell(tx, 2, ten, 1)

    found = figures.day(tx, 1, BEGAN)

    assert (found.received, found.answered, found.half, found.most) == (25, 21, 11, 20)
    assert [(each.hour, each.received, each.answered, each.half, each.most) for each in found.hours] == [
        (9, 20, 20, 10, 19),
        (10, 5, 1, 60, 60),
    ]
    assert found.replies == {"read": 10, "delivered": 10, "sent": 1, "unsure": 1, "failed": 1}
    assert tx.figures.waiting(1) == (2, 2)
    other = figures.day(tx, 2, BEGAN)
    assert (other.received, other.answered, other.half) == (1, 1, 1)
    assert figures.day(tx, 1, ten + HOUR) == Day(ten + HOUR, 0, 0, None, None, [], dict.fromkeys(found.replies, 0))


@pytest.mark.parametrize(
    ("waits", "half", "most"),
    [({}, None, None), ({3: 1}, 3, 3), ({1: 1, 9: 1}, 1, 9), ({1: 19, 9: 1}, 1, 1), ({1: 18, 9: 2}, 1, 9)],
)
def test_a_percentile_is_a_value_that_was_there(waits: dict[int, int], half: int | None, most: int | None) -> None:
    """By nearest rank: so many of a hundred had their answer within it."""
    assert (within(Counter(waits), 50), within(Counter(waits), 95)) == (half, most)


def test_every_state_of_a_reply_has_its_fate() -> None:
    """But for what was withdrawn, or is not on its way to the customer yet."""
    told = {state for states in figures.FATES.values() for state in states}

    assert set(OutboxState) - told == {
        OutboxState.READY, OutboxState.SENDING, OutboxState.SUPERSEDED, OutboxState.SUPPRESSED,
    }  # fmt: skip


def _needs(tx: Tx) -> None:
    needs(tx, 1, Reader("en", "UTC", tx.now), lambda name, address: name or address, 8, sees_box=True)


QUESTIONS: dict[str, Callable[[Tx], object]] = {
    "today": lambda tx: figures.day(tx, 1, tx.now - 12 * HOUR),
    "waiting": lambda tx: tx.figures.waiting(1),
    "faults": lambda tx: faults.of_organization(tx, 1),
    "first": lambda tx: tx.figures.is_untouched(1),
    "needs": _needs,
    "webhook": lambda tx: tx.figures.last_webhook(),
    "queue": lambda tx: tx.counts.queue(),
    "oldest": lambda tx: tx.counts.oldest_waiting(),
    "letters": lambda tx: tx.letters.page(None, 50),
    "doubts": lambda tx: tx.history.unsure_in_the_box(50),
    "orphans": lambda tx: tx.history.orphaned_numbers_in_the_box(1_000),
    "cards": lambda tx: tx.cards.counted_in_the_box(),
}


async def test_what_home_and_engine_room_ask_costs_the_same(tmp_path: Path) -> None:
    """Twenty times the messages, jobs that are done, and cards that are closed: the same steps for each question."""
    spent: list[dict[str, int]] = []
    for count in (5 * SMALL, LARGE):  # a block of ids more than one is looked through in both
        tx = await two(tmp_path / str(count), count)
        tx.sql.run(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO message_queue (kind, resource, status, run_at, created_at) "
            "SELECT 'send_reply', '', 'done', 0, 0 FROM n",
            count,
        )
        tx.sql.run(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO cards "
            "(organization_id, kind, subject, text, opened_at, last_at, closed_at) SELECT 1, 'waiting', i, '', 0, 0, 0 "
            "FROM n",
            count,
        )
        tx.cards.open(CardKind.WAITING, conversation(5), 1, who="…1234", why="asks for a person")
        tx.cards.open(CardKind.DISK, BOX, None, free=100, needed=200)
        spent.append({name: cost(tx, ask) for name, ask in QUESTIONS.items()})

    small, large = spent
    assert {name: (small[name], large[name]) for name in QUESTIONS if large[name] > TOLERANCE * small[name] + 50} == {}
