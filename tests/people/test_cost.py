"""Most customers have one address: for them a person costs no statement, and their history's length changes nothing."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.config import Config
from appliance.inbox.intake import receive
from appliance.model import MANUAL
from appliance.operations.organizations import Registration, register_organization
from appliance.outbox import binding, delivery
from appliance.outbox.permission import loop_guard
from appliance.people import identity
from appliance.reply import case
from appliance.reply.shelf import Shelves
from appliance.store import Store, Tx
from appliance.store.database import FILE_NAME
from appliance.store.links import BY_HAND
from appliance.store.sql import Sql
from appliance.wire import Alias, DeliveryReport, InboundMessage
from tests.people.scene import NUMBER, USER_ID
from tests.store.test_query_cost import TOLERANCE, cost
from tests.support.world import ACCOUNT, WHATSAPP

SMALL, LARGE = 1_000, 100_000
CONFIG = Config()
TAG = "0" * 16
# Statements of each unit of work before there were persons, and today.
UNITS = {"intake": 13, "case": 12, "guard": 1, "begin": 10, "callback": 19}


class Counting(Sql):
    """Counts what it is asked."""

    statements = 0

    def all(self, statement: str, *values: object) -> list[sqlite3.Row]:
        self.statements += 1
        return super().all(statement, *values)

    def run(self, statement: str, *values: object, **named: object) -> int:
        self.statements += 1
        return super().run(statement, *values, **named)


@contextmanager
def opened(directory: Path) -> Iterator[Tx]:
    connection = sqlite3.connect(directory / FILE_NAME, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        yield Tx(Counting(connection, SystemClock().now))
    finally:
        connection.close()


@pytest.fixture
async def tx(tmp_path: Path) -> Iterator[Tx]:  # type: ignore[misc]
    await (await Store.open(tmp_path, SystemClock())).close()
    with opened(tmp_path) as found:
        register_organization(found, Registration("Padaria", [WHATSAPP], "ana@example.com"))
        yield found


def counted(tx: Tx, work: Callable[[], object]) -> int:
    assert isinstance(tx.sql, Counting)
    before = tx.sql.statements
    work()
    return tx.sql.statements - before


def say(tx: Tx, number: int, sender: str = NUMBER, *aliases: Alias) -> None:
    body = InboundMessage(f"SM{number}", ACCOUNT, sender, WHATSAPP, "Oi", account="main", aliases=aliases)
    receive(tx, body, CONFIG)


def journey(tx: Tx, number: int, sender: str = NUMBER, *aliases: Alias) -> dict[str, int]:
    """Statements of a message's units of work, from the webhook to the first callback."""
    found = {"intake": counted(tx, lambda: say(tx, number, sender, *aliases))}
    job = tx.jobs.in_lane(f"1|{sender}")
    assert job is not None
    seen = case.load(tx, job, Shelves())
    assert seen is not None
    found["case"] = counted(tx, lambda: case.load(tx, job, Shelves()))
    found["guard"] = counted(tx, lambda: loop_guard(tx, seen.contact, 20))
    row_id = tx.outbox.insert(
        organization_id=1,
        channel_id=1,
        contact_id=seen.contact.id,
        conversation_id=seen.conversation.id,
        kind="answer",
        body="Olá!",
        covers=seen.message_ids,
    )
    tx.messages.claim_for(row_id, seen.message_ids)
    found["begin"] = counted(tx, lambda: delivery.begin(tx, row_id, TAG, CONFIG))
    report = DeliveryReport(
        f"{row_id}.1.{TAG}", f"SMx{row_id}", "sent", None, ACCOUNT, WHATSAPP, sender, accounts=("main",)
    )
    found["callback"] = counted(tx, lambda: binding.apply(tx, report, CONFIG))
    return found


async def test_who_has_one_address_costs_what_he_did(tx: Tx) -> None:
    """Not one statement more for a message from the webhook to the callback. An id that Twilio tells with each message
    costs one; a second address some that are bounded.
    """
    journey(tx, 1)
    assert journey(tx, 2) == UNITS
    told = Alias(USER_ID, "ExternalUserId")
    journey(tx, 3, NUMBER, told)
    assert journey(tx, 4, NUMBER, told) == UNITS | {"intake": UNITS["intake"] + 1}

    journey(tx, 5, USER_ID)
    assert tx.contacts.person(1) == [1, 2]
    both = journey(tx, 6, NUMBER, told)
    assert {unit: both[unit] - UNITS[unit] for unit in UNITS if both[unit] > UNITS[unit] + 5} == {}


async def test_a_long_history_costs_a_person_nothing(tmp_path: Path) -> None:
    """A hundred times the messages to each of two addresses, the same steps for what is asked at each send."""
    costs = []
    for count in (SMALL, LARGE):
        directory = tmp_path / str(count)
        await (await Store.open(directory, SystemClock())).close()
        with opened(directory) as tx:
            register_organization(tx, Registration("Padaria", [WHATSAPP], "ana@example.com"))
            for number, sender in enumerate((NUMBER, USER_ID)):
                say(tx, number, sender)
            identity.join(tx, 1, 2, BY_HAND)
            tx.sql.run(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                "INSERT INTO outbox (organization_id, channel_id, contact_id, kind, body, body_hash, state, created_at, "
                "sending_at, sid) SELECT 1, 1, 1 + i % 2, ?, '', x'', 'delivered', 0, 1, 'SM' || i FROM n",
                count,
                MANUAL,
            )
            costs.append(cost(tx, _asked_at_a_send))

    assert costs[1] <= costs[0] * TOLERANCE


def _asked_at_a_send(tx: Tx) -> None:
    known = tx.contacts.get(1)
    assert known is not None
    tx.contacts.as_person(known)
    tx.contacts.person(known.id)
    loop_guard(tx, known, 20)
    tx.messages.is_newer_live(known.id, 0)
    tx.conversations.open_beside(known.id)
    tx.outbox.newer_reply(known.id, 50)
