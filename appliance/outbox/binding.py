"""What Twilio names: a message of its own for an attempt of ours, by the POST's answer, a callback or its log.

Whatever state the row is in, a sid binds it; a row is as good as its best message. Every change here happens in the
caller's unit of work. Sources: Twilio docs, "Messages resource", "Track the message status of outbound messages".
"""

import re
from collections.abc import Sequence
from typing import Any

from appliance.config import Config
from appliance.handover import charge
from appliance.model import (
    ANSWER,
    MANUAL,
    SECOND,
    JobKind,
    JobStatus,
    OutboxMessage,
    OutboxState,
    StoredMessage,
    TextKey,
    is_forgotten,
    masked,
)
from appliance.outbox.evidence import OPEN
from appliance.people import identity
from appliance.queue.lane import follow
from appliance.store import Tx, cards
from appliance.store.attempts import Attempt
from appliance.store.cards import CardKind
from appliance.store.events import SIGNED_BY, UNNAMED
from appliance.store.news import Event, Level
from appliance.twilio import codes
from appliance.wire import Alias, DeliveryReport, LoggedMessage

RANK = {"accepted": 1, "scheduled": 1, "queued": 2, "sending": 3, "sent": 4, "delivered": 5, "read": 6}
FINAL_FAILURES = frozenset({"failed", "undelivered", "canceled"})
_REFERENCE = re.compile(r"([0-9]{1,17})\.([1-9][0-9]{0,8})\.([0-9a-f]{16})")  # the row, its attempt, its tag


def apply(tx: Tx, report: DeliveryReport, config: Config) -> OutboxMessage | None:
    """Take a status callback: any order, twice, early, or for nothing we know; all are kept. The row it is about."""
    found = _REFERENCE.fullmatch(report.reference)
    row = tx.outbox.get(int(found[1])) if found and report.sid else None
    number = int(found[2]) if found else 0
    if row is not None and is_forgotten(row.recipient):
        return None
    if row is None or found is None or not _is_ours(tx, row, number, found[3], report):
        if not tx.forgotten.knows(report.sid):
            tx.events.insert(report, None, _of_nothing(report))
        return None
    report = _also_called(tx, row, report)
    # Equal bodies in doubt are settled together: Twilio's log may have given the sid to another row than this one. It
    # stays that row's, as a guess, until a callback for that row names another.
    holder = tx.outbox.holding(row.contact_id, report.sid)
    guessed, row = holder is not None and holder.id != row.id, holder or row
    tx.events.insert(report, row.id, "" if report.recipient in ("", row.recipient) else "differing To")
    name(tx, row, number, report.sid, report.status, report.error_code, guessed=guessed)
    derive(tx, row, config)
    return row


def _of_nothing(report: DeliveryReport) -> str:
    """The note of what names no row: whose it is, or two accounts with one number could not be told apart."""
    return UNNAMED if report.account_sid or len(report.accounts) != 1 else SIGNED_BY + report.accounts[0]


def _also_called(tx: Tx, row: OutboxMessage, report: DeliveryReport) -> DeliveryReport:
    """Twilio tells of our message under another address than the one that we gave: it is the same person's. The report,
    without an address that was forgotten since.
    """
    told = report.recipient
    if told in ("", row.recipient) or told.rpartition(":")[0] != row.recipient.rpartition(":")[0]:
        return report
    contact = tx.contacts.get(row.contact_id)
    assert contact is not None
    aliases = [Alias(told, "To of a callback")]
    gone = identity.forgotten(tx, contact.channel_id, aliases, row.created_at)
    identity.note(tx, contact, [] if gone else aliases)
    return report.without(gone)


def _is_ours(tx: Tx, row: OutboxMessage, number: int, tag: str, report: DeliveryReport) -> bool:
    """The tag proves it, from the account that made the attempt; what else it says must not contradict it.

    Of attempts that an older version made the tags are gone: Twilio's signature over the reference is their proof.
    """
    attempt = next((each for each in tx.attempts.of(row.id) if each.number == number), None)
    proven = attempt.tag in (tag, "") if attempt else number < row.attempt
    account = (attempt and attempt.account) or row.account
    return proven and account in report.accounts and report.sender in ("", row.sender)


def bind(tx: Tx, row: OutboxMessage, logged: LoggedMessage, config: Config) -> None:
    """Twilio's log shows a row's text: it is this message, unless a callback knows better."""
    name(tx, row, _unnamed(tx, row), logged.sid, logged.status, logged.error_code, guessed=True)
    derive(tx, row, config)


def _unnamed(tx: Tx, row: OutboxMessage) -> int:
    """The row's first attempt without a sid; 0 where there is none."""
    return next((attempt.number for attempt in tx.attempts.of(row.id) if attempt.sid is None), 0)


def name(
    tx: Tx, row: OutboxMessage, number: int, sid: str, status: str, code: int | None, *, guessed: bool = False
) -> None:
    """Twilio has an attempt as this message, or moves it on; never backwards."""
    attempts = {attempt.number: attempt for attempt in tx.attempts.of(row.id)}
    known = next((attempt for attempt in attempts.values() if attempt.sid == sid), None)
    if known is not None and not _is_forward(known.status, status):
        return
    if status in FINAL_FAILURES:
        heed(tx, row, code)
    if known is not None:
        tx.attempts.name(row.id, known.number, sid, status, code, guessed=guessed and bool(known.guessed))
        return
    attempt = attempts.get(number)
    if attempt is None or (attempt.sid is not None and not attempt.guessed):
        tx.attempts.add(row.id, sid, status, code)
        return
    tx.attempts.name(row.id, number, sid, status, code, guessed=guessed)
    if attempt.sid is not None:
        _pass_on(tx, row, attempt)


def _pass_on(tx: Tx, row: OutboxMessage, attempt: Attempt) -> None:
    """A callback outranks the log's guess: what the row was thought to be is an equal row, in doubt before given up."""
    assert attempt.sid is not None
    equal = (other for other in tx.outbox.unresolved_to(row.contact_id) if other.body == row.body)
    heir = min(equal, key=lambda other: other.state not in OPEN, default=None)
    if heir is None:
        tx.attempts.add(row.id, attempt.sid, attempt.status, attempt.error_code)
        return
    name(tx, heir, _unnamed(tx, heir), attempt.sid, attempt.status, attempt.error_code, guessed=True)
    derive_row(tx, heir)


def _is_forward(old: str, new: str) -> bool:
    return old not in FINAL_FAILURES and (new in FINAL_FAILURES or RANK.get(new, 0) > RANK.get(old, 0))


def derive(tx: Tx, row: OutboxMessage, config: Config) -> None:
    """The row becomes what its best message is, and its conversation goes on with what that changes."""
    if derive_row(tx, row):
        follow(tx, row, config)


def derive_row(tx: Tx, row: OutboxMessage) -> bool:
    """Whether that answers the customer, or does not any more."""
    named = [attempt for attempt in tx.attempts.of(row.id) if attempt.sid is not None]
    good = [attempt for attempt in named if attempt.status not in FINAL_FAILURES]
    best = max(good or named, key=lambda each: (RANK.get(each.status, 0), each.sid == row.sid, -each.number))
    state = OutboxState.FAILED
    if good:
        state = OutboxState(best.status) if best.status in ("delivered", "read") else OutboxState.SENT
    changes = {"sid": best.sid, "status": best.status, "error_code": best.error_code, "sent_at": row.sent_at or tx.now}
    tx.outbox.update(row.id, state=state, reason="", **changes)
    if row.sent_at is None and (titles := tx.outbox.topics(row.id)):
        organization = tx.organizations.get(row.organization_id)
        assert organization is not None
        tx.topic_answers.count(organization, titles)
    tx.cards.close(CardKind.DOUBT, cards.reply(row.id))
    arrived = bool(good) and row.state not in (OutboxState.SENT, OutboxState.DELIVERED, OutboxState.READ)
    failed = not good and row.state != OutboxState.FAILED
    if arrived:
        _arrived(tx, row)
    if len(good) > 1 and tx.cards.times(CardKind.SENT_TWICE, cards.reply(row.id)) < len(good) - 1:
        tx.cards.open(CardKind.SENT_TWICE, cards.reply(row.id), row.organization_id, who=masked(row.recipient))
    if failed:
        _undelivered(tx, row, best)
    return arrived or failed


def heed(tx: Tx, row: OutboxMessage, code: int | None) -> None:
    """What a code says about the contact, whatever becomes of the row."""
    if code == codes.OPTED_OUT:
        tx.contacts.refused(row.contact_id)
    if code == codes.WINDOW_CLOSED:
        tx.contacts.window_closed(row.contact_id)


def exhume(tx: Tx, row: OutboxMessage) -> None:
    """It is no dead letter, or none any more."""
    for letter in tx.letters.about_row(row.id):
        tx.jobs.settle_dead(letter, JobStatus.DONE)


def _arrived(tx: Tx, row: OutboxMessage) -> None:
    """No second answer either that nobody has sent yet."""
    exhume(tx, row)
    tx.cards.close_each((CardKind.UNDELIVERED, CardKind.NOT_SENT), cards.reply(row.id))
    covers = set(tx.outbox.covers(row.id))
    for draft in tx.outbox.unsent_to(row.contact_id):
        if draft.attempt == 0 and covers & set(tx.outbox.covers(draft.id)):
            tx.outbox.end(draft.id, OutboxState.SUPERSEDED, expected=OutboxState.READY, reason="answered before")
            tx.messages.release(draft.id)
    tx.messages.claim_free(row.id, sorted(covers))
    answered = tx.messages.answered_by(row.id) if covers else []
    _tell(tx, row, answered)
    if row.kind == MANUAL:
        charge.spoke_through_us(tx, row)
    elif row.kind == ANSWER and (back := [each for each in answered if each.handed_back]):
        charge.answered_after_all(tx, row.contact_id, back)


def _tell(tx: Tx, row: OutboxMessage, answered: Sequence[StoredMessage]) -> None:
    """One line for each message that it answers; the friendly text is no answer."""
    event: Event | str = "apologised" if row.kind == TextKey.UNAVAILABLE else Event.ANSWERED
    about: dict[str, Any] = {"organization": row.organization_id, "outbox": row.id, "attempt": row.attempt}
    for message in answered:
        seconds = max(0, tx.now - message.received_at) / SECOND
        level: Level = "info" if event == Event.ANSWERED else "debug"
        tx.tell(event, level, message=message.sid, source=row.source, seconds=seconds, **about)


def _undelivered(tx: Tx, row: OutboxMessage, failed: Attempt) -> None:
    words = codes.explain(failed.error_code)
    tx.outbox.update(row.id, reason=words)
    if tx.outbox.covers(row.id) and not tx.messages.answered_by(row.id):
        return  # its questions were answered by another
    message = next((each.sid for each in tx.messages.answered_by(row.id)), None)
    tx.tell("not delivered", "warning", message=message, organization=row.organization_id, outbox=row.id, error=words)
    about = {"who": masked(row.recipient), "code": failed.error_code}
    tx.cards.open(CardKind.UNDELIVERED, cards.reply(row.id), row.organization_id, more=1, **about)
    bury(tx, row, words)


def bury(tx: Tx, row: OutboxMessage, error: str) -> None:
    """The row ended without an answer: a dead letter, unless its burst has one."""
    if row.kind == TextKey.UNAVAILABLE or tx.letters.about_row(row.id):
        return
    about = tx.messages.answered_by(row.id)
    conversation = tx.conversations.get(row.conversation_id) if row.conversation_id else None
    payload = {"outbox": row.id} | ({"conversation": conversation.id} if conversation else {})
    lane = conversation.session_key if conversation else None
    tx.jobs.bury(JobKind.SEND, lane, error, about[0].sid if about else None, **payload)
