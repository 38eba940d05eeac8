"""Negative controls: the product broken in one way each, and the scenario that must notice.

A control patches product code in this process; the scenario is one of the ordinary tests. A scenario that passes on a
broken build proves nothing.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from appliance import restoration
from appliance.inbox.intake import Intake, Received
from appliance.model import Job, JobKind, OutboxMessage, OutboxState
from appliance.outbox import delivery, permission
from appliance.outbox.send import SendHandler
from appliance.queue import lane, plan
from appliance.queue.outage import Outage
from appliance.queue.outcome import Outcome, Snooze
from appliance.queue.plan import Offer
from appliance.queue.worker import Worker
from appliance.reply import handler
from appliance.store import Tx, database, messages, writer
from appliance.store.messages import Messages
from appliance.store.organizations import Channels
from appliance.twilio import webhook
from appliance.twilio.sender import TwilioSender
from appliance.wire import SendOutcome, TwilioMessageResult
from tests.outbox import test_delivery, test_sending
from tests.queue import test_fairness, test_outage, test_queue
from tests.reply import test_loop_guard, test_replies
from tests.store import test_backup, test_store
from tests.web import test_hostile

Patch = pytest.MonkeyPatch
RESET = {"fault": test_sending.UNKNOWN_OUTCOMES[0]}


@dataclass(frozen=True)
class Control:
    """`apply` breaks the product; `scenario` must then raise an AssertionError that says `because`.

    Without the reason, a patch that has grown stale and only raises errors would count as caught.
    """

    name: str
    because: str
    apply: Callable[[Patch], None]
    scenario: Callable[..., Awaitable[None]]
    arguments: dict[str, Any] = field(default_factory=dict)


def acknowledge_before_commit(patch: Patch) -> None:
    async def receive(self: Intake, *message: Any) -> Received:
        task = asyncio.create_task(whole(self, *message))
        task.add_done_callback(lambda done: done.exception())
        return Received.STORED

    whole = Intake.receive
    patch.setattr(Intake, "receive", receive)


def no_unique_sid(patch: Patch) -> None:
    steps = [(n, sql.replace("sid TEXT NOT NULL UNIQUE", "sid TEXT NOT NULL", 1)) for n, sql in database.migrations()]
    patch.setattr(database, "migrations", lambda: steps)
    whole = Messages.insert

    def insert(self: Messages, message: Any, **columns: Any) -> int | None:
        with patch.context() as inner:
            inner.setattr(type(self._sql), "insert_new", lambda sql, table, _, **values: sql.insert(table, **values))
            return whole(self, message, **columns)

    patch.setattr(Messages, "insert", insert)


def select_then_insert(patch: Patch) -> None:
    no_unique_sid(patch)
    whole = Intake.receive

    async def receive(self: Intake, message: Any, *more: Any) -> Received:
        found = "SELECT 1 FROM messages WHERE sid = ?"
        if await self._store.read(lambda tx: tx.sql.value(found, message.sid)):
            return Received.DUPLICATE
        return await whole(self, message, *more)

    patch.setattr(Intake, "receive", receive)


def blind_retry(patch: Patch) -> None:
    whole = TwilioSender._post

    async def post(self: TwilioSender, client: Any, message: Any) -> TwilioMessageResult:
        result = await whole(self, client, message)
        return await whole(self, client, message) if result.outcome == SendOutcome.DOUBT else result

    patch.setattr(TwilioSender, "_post", post)


def doubt_resent_on_a_timer(patch: Patch) -> None:
    whole = SendHandler._outcome

    def outcome(self: SendHandler, row: OutboxMessage, result: TwilioMessageResult) -> Outcome:
        if result.outcome != SendOutcome.DOUBT:
            return whole(self, row, result)
        ready, sending = OutboxState.READY, OutboxState.SENDING
        return Snooze(self._clock.now() + 5_000, "again", lambda tx: tx.outbox.end(row.id, ready, expected=sending))

    patch.setattr(SendHandler, "_outcome", outcome)


def sending_not_committed(patch: Patch) -> None:
    def begin(tx: Tx, outbox_id: int, tag: str, _config: Any) -> OutboxMessage | None:
        row = tx.outbox.get(outbox_id)
        return replace(row, tag=tag, attempt=1) if row is not None else None

    patch.setattr(delivery, "begin", begin)


def callback_ignored(patch: Patch) -> None:
    patch.setattr(delivery, "apply", lambda *arguments: None)


def callback_believed_without_tag(patch: Patch) -> None:
    def referenced(tx: Tx, report: Any, _account_sid: str) -> OutboxMessage | None:
        number = report.reference.partition(".")[0]
        return tx.outbox.get(int(number)) if number.isdigit() else None

    patch.setattr(delivery, "_referenced", referenced)


def checks_outside_the_sending_unit(patch: Patch) -> None:
    patch.setattr(permission, "forbidden", lambda *arguments: None)


def no_loop_guard(patch: Patch) -> None:
    loop_guard_after_the_model(patch)
    loop_guard_before_the_model_alone(patch)


def loop_guard_after_the_model(patch: Patch) -> None:
    patch.setattr(handler, "loop_guard", lambda *arguments: None)


def loop_guard_before_the_model_alone(patch: Patch) -> None:
    patch.setattr(permission, "loop_guard", lambda *arguments: None)


def result_without_expected_state(patch: Patch) -> None:
    def accepted(tx: Tx, row: OutboxMessage, result: TwilioMessageResult) -> None:
        changes = "UPDATE outbox SET state = 'sent', sid = ?, status = ? WHERE id = ?"
        tx.sql.run(changes, result.sid, result.status, row.id)

    patch.setattr(delivery, "_accepted", accepted)


def naive_rollback(patch: Patch) -> None:
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


def no_debounce(patch: Patch) -> None:
    patch.setattr(lane, "reply_due", lambda last_at, *rest: last_at)


def no_supersede_gate(patch: Patch) -> None:
    patch.setattr(permission, "is_superseded", lambda *arguments: False)


def replies_do_not_compete(patch: Patch) -> None:
    patch.setattr(messages, "LIVE", "id > 0")


def rescue_by_time(patch: Patch) -> None:
    whole = Worker._claim
    rescue = "UPDATE message_queue SET status = 'ready' WHERE status = 'running' AND started_at < ?"

    async def claim(self: Worker) -> int | None:
        await self._store.write(lambda tx: tx.sql.run(rescue, tx.now - 150))
        return await whole(self)

    patch.setattr(Worker, "_claim", claim)


def first_resource_first(patch: Patch) -> None:
    def in_order(offers: Sequence[Offer], answering: Collection[Job], places: int, _turns: Any) -> list[Job]:
        start: list[Job] = []
        for offer in offers:
            kinds = [job.kind == JobKind.REPLY for job in [*answering, *start]]
            for job in offer.due[: offer.allowed.jobs if offer.resource else 0]:
                if kinds.count(job.kind == JobKind.REPLY) < places:
                    start.append(job)
                    kinds.append(job.kind == JobKind.REPLY)
        return start

    patch.setattr(plan, "_in_turn", in_order)


def suspects_run_beside_others(patch: Patch) -> None:
    patch.setattr(plan, "is_suspect", lambda _job: False)


def outages_not_noticed(patch: Patch) -> None:
    async def is_total(_self: Outage) -> bool:
        return False

    patch.setattr(Outage, "is_total", is_total)


def synchronous_normal(patch: Patch) -> None:
    patch.setitem(database._WRITER_PRAGMAS, "synchronous", 1)


def signatures_not_checked(patch: Patch) -> None:
    patch.setattr(webhook.Signature, "holds", lambda *arguments: True)


def a_default_tenant(patch: Patch) -> None:
    patch.setattr(Channels, "at", lambda self, _address: self.get(1))


def restored_outbox_sent_at_once(patch: Patch) -> None:
    patch.setattr(restoration, "distrust", lambda _tx: None)


FORGED = {"reference_of": "1.1.0000000000000000", "changes": {}}
CONTROLS = [
    Control("acknowledge before commit", r"assert 20 < 20", acknowledge_before_commit, test_store.test_webhooks_of_a_full_disk_hear_503_and_nothing_stored_is_missing),
    Control("no unique sid", r"Left contains 99 more items", no_unique_sid, test_replies.test_one_message_delivered_a_hundred_times_gets_one_reply),
    Control("SELECT-then-INSERT", r"Left contains [0-9]+ more items, first extra item: 'SM", select_then_insert, test_replies.test_one_message_delivered_a_hundred_times_gets_one_reply),
    Control("blind retry on timeout", r"assert 2 == 1", blind_retry, test_sending.test_an_unknown_outcome_is_doubt_and_not_resent, RESET),
    Control("doubt resent on a timer", r"assert 2 == 1", doubt_resent_on_a_timer, test_sending.test_an_unknown_outcome_is_doubt_and_not_resent, RESET),
    Control("`sending` not committed before the POST", r"assert 2 == 1", sending_not_committed, test_sending.test_killed_while_sending_is_doubt),
    Control("callback ignored", r"'doubt' != 'delivered'", callback_ignored, test_delivery.test_a_callback_settles_a_doubt),
    Control("callback believed without its tag", r"'status': 'delivered'", callback_believed_without_tag, test_delivery.test_what_names_no_row_of_ours_changes_nothing, FORGED),
    Control("checks outside the `sending` unit", r"'failed' != 'suppressed'", checks_outside_the_sending_unit, test_sending.test_stop_between_draft_and_send_means_silence),
    Control("no loop guard", r"assert 5 == 3", no_loop_guard, test_sending.test_the_loop_guard_ends_in_silence),
    Control("loop guard after the model", r"assert 26 == 20", loop_guard_after_the_model, test_loop_guard.test_a_model_is_paid_for_what_is_sent_alone),
    Control("loop guard before the model alone", r"one more item: 'You asked: Oi'", loop_guard_before_the_model_alone, test_loop_guard.test_the_sending_unit_still_looks),
    Control("result written without WHERE state='sending'", r"'queued' != 'sent'", result_without_expected_state, test_delivery.test_a_late_answer_does_not_overwrite_its_callback),
    Control("savepoint rollback that ignores in_transaction", r"NoneType.* != .*StorageFullError", naive_rollback, test_store.test_no_space_in_the_middle_of_a_batch_fails_the_whole_batch),
    Control("no debounce", r"'You asked: part 0' != 'You asked: part 0 \| part 1", no_debounce, test_replies.test_a_burst_of_five_gets_one_reply_that_saw_all_five),
    Control("no supersede gate", r"'delivered' != 'superseded'", no_supersede_gate, test_replies.test_a_customer_who_keeps_writing_is_answered_after_two_stale_drafts),
    Control("replies that do not compete", r"first extra item: 'answer'|one more item: 'answer'", replies_do_not_compete, test_replies.test_the_answer_and_the_apology_compete),
    Control("rescue by time", r"assert [2-9] == 1", rescue_by_time, test_replies.test_a_slow_answer_is_asked_for_once),
    Control("first resource first", r"assert [4-6][0-9] < 40", first_resource_first, test_fairness.test_a_flooded_channel_leaves_places),
    Control("suspects run beside others", r"one more item: 'Re: hello'", suspects_run_beside_others, test_queue.test_a_job_under_suspicion_runs_alone),
    Control("outages not noticed", r"'Desculpe.* != 'You asked: first'", outages_not_noticed, test_outage.test_messages_during_an_outage_start_their_deadline_after_it),
    Control("synchronous=NORMAL", r"1 != 2", synchronous_normal, test_store.test_every_pragma_is_in_force),
    Control("signatures not checked", r"assert 200 == 403", signatures_not_checked, test_hostile.test_what_twilio_did_not_sign_is_403, {"given": "forged"}),
    Control("restored outbox sent at once", r"2.* == \[1", restored_outbox_sent_at_once, test_backup.test_a_restored_box_sends_nothing_again),
    Control("a default tenant for orphans", r"assert \[\] == \['SM", a_default_tenant, test_hostile.test_an_orphan_is_stored_and_never_answered, {"changes": {"To": "+5511999999999"}}),
]  # fmt: skip
