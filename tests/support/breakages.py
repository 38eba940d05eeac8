"""The product with one guard taken away: what the controls of the tests and those of the simulation both break.

Each takes a MonkeyPatch, which puts the guard back when it is undone.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from appliance import restoration
from appliance.inbox import overheard
from appliance.inbox.intake import Intake, Received
from appliance.model import OutboxMessage, OutboxState
from appliance.outbox import binding, delivery
from appliance.outbox.send import SendHandler
from appliance.queue.outcome import Outcome, Snooze
from appliance.queue.worker import Worker
from appliance.store import Tx, database, writer
from appliance.store.contacts import Contacts
from appliance.store.messages import Messages
from appliance.wire import SendOutcome, TwilioMessageResult

Patch = pytest.MonkeyPatch


def acknowledge_before_commit(patch: Patch) -> None:
    async def receive(self: Intake, *message: Any) -> Received:
        task = asyncio.create_task(whole(self, *message))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return Received.STORED

    whole = Intake.receive
    patch.setattr(Intake, "receive", receive)


def consent_by_address(patch: Patch) -> None:
    patch.setattr(Contacts, "as_person", lambda _self, contact: contact)


def without_unique_sid(sql: str) -> str:
    """The schema, where a sid may be there twice."""
    return sql.replace("sid TEXT NOT NULL UNIQUE, -- the idempotency key", "sid TEXT NOT NULL, -- the idempotency key")


def insert_always(patch: Patch) -> None:
    """The conflict clause needs the constraint: without it every delivery is a new message."""
    whole = Messages.insert

    def insert(self: Messages, message: Any, **columns: Any) -> int | None:
        with patch.context() as inner:
            inner.setattr(type(self._sql), "insert_new", lambda sql, table, _, **values: sql.insert(table, **values))
            return whole(self, message, **columns)

    patch.setattr(Messages, "insert", insert)


def no_unique_sid(patch: Patch) -> None:
    """In a database that is made after this."""
    steps = [(number, without_unique_sid(sql)) for number, sql in database.migrations()]
    assert steps != database.migrations()
    patch.setattr(database, "migrations", lambda: steps)
    insert_always(patch)


def looked_up_first(patch: Patch) -> None:
    """In place of the constraint a SELECT in a unit of its own; for where a sid may be there twice."""
    whole = Intake.receive

    async def receive(self: Intake, message: Any, *more: Any) -> Received:
        if await self._store.read(lambda tx: tx.messages.known([message.sid])):
            return Received.DUPLICATE
        return await whole(self, message, *more)

    patch.setattr(Intake, "receive", receive)


def _outcome(patch: Patch, of_doubt: Callable[..., Outcome]) -> None:
    """What becomes of a send whose outcome is unknown; `of_doubt` is also given the product's own answer."""
    whole = SendHandler._outcome

    def outcome(self: SendHandler, row: OutboxMessage, result: TwilioMessageResult) -> Outcome:
        if result.outcome != SendOutcome.DOUBT:
            return whole(self, row, result)
        return of_doubt(self, row, result, whole)

    patch.setattr(SendHandler, "_outcome", outcome)


def blind_retry(patch: Patch) -> None:
    """What is unknown counts as not sent."""
    _outcome(patch, lambda self, row, result, whole: whole(self, row, replace(result, outcome=SendOutcome.NOT_SENT)))


def doubt_resent_on_a_timer(patch: Patch) -> None:
    """Five seconds later, whatever Twilio's log says."""
    ready, sending = OutboxState.READY, OutboxState.SENDING

    def again(self: SendHandler, row: OutboxMessage, *_: object) -> Outcome:
        return Snooze(self._clock.now() + 5_000, "again", lambda tx: tx.outbox.end(row.id, ready, expected=sending))

    _outcome(patch, again)


def sending_not_committed(patch: Patch) -> None:
    def begin(tx: Tx, outbox_id: int, tag: str, _config: Any) -> OutboxMessage | None:
        row = tx.outbox.get(outbox_id)
        return replace(row, attempt=1) if row is not None and row.state == OutboxState.READY else None

    patch.setattr(delivery, "begin", begin)


def callback_ignored(patch: Patch) -> None:
    patch.setattr(binding, "apply", lambda tx, report, _config: tx.events.insert(report, None, "ignored"))


def whatever_the_state(patch: Patch) -> None:
    """A result is written over what Twilio has told since."""
    patch.setattr(binding, "_is_forward", lambda _old, _new: True)


def rescue_by_time(patch: Patch, after: int) -> None:
    """A job that has run for so many milliseconds is taken for dead."""
    whole = Worker._claim
    rescue = "UPDATE message_queue SET status = 'ready' WHERE status = 'running' AND started_at < ?"

    def unit(tx: Tx) -> None:
        tx.sql.run(rescue, tx.now - after)

    async def claim(self: Worker) -> int | None:
        await self._store.write(unit)
        return await whole(self)

    unit.__qualname__ = "Worker._start_all"  # the simulation knows steps by name

    patch.setattr(Worker, "_claim", claim)


def naive_rollback(patch: Patch) -> None:
    """After an error only the unit's savepoint is rolled back, whether or not there still is a transaction."""

    def commit_batch(connection: sqlite3.Connection, tx: Tx, units: list[Any]) -> list[Any]:
        connection.execute("BEGIN IMMEDIATE")
        results = [run(connection, tx, unit) for unit in units]
        if connection.in_transaction:
            connection.execute("COMMIT")
        return results

    def run(connection: sqlite3.Connection, tx: Tx, unit: Any) -> Any:
        connection.execute("SAVEPOINT unit")
        try:
            result = unit(tx)
        except Exception as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK TO unit")
                connection.execute("RELEASE unit")
            return writer.Failed(writer.storage_error(error) or error)
        connection.execute("RELEASE unit")
        return result

    patch.setattr(writer, "commit_batch", commit_batch)


def restored_outbox_trusted(patch: Patch) -> None:
    """What the copy calls unsent is sent, nobody waits for Twilio's log, and what that shows counts for nobody."""
    patch.setattr(restoration, "distrust", lambda _tx: None)
    patch.setattr(overheard, "of_nobody", lambda _tx, _channel, _said: {})
