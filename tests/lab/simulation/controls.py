"""Negative controls: the product with one guard taken away. A laboratory that does not notice proves nothing."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pytest

from appliance import restoration
from appliance.inbox.intake import Intake, Received
from appliance.model import OutboxState, Resource
from appliance.outbox import delivery, permission
from appliance.outbox.send import SendHandler
from appliance.outbox.settle import SettleHandler
from appliance.queue.outcome import Done
from appliance.store import Tx
from appliance.store.jobs import Jobs
from appliance.store.messages import Messages
from appliance.store.organizations import Channels
from appliance.store.outbox import Outbox
from appliance.wire import OutboundMessage, SendOutcome
from tests.support.controls import naive_rollback


@dataclass(frozen=True, slots=True)
class Control:
    """`because`: how a problem must begin that one of the failures names. Without it a control that has grown stale and
    only raises errors would count as caught.
    """

    name: str
    because: str
    broken: Callable[[], AbstractContextManager[object]]
    scenarios: tuple[str, ...]  # names, or beginnings of names, where it should show
    schema: Callable[[str], str] = str


def _acknowledge_before_commit() -> AbstractContextManager[object]:
    async def receive(self: Any, message: Any) -> Received:
        task = asyncio.create_task(original(self, message))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return Received.STORED

    original = Intake.receive
    return patch.object(Intake, "receive", receive)


def _without_unique_sid(sql: str) -> str:
    assert "sid TEXT NOT NULL UNIQUE, -- the idempotency key" in sql or "CREATE TABLE messages" not in sql
    return sql.replace("sid TEXT NOT NULL UNIQUE, -- the idempotency key", "sid TEXT NOT NULL, -- the idempotency key")


def _insert_always() -> AbstractContextManager[object]:
    """The conflict clause needs the constraint: without it every delivery is a new message."""

    def insert(self: Any, message: Any, **columns: Any) -> int | None:
        inserting = patch.object(
            type(self._sql), "insert_new", lambda sql, table, _conflict, **values: sql.insert(table, **values)
        )
        with inserting:
            return original(self, message, **columns)

    original = Messages.insert
    return patch.object(Messages, "insert", insert)


@contextmanager
def _select_then_insert() -> Iterator[None]:
    async def receive(self: Any, message: Any) -> Received:
        if await self._store.read(lambda tx: tx.messages.known([message.sid])):
            return Received.DUPLICATE
        return await original(self, message)

    original = Intake.receive
    with _insert_always(), patch.object(Intake, "receive", receive):
        yield


def _blind_retry() -> AbstractContextManager[object]:
    def outcome(self: Any, row: Any, result: Any) -> Any:
        if result.outcome == SendOutcome.DOUBT:
            result = replace(result, outcome=SendOutcome.NOT_SENT)
        return original(self, row, result)

    original = SendHandler._outcome
    return patch.object(SendHandler, "_outcome", outcome)


def _resend_on_a_timer() -> AbstractContextManager[object]:
    async def settle_pair(self: Any, rows: Any) -> bool:
        def unit(tx: Tx) -> bool:
            return len([delivery.resend(tx, row) for row in rows]) > 0

        unit.__qualname__ = "SettleHandler._settle_pair"  # the simulation knows steps by name
        resent: bool = await self._store.write(unit)
        return resent

    return patch.object(SettleHandler, "_settle_pair", settle_pair)


def _sending_after_the_post() -> AbstractContextManager[object]:
    """The row is set to sending together with the result."""

    async def run(self: Any, job: Any) -> Any:
        row = await self._store.read(lambda tx: tx.outbox.get(job.payload["outbox"]))
        if row.state != OutboxState.READY:
            return Done()
        reference = f"{row.id}.{row.attempt + 1}.tag"
        result = await self._sender.send(OutboundMessage(row.sender, row.recipient, row.body, reference))

        def effects(tx: Tx) -> None:
            begun = delivery.begin(tx, row.id, "tag", self._config)
            if begun is not None:
                delivery.record(tx, begun, result)

        return Done(effects)

    return patch.object(SendHandler, "run", run)


def _callback_ignored() -> AbstractContextManager[object]:
    return patch.object(delivery, "apply", lambda tx, report, _account: tx.events.insert(report, None, "ignored"))


def _checks_outside() -> AbstractContextManager[object]:
    """Consent and the rest are looked at in a unit of work of their own, half a second before."""

    async def run(self: Any, job: Any) -> Any:
        row = await self._store.read(lambda tx: tx.outbox.get(job.payload["outbox"]))
        refusal = await self._store.read(lambda tx: forbidden(tx, row, self._config))
        await asyncio.sleep(0.5)
        with patch.object(permission, "forbidden", lambda *_: refusal):
            return await original(self, job)

    forbidden, original = permission.forbidden, SendHandler.run
    return patch.object(SendHandler, "run", run)


def _rescue_by_time() -> AbstractContextManager[object]:
    """A job that has run for 8 seconds is taken for dead."""

    def due(self: Any, resource: Resource, limit: int) -> Any:
        self._sql.run(
            "UPDATE message_queue SET status = 'ready', run_at = ? WHERE status = 'running' AND started_at < ?",
            self._sql.now,
            self._sql.now - 8000,
        )
        return original(self, resource, limit)

    original = Jobs.due
    return patch.object(Jobs, "due", due)


def _watermark_at_the_end() -> AbstractContextManager[object]:
    def read_up_to(self: Any, channel_id: int, _watermark: int) -> None:
        original(self, channel_id, self._sql.now)

    original = Channels.read_up_to
    return patch.object(Channels, "read_up_to", read_up_to)


def _whatever_the_state() -> AbstractContextManager[object]:
    def end(self: Any, outbox_id: int, state: OutboxState, *, expected: OutboxState, **columns: Any) -> bool:
        self.update(outbox_id, state=state, **columns)
        return True

    return patch.object(Outbox, "end", end)


def _restored_at_once() -> AbstractContextManager[object]:
    """What the copy calls unsent is sent, and nobody waits for Twilio's log."""
    return patch.object(restoration, "distrust", lambda _tx: None)


@contextmanager
def _rollback_to_nowhere() -> Iterator[None]:
    """After an error only the unit's savepoint is rolled back, whether or not there still is a transaction."""
    with pytest.MonkeyPatch.context() as patch:
        naive_rollback(patch)
        yield


UNSTORED = r"lost: \w+ heard 200 and is not stored"
STORED_TWICE = r"twice: \w+ is stored 2 times"
SENT_TWICE = r"twice: 2 messages (in Twilio's ledger for 1|to \S+, who wrote 1)"
ANSWERED_TWICE = r"twice: \S+ #1 was answered 2 times"
FORGOTTEN = r"lost: row \d+ is '\w*' although Twilio said"
TOO_LATE = r"unexpected: row \d+ was sent \d+ ms after \w+ said STOP"
AT_ONCE = r"unexpected: job \d+ \(process_ai_response\) runs twice at once"
MISSED = r"lost: \w+ is not stored"
CONTROLS = (
    Control("acknowledge before commit", UNSTORED, _acknowledge_before_commit, ("accept normal",)),
    Control("SELECT-then-INSERT", STORED_TWICE, _select_then_insert, ("hook doubled",), _without_unique_sid),
    Control("no unique sid", STORED_TWICE, _insert_always, ("hook doubled", "hook again"), _without_unique_sid),
    Control("blind retry on timeout", SENT_TWICE, _blind_retry, ("timeout_after",)),
    Control("doubt resent on a timer", SENT_TWICE, _resend_on_a_timer, ("reset_after lost",)),
    Control("`sending` not committed before the POST", SENT_TWICE, _sending_after_the_post, ("accept lost",)),
    Control("callback ignored", FORGOTTEN, _callback_ignored, ("accept normal",)),
    Control("checks outside the `sending` unit", TOO_LATE, _checks_outside, ("stop at the last moment",)),
    Control("rescue by time", AT_ONCE, _rescue_by_time, ("model slow",)),
    Control("watermark moved to the end of a pass", MISSED, _watermark_at_the_end, ("hook lost",)),
    Control("savepoint rollback that ignores in_transaction", UNSTORED, _rollback_to_nowhere, ("disk nearly full",)),
    Control("result written without WHERE state='sending'", FORGOTTEN, _whatever_the_state, ("accept early",)),
    Control("restored outbox sent at once", ANSWERED_TWICE, _restored_at_once, ("restored",)),
)
