"""Negative controls: the product broken in one way each, and the scenario that must notice.

A control patches product code in this process; the scenario is one of the ordinary tests. A scenario that passes on a
broken build proves nothing.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from appliance import chores
from appliance.handover import charge
from appliance.inbox import catch_up, consent, exchange, intake, missed
from appliance.inbox.exchange import Exchange
from appliance.inbox.overheard import Overheard
from appliance.model import Channel, Contact, Conversation, ConversationStatus, Job, JobKind
from appliance.outbox import binding, permission
from appliance.people import identity
from appliance.ports import Retryable
from appliance.privacy import handler as privacy_handler
from appliance.queue import lane, plan, worker
from appliance.queue.outage import Outage
from appliance.queue.plan import Offer
from appliance.queue.tolerance import Round
from appliance.reply import case, handler, hours
from appliance.reply import held as reply_held
from appliance.responder import llm
from appliance.statement import account, conclusion
from appliance.store import Store, Tx, database, erasure, keyed, messages
from appliance.store.attempts import Attempts
from appliance.store.contacts import Contacts
from appliance.store.forgotten import Forgotten
from appliance.store.organizations import Channels
from appliance.store.outbox import Outbox
from appliance.store.pauses import Held, Pauses
from appliance.store.statements import Statements
from appliance.twilio import webhook
from appliance.twilio.webhook import Signers
from tests.handover import test_hand_back
from tests.inbox import test_other_forms, test_overheard, test_services
from tests.outbox import test_accounts_apart, test_attempts, test_delivery, test_pauses, test_sending, test_settle
from tests.people import test_consent, test_doubt, test_evidence, test_lanes
from tests.privacy import test_copies, test_forget, test_steps
from tests.queue import test_fairness, test_outage, test_queue
from tests.reply import (
    test_away,
    test_content_faults,
    test_held,
    test_loop_guard,
    test_machines,
    test_menus,
    test_replies,
)
from tests.statement import test_differences as test_statement_differences
from tests.statement import test_none
from tests.store import test_backup, test_store
from tests.support import breakages, doubts
from tests.support.breakages import Patch
from tests.web import test_hostile, test_signers
from tests.web.pages import test_hands

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


def select_then_insert(patch: Patch) -> None:
    breakages.no_unique_sid(patch)
    breakages.looked_up_first(patch)


def callback_believed_without_tag(patch: Patch) -> None:
    patch.setattr(binding, "_is_ours", lambda *arguments: True)


def checks_outside_the_sending_unit(patch: Patch) -> None:
    patch.setattr(permission, "forbidden", lambda *arguments: None)


def no_loop_guard(patch: Patch) -> None:
    loop_guard_after_the_model(patch)
    loop_guard_before_the_model_alone(patch)


def loop_guard_after_the_model(patch: Patch) -> None:
    patch.setattr(handler, "loop_guard", lambda *arguments: None)


def loop_guard_before_the_model_alone(patch: Patch) -> None:
    patch.setattr(permission, "loop_guard", lambda *arguments: None)


def content_faults_are_the_providers(patch: Patch) -> None:
    patch.setattr(llm, "Permanent", lambda reason, **_flags: Retryable(reason))


def no_debounce(patch: Patch) -> None:
    patch.setattr(lane, "reply_due", lambda last_at, *rest: last_at)


def no_supersede_gate(patch: Patch) -> None:
    patch.setattr(permission, "is_superseded", lambda *arguments: False)


def replies_do_not_compete(patch: Patch) -> None:
    patch.setattr(messages, "LIVE", "id > 0")


def rescue_by_time(patch: Patch) -> None:
    breakages.rescue_by_time(patch, after=150)


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
    patch.setattr(Channels, "at", lambda self, *_where: self.get(1))


def handed_back_unread(patch: Patch) -> None:
    async def read(*_where: Any) -> Exchange:
        return Exchange((), {}, 0)

    patch.setattr(exchange, "read", read)


def nothing_is_too_old(patch: Patch) -> None:
    patch.setattr(missed, "is_too_old", lambda *_age, **_limits: False)


def expiry_closes_the_card(patch: Patch) -> None:
    def work(tx: Tx) -> None:
        for conversation in tx.conversations.expired_in_the_box(tx.now, 100):
            tx.conversations.move(conversation, ConversationStatus.CLOSED)
            charge.close(tx, conversation.contact_id)

    patch.setattr(chores, "expired", lambda: chores.Chore(work))


def silence_counted_from_the_customer(patch: Patch) -> None:
    whole = Contacts.heard

    def heard(self: Contacts, contact_id: int, at: int) -> None:
        whole(self, contact_id, at)
        self._sql.run("UPDATE contacts SET handover_at = ? WHERE handover IS NOT NULL", at)

    patch.setattr(Contacts, "heard", heard)


def silence_ends_with_the_conversation(patch: Patch) -> None:
    whole = intake.open_conversation

    def open_conversation(tx: Tx, channel: Channel, contact: Contact, config: Any) -> Conversation:
        conversation = whole(tx, channel, contact, config)
        if conversation.created_at == tx.now and contact.handover is not None:
            tx.contacts.hand_back(contact.id)
            tx.conversations.give_back(contact.id)
        return conversation

    patch.setattr(intake, "open_conversation", open_conversation)


def a_persons_answer_ignored(patch: Patch) -> None:
    patch.setattr(charge, "spoke_through_us", lambda *_row: None)


def a_number_answers_the_last_menu_written(patch: Patch) -> None:
    def menu(self: Outbox, conversation_id: int) -> tuple[str, ...]:
        written = (
            "SELECT options FROM outbox WHERE conversation_id = ? AND options IS NOT NULL ORDER BY id DESC LIMIT 1"
        )
        return tuple(json.loads(self._sql.value(written, conversation_id) or "[]"))

    patch.setattr(Outbox, "menu", menu)


def loop_guard_by_address(patch: Patch) -> None:
    patch.setattr(Contacts, "aliases", lambda _self, contact: [contact.id])


def pause_not_checked_before_sending(patch: Patch) -> None:
    patch.setattr(permission, "is_paused", lambda _tx, _row: False)


def pause_holds_no_claims(patch: Patch) -> None:
    patch.setattr(Pauses, "held", lambda _self: Held(False, frozenset(), (), None))
    patch.setattr(handler, "held", lambda *_: None)
    pause_not_checked_before_sending(patch)  # else drafts are made and put away for ever


def answered_however_long_it_waited(patch: Patch) -> None:
    patch.setattr(reply_held, "_too_old", lambda _case, _ended, _config: [])


def deadlines_run_on_during_a_pause(patch: Patch) -> None:
    patch.setattr(worker, "held_until", lambda _tx, _job: 0)


def another_addresss_message_ignored(patch: Patch) -> None:
    patch.setattr(permission, "_spoke_elsewhere", lambda *_draft: False)


def joined_again_by_twilio(patch: Patch) -> None:
    patch.setattr(identity, "_told", identity.join)


def signed_by_any_account(patch: Patch) -> None:
    """The token of whichever account of ours is enough."""

    def of(self: Signers, path: str, form: Any, signature: str | None, **_: Any) -> tuple[str, ...] | None:
        named = tuple(each.name for each, _ in self._signers if each.account_sid == form.get("AccountSid"))
        return named if any(own.holds(path, form, signature) for _, own in self._signers) else None

    patch.setattr(Signers, "of", of)


def catch_up_ends_at_an_unreadable_account(patch: Patch) -> None:
    """One after the other, and what cannot be read ends the pass."""

    async def of_each(accounts: Any, work: Any) -> Round[Any]:
        return Round({account: await work(account) for account in sorted(accounts)}, {})

    patch.setattr(catch_up, "of_each", of_each)


def opt_out_of_one_number(patch: Patch) -> None:
    patch.setattr(consent, "_spread", lambda *_word: None)


def deleted_is_not_overwritten(patch: Patch) -> None:
    patch.setitem(database._WRITER_PRAGMAS, "secure_delete", 0)


def the_log_is_not_emptied(patch: Patch) -> None:
    async def clean(_self: Store) -> bool:
        return True

    patch.setattr(Store, "clean", clean)


def the_forgotten_not_listed(patch: Patch) -> None:
    patch.setattr(erasure, "append", lambda *entries: None)
    patch.setattr(keyed, "append", lambda *entries: None)


def sids_die_with_their_rows(patch: Patch) -> None:
    patch.setattr(Forgotten, "keep", lambda *sids: 0)


def a_doubt_is_not_waited_for(patch: Patch) -> None:
    patch.setattr(privacy_handler, "_wait_for", lambda tx, forgetting: None)


def the_console_is_not_heard(patch: Patch) -> None:
    async def listen(*_where: Any) -> bool:
        return True

    patch.setattr(Overheard, "listen", listen)


def our_own_echo_is_a_person(patch: Patch) -> None:
    patch.setattr(exchange, "ours", lambda *_said: set())
    patch.setattr(Attempts, "recent", lambda *_sids: set())


def heard_again_after_a_give_back(patch: Patch) -> None:
    whole = Contacts.hand_back

    def hand_back(self: Contacts, contact_id: int) -> None:
        whole(self, contact_id)
        self._sql.run("UPDATE contacts SET spoke_at = NULL WHERE id = ?", contact_id)

    patch.setattr(Contacts, "hand_back", hand_back)


def taking_over_is_a_word(patch: Patch) -> None:
    def take(tx: Tx, contact: Contact, who: str) -> None:
        held = tx.messages.held(contact.id, with_aliases=True)
        charge.spoke(tx, contact, tx.now, [message.id for message in held], who)

    patch.setattr(charge, "take", take)


def machines_are_not_told(patch: Patch) -> None:
    patch.setattr(handler, "writes_like_a_machine", lambda *_case: False)


def row(begins: str, ends: str) -> dict[str, Any]:
    """Of the table of hand-overs, with the log readable."""
    found = next(each for each in test_hand_back.ROWS if each[:3] == (begins, ends, "readable"))
    return dict(zip(("begins", "ends", "log", "old", "young", "following", "cards"), found, strict=True))


FORGED = {"reference_of": "1.1.0000000000000000", "changes": {}}


def away_for_every_message(patch: Patch) -> None:
    def begun_now(*at: Any) -> hours.Closing | None:
        found = hours.closing(*at)
        return found and replace(found, since=at[-1])

    patch.setattr(case, "closing", begun_now)


def the_list_believed(patch: Patch) -> None:
    """What the list does not show is gone, and nobody asks for it by its sid."""
    real = account.absent
    patch.setattr(
        conclusion,
        "absent",
        lambda owned, booked, _logged, offset, **_asked: real(
            owned, replace(booked, status=""), None, offset, is_asked=True
        ),
    )


def named_every_hour(patch: Patch) -> None:
    patch.setattr(Statements, "name", lambda *_difference: True)


def catch_up_is_not_waited_for(patch: Patch) -> None:
    real = Statements.owned_in_the_box
    patch.setattr(
        Statements,
        "owned_in_the_box",
        lambda *asked: [replace(each, read_to=None) for each in real(*asked)],
    )


CONTROLS = [
    Control("Twilio's list believed without asking", r"Left contains 2 more items.*'not_there'|'not_there'", the_list_believed, test_none.test_what_has_no_date_is_asked_for_by_its_sid),
    Control("a difference named every hour", r"'elsewhere', [4-9]|assert \[\] == ", named_every_hour, test_statement_differences.test_a_reply_from_the_console),
    Control("missing before catch-up has looked", r"'missing_here': 1", catch_up_is_not_waited_for, test_none.test_what_catch_up_has_yet_to_fetch_is_awaited),
    Control("acknowledge before commit", r"assert 20 < 20", breakages.acknowledge_before_commit, test_store.test_webhooks_of_a_full_disk_hear_503_and_nothing_stored_is_missing),
    Control("no unique sid", r"Left contains 99 more items", breakages.no_unique_sid, test_replies.test_one_message_delivered_a_hundred_times_gets_one_reply),
    Control("SELECT-then-INSERT", r"Left contains [0-9]+ more items, first extra item: 'SM", select_then_insert, test_replies.test_one_message_delivered_a_hundred_times_gets_one_reply),
    Control("blind retry on timeout", r"assert 2 == 1", breakages.blind_retry, test_sending.test_an_unknown_outcome_is_doubt_and_not_resent, RESET),
    Control("doubt resent on a timer", r"assert 2 == 1", doubts.resent_on_a_timer, test_sending.test_an_unknown_outcome_is_doubt_and_not_resent, RESET),
    Control("`sending` not committed before the POST", r"assert 2 == 1", breakages.sending_not_committed, test_sending.test_killed_while_sending_is_doubt),
    Control("callback ignored", r"'doubt' != 'delivered'", breakages.callback_ignored, test_delivery.test_a_callback_settles_a_doubt),
    Control("callback believed without its tag", r"'status': 'delivered'", callback_believed_without_tag, test_delivery.test_what_names_no_row_of_ours_changes_nothing, FORGED),
    Control("checks outside the `sending` unit", r"'failed' != 'suppressed'", checks_outside_the_sending_unit, test_sending.test_stop_between_draft_and_send_means_silence),
    Control("no loop guard", r"assert 5 == 3", no_loop_guard, test_sending.test_the_loop_guard_ends_in_silence),
    Control("result written without WHERE state='sending'", r"'queued' != 'sent'", breakages.whatever_the_state, test_delivery.test_a_late_answer_does_not_overwrite_its_callback),
    Control("savepoint rollback that ignores in_transaction", r"NoneType.* != .*StorageFullError", breakages.naive_rollback, test_store.test_no_space_in_the_middle_of_a_batch_fails_the_whole_batch),
    Control("loop guard after the model", r"assert 26 == 20", loop_guard_after_the_model, test_loop_guard.test_a_model_is_paid_for_what_is_sent_alone),
    Control("loop guard before the model alone", r"one more item: 'You asked: Oi'", loop_guard_before_the_model_alone, test_loop_guard.test_the_sending_unit_still_looks),
    Control("content faults counted as the provider's", r"numbers\nassert \('Desculpe.*', (?:[3-9]|1\d)\) == \('Desculpe.*', 2\)", content_faults_are_the_providers, test_content_faults.test_one_list_of_numbers_harms_nobody),
    Control("no debounce", r"'You asked: part 0' != 'You asked: part 0 \| part 1", no_debounce, test_replies.test_a_burst_of_five_gets_one_reply_that_saw_all_five),
    Control("no supersede gate", r"'delivered' != 'superseded'", no_supersede_gate, test_replies.test_a_customer_who_keeps_writing_is_answered_after_two_stale_drafts),
    Control("replies that do not compete", r"first extra item: 'answer'|one more item: 'answer'", replies_do_not_compete, test_replies.test_the_answer_and_the_apology_compete),
    Control("rescue by time", r"assert [2-9] == 1", rescue_by_time, test_replies.test_a_slow_answer_is_asked_for_once),
    Control("first resource first", r"assert [4-6][0-9] < 40", first_resource_first, test_fairness.test_a_flooded_channel_leaves_places),
    Control("suspects run beside others", r"one more item: 'Re: hello'", suspects_run_beside_others, test_queue.test_a_job_under_suspicion_runs_alone),
    Control("outages not noticed", r"'Desculpe.* != 'You asked: first'", outages_not_noticed, test_outage.test_messages_during_an_outage_start_their_deadline_after_it),
    Control("synchronous=NORMAL", r"1 != 2", synchronous_normal, test_store.test_every_pragma_is_in_force),
    Control("signatures not checked", r"assert 200 == 403", signatures_not_checked, test_hostile.test_what_twilio_did_not_sign_is_403, {"given": "forged"}),
    Control("restored outbox sent at once", r"2.* == \[1", breakages.restored_outbox_trusted, test_backup.test_a_restored_box_sends_nothing_again),
    Control("hand-back without reading the log", r"'too_late waiting' == ''", handed_back_unread, test_hand_back.test_who_is_answered_by_whom, row("asked", "console")),
    Control("old message answered after a hand-back", r"'waiting' == 'too_late waiting'", nothing_is_too_old, test_hand_back.test_who_is_answered_by_whom, row("asked", "timer")),
    Control("card closed by expiry", r"'' == 'waiting'", expiry_closes_the_card, test_hand_back.test_who_is_answered_by_whom, row("asked", "expiry")),
    Control("silence ends with the conversation", r"\['waits', 'dont_know', 'bot'\] ==", silence_ends_with_the_conversation, test_hand_back.test_who_is_answered_by_whom, row("asked", "expiry")),
    Control("silence counted from the customer's last message", r"\[1, 1, 1, 1, 1\] == ", silence_counted_from_the_customer, test_hand_back.test_it_ends_although_the_customer_goes_on_writing),
    Control("a person's answer through us ignored", r"'too_late waiting' == ''", a_persons_answer_ignored, test_hand_back.test_who_is_answered_by_whom, row("asked", "person")),
    Control("a default tenant for orphans", r"assert \[\] == \['SM", a_default_tenant, test_hostile.test_an_orphan_is_stored_and_never_answered, {"changes": {"To": "+5511999999999"}}),
    Control("broken off at the first older date", r"assert 2 == 1", doubts.broken_off_at_the_first_older_date, test_other_forms.test_a_reminder_that_was_scheduled_yesterday_hides_no_send),
    Control("exact To", r"Left contains one more item", doubts.exact_to, test_other_forms.test_a_send_under_another_form_of_the_address_is_ours),
    Control("evidence from the last attempt only", r"assert 2 == 1", doubts.evidence_of_the_last_attempt_only, test_attempts.test_a_crash_at_the_second_post_keeps_the_first_ones_evidence),
    Control("absence after one read", r"Left contains one more item: 'Abrimos", doubts.absent_after_one_read, test_settle.test_a_send_that_is_absent_from_the_log_is_sent_once_more),
    Control("no read directly before the POST", r"assert 2 == 1", doubts.not_read_before_the_post, test_attempts.test_our_own_message_that_is_listed_after_the_row_is_ready_again, {"crash": False}),
    Control("second sid filed instead of bound", r"'failed'.* != .*'delivered'", doubts.second_sid_filed, test_attempts.test_the_second_attempt_fails_after_the_first_was_accepted, {"first_word": "failed"}),
    Control("message of ours taken for a person's", r"'superseded' != 'parked'", doubts.ours_taken_for_a_persons, test_settle.test_an_unknown_message_at_the_time_of_an_attempt_parks),
    Control("message of ours taken for an answer given elsewhere", r"'Abrimos.* == 'Entregamos no centro", doubts.ours_taken_for_an_answer_given_elsewhere, test_other_forms.test_what_may_be_ours_is_nobody_elses_answer),
    Control("circuit closed at a restart", r"assert 2 == 1", doubts.circuit_closed_at_a_restart, test_pauses.test_a_young_doubt_pauses_the_account_at_a_start, {"away": 30, "waits": True}),
    Control("parked without a letter", r"one more item: 'not sure it arrived'", doubts.parked_without_a_letter, test_settle.test_an_unknown_message_at_the_time_of_an_attempt_parks),
    Control("signature of any account", r"\('branch', 'main'\): \[200, 204\]|'branch', 'shut'", signed_by_any_account, test_signers.test_every_token_with_every_accounts_webhooks),
    Control("catch-up ends at the first account that is unreadable", r"\[\] == \['missed'\]|'missed'", catch_up_ends_at_an_unreadable_account, test_accounts_apart.test_the_others_are_fetched_whoever_is_unreadable),
    Control("opt-out of one number of a service", r"False != .*True|\+551140000002.*False", opt_out_of_one_number, test_services.test_an_opt_out_counts_for_the_services_numbers),
    Control("superseded although a person answered", r"Left contains one more item: '(sent|delivered)'", doubts.superseded_although_a_person_answered, test_settle.test_a_person_who_wrote_later_has_answered),
    Control("away said twice in a closing", r"Left contains 2 more items", away_for_every_message, test_away.test_said_once_in_a_closing),
    Control("number answers the last menu written", r"'(Alugamos|Vendemos)\.' == ", a_number_answers_the_last_menu_written, test_menus.test_a_number_answers_the_last_menu_that_reached_the_customer),
    Control("deleted content is not overwritten", r"Left contains [12] more item", deleted_is_not_overwritten, test_forget.test_a_large_history_goes_in_steps),
    Control("the write-ahead log is not emptied", r"Left contains [12] more item", the_log_is_not_emptied, test_forget.test_a_redelivery_is_not_answered),
    Control("the forgotten are on no list", r"Extra items in the left set", the_forgotten_not_listed, test_copies.test_a_restored_copy_forgets_again_before_it_serves),
    Control("sids die with their rows", r"Left contains one more item: '", sids_die_with_their_rows, test_forget.test_a_redelivery_is_not_answered),
    Control("forgotten while in doubt", r"\['done'\] == \['waiting'\]", a_doubt_is_not_waited_for, test_steps.test_a_send_in_doubt_is_settled_first),
    Control("opt-out not seen by another address", r"\[True, False\] == \[True, True\]", breakages.consent_by_address, test_consent.test_who_leaves_by_one_address_has_left_by_the_other),
    Control("loop guard by address alone", r"\(4, 4\) == \(2, 2\)", loop_guard_by_address, test_lanes.test_the_loop_guard_counts_the_person),
    Control("log read for one address alone", r"\(\['Abrimos.* == \(\[\]", doubts.read_for_one_address, test_doubt.test_a_send_that_is_listed_under_the_other_address_is_ours),
    Control("draft that ignores another address", r"\['Re: um'\] == \[\]", another_addresss_message_ignored, test_lanes.test_two_lanes_with_live_jobs_when_they_become_one),
    Control("pause not checked in the sending unit", r"\['You asked: um'\] == \[\]", pause_not_checked_before_sending, test_held.test_a_pause_between_draft_and_sending, {"scope": "box"}),
    Control("claims not held by a pause", r"\(3, \[.* == \(1, \[", pause_holds_no_claims, test_held.test_no_model_is_asked_and_nothing_is_said_until_somebody_resumes, {"scope": "organization"}),
    Control("answered however long it waited for a pause", r"index 1 diff: 'answered' != 'dead'", answered_however_long_it_waited, test_held.test_what_waited_too_long_becomes_a_card, {"scope": "box"}),
    Control("deadlines run on during a pause", r"Desculp.* == .*You asked: um", deadlines_run_on_during_a_pause, test_held.test_deadlines_stand_still),
    Control("undone link made again by what Twilio tells", r"Right contains one more item", joined_again_by_twilio, test_evidence.test_what_the_owner_undid_stays_undone),
    Control("word from the console not heard", r"assert 3 == 2", the_console_is_not_heard, test_overheard.test_a_word_from_the_console_takes_over),
    Control("own echo taken for a person", r"'taken' is None", our_own_echo_is_a_person, test_overheard.test_its_own_echo_is_no_person),
    Control("word heard again after a give-back", r"'taken' is None", heard_again_after_a_give_back, test_overheard.test_who_was_given_back_is_not_taken_by_the_same_word_again),
    Control("taking over counted as a word", r"\[\] == \['waiting'\]", taking_over_is_a_word, test_hands.test_taking_over_is_no_word),
    Control("machines not told from people", r"assert 20 <= 6", machines_are_not_told, test_machines.test_two_of_our_boxes_fall_silent, {"who": "long", "words": "Oi", "seconds": 0}),
]  # fmt: skip
