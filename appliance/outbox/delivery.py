"""The outbox's life: ready → sending → sent → delivered or read; failed; doubt. Never backwards.

Every change here happens in the caller's unit of work. Sources: Twilio docs, "Messages resource" and "Track the
message status of outbound messages".
"""

import re

from appliance.config import Config
from appliance.handover import charge
from appliance.model import ANSWER, MANUAL, Held, JobKind, OutboxMessage, OutboxState, masked
from appliance.outbox import permission
from appliance.store import Tx, cards
from appliance.store.cards import ACCOUNT, CardKind
from appliance.twilio import codes
from appliance.wire import Blame, DeliveryReport, SendOutcome, TwilioMessageResult

RANK = {"accepted": 1, "scheduled": 1, "queued": 2, "sending": 3, "sent": 4, "delivered": 5, "read": 6}
FINAL_FAILURES = frozenset({"failed", "undelivered", "canceled"})
_REFERENCE = re.compile(r"([0-9]{1,17})\.([1-9][0-9]{0,8})\.([0-9a-f]{16})")  # the row, its attempt, its tag


def begin(tx: Tx, outbox_id: int, tag: str, config: Config) -> OutboxMessage | None:
    """All checks, and `sending`, in one unit. None: nothing to send (any more), and the row says why."""
    row = tx.outbox.get(outbox_id)
    if row is not None and row.state == OutboxState.SENDING:
        doubt(tx, row, "an earlier attempt ended without a result")
    if row is None or row.state != OutboxState.READY:
        return None
    if permission.is_superseded(tx, row):
        tx.outbox.end(row.id, OutboxState.SUPERSEDED, expected=OutboxState.READY, reason="newer message")
        tx.messages.release(row.id)
        return None
    if found := permission.forbidden(tx, row, config):
        state = OutboxState.FAILED if found.reason in ("damaged", "too old") else OutboxState.SUPPRESSED
        tx.outbox.end(row.id, state, expected=OutboxState.READY, reason=found.reason)
        if found.card:
            _card(tx, row, CardKind.NOT_SENT, found.card)
        if found.reason == Held.IN_CHARGE:
            charge.withdrawn(tx, row)
        return None
    return tx.outbox.begin(outbox_id, tag)


def record(tx: Tx, row: OutboxMessage, result: TwilioMessageResult) -> None:
    """Write what the POST came to, unless a callback was faster."""
    match result.outcome:
        case SendOutcome.ACCEPTED:
            _accepted(tx, row, result)
        case SendOutcome.NOT_SENT:
            _not_sent(tx, row, result)
        case SendOutcome.REFUSED:
            _refused(tx, row, result)
        case SendOutcome.DOUBT:
            doubt(tx, row, result.detail)


def _accepted(tx: Tx, row: OutboxMessage, result: TwilioMessageResult) -> None:
    tx.cards.close(CardKind.TWILIO, ACCOUNT)
    tx.cards.close(CardKind.TWILIO, cards.channel(row.channel_id))
    values = {"sid": result.sid, "status": result.status or "", "sent_at": tx.now}
    if tx.outbox.end(row.id, OutboxState.SENT, expected=OutboxState.SENDING, **values):
        _reached(tx, row)
        return
    current = tx.outbox.get(row.id)
    if current is not None and current.sid != result.sid:
        _second_sid(tx, row)


def _not_sent(tx: Tx, row: OutboxMessage, result: TwilioMessageResult) -> None:
    """It counts as no attempt: only what may have been sent does."""
    tx.outbox.end(row.id, OutboxState.READY, expected=OutboxState.SENDING, attempt=row.attempt - 1)
    if result.retry_after is not None or result.code == codes.RATE_LIMITED:
        return
    text = f"Answers are waiting: {codes.explain(result.code)}"
    if result.blame == Blame.ACCOUNT:
        tx.cards.open(CardKind.TWILIO, ACCOUNT, text)
    if result.blame == Blame.SENDER:
        tx.cards.open(CardKind.TWILIO, cards.channel(row.channel_id), text, row.organization_id)


def _refused(tx: Tx, row: OutboxMessage, result: TwilioMessageResult) -> None:
    values = {"reason": result.detail, "error_code": result.code}
    if not tx.outbox.end(row.id, OutboxState.FAILED, expected=OutboxState.SENDING, **values):
        return
    if result.code == codes.OPTED_OUT:
        tx.contacts.refused(row.contact_id)
    _card(tx, row, CardKind.NOT_SENT, f"Could not answer: {codes.explain(result.code)}")


def doubt(tx: Tx, row: OutboxMessage, detail: str) -> None:
    """Nobody knows whether it was sent. It is not sent again without evidence."""
    if tx.outbox.end(row.id, OutboxState.DOUBT, expected=OutboxState.SENDING, reason=detail):
        _card(tx, row, CardKind.DOUBT, f"Not sure it arrived: {detail}")
        tx.jobs.tick(JobKind.SETTLE)


def resend(tx: Tx, row: OutboxMessage) -> bool:
    """Twilio's log proves that it was not sent: once more, through all the checks again.

    In its conversation's lane, so that no other answer overtakes it; False, and still in doubt, while that is busy.
    """
    if not tx.jobs.will_send(row.id):
        conversation = tx.conversations.get(row.conversation_id) if row.conversation_id else None
        if conversation is not None:
            tx.jobs.give_way(conversation.session_key)
        if tx.jobs.send(row.id, row.channel_id, conversation) is None:
            return False
    tx.outbox.end(row.id, OutboxState.READY, expected=OutboxState.DOUBT, reason="not in Twilio's log")
    tx.cards.close(CardKind.DOUBT, cards.reply(row.id))
    return True


def park(tx: Tx, row: OutboxMessage, why: str) -> None:
    """Whether it was sent cannot be told from Twilio's log: a person decides."""
    if tx.outbox.end(row.id, OutboxState.PARKED, expected=OutboxState.DOUBT, reason=why):
        _card(tx, row, CardKind.DOUBT, f"Not sure it arrived: {why}")


def strand(tx: Tx, outbox_id: int, error: str) -> None:
    """The job that should send this row cannot go on."""
    row = tx.outbox.get(outbox_id)
    if row is None:
        return
    if row.state == OutboxState.SENDING:
        doubt(tx, row, error)
    elif tx.outbox.end(row.id, OutboxState.FAILED, expected=OutboxState.READY, reason=error):
        _card(tx, row, CardKind.NOT_SENT, f"Could not answer: {error}")


def apply(tx: Tx, report: DeliveryReport, account_sid: str) -> None:
    """Take a status callback: any order, twice, early, or for nothing we know. Every one is kept."""
    row = _referenced(tx, report, account_sid)
    if row is None:
        tx.events.insert(report, None, "names no row of ours")
        return
    if row.sid != report.sid:
        # Equal bodies in doubt are settled together: Twilio's log may have given the sid to another row than this one.
        row = tx.outbox.by_sid(row.contact_id, report.sid) or row
    earlier = not report.reference.startswith(f"{row.id}.{row.attempt}.")
    if row.sid != report.sid and (row.sid is not None or earlier):
        tx.events.insert(report, row.id, "second sid")
        _second_sid(tx, row)
        return
    tx.events.insert(report, row.id, "" if report.recipient in ("", row.recipient) else "differing To")
    advance(tx, row, report.sid, report.status, report.error_code)


def _referenced(tx: Tx, report: DeliveryReport, account_sid: str) -> OutboxMessage | None:
    """The row that the reference's tag proves; what else the callback says must not contradict it.

    The tags of earlier attempts are gone: Twilio's signature over the reference is the proof of those.
    """
    found = _REFERENCE.fullmatch(report.reference)
    row = tx.outbox.get(int(found[1])) if found and report.sid else None
    if found is None or row is None or report.account_sid not in ("", account_sid):
        return None
    ours = int(found[2]) < row.attempt or (int(found[2]), found[3]) == (row.attempt, row.tag)
    return row if ours and report.sender in ("", row.sender) else None


def advance(tx: Tx, row: OutboxMessage, sid: str, status: str, error_code: int | None) -> None:
    """Twilio has the row as `sid` with this status: bind it where it was not known, move it forward by rank."""
    failed = status in FINAL_FAILURES
    if row.sid is None:
        tx.cards.close(CardKind.DOUBT, cards.reply(row.id))
        tx.outbox.end(row.id, OutboxState.SENT, expected=row.state, sid=sid, sent_at=tx.now, reason="")
        _reached(tx, row)
    elif row.state == OutboxState.FAILED or (not failed and RANK.get(status, 0) <= RANK.get(row.status, 0)):
        return
    tx.outbox.update(row.id, status=status, error_code=error_code)
    if failed:
        words = codes.explain(error_code)
        tx.outbox.update(row.id, state=OutboxState.FAILED, reason=words)
        _card(tx, row, CardKind.UNDELIVERED, f"Could not be delivered: {words}")
    elif status in ("delivered", "read"):
        tx.outbox.update(row.id, state=OutboxState(status))


def _reached(tx: Tx, row: OutboxMessage) -> None:
    """Twilio has it: whoever waits for a person may have been answered."""
    if row.kind == MANUAL:
        charge.spoke_through_us(tx, row)
    elif row.kind == ANSWER:
        returned = [message for message in tx.messages.answered_by(row.id) if message.handed_back]
        if returned:
            charge.answered_after_all(tx, row.contact_id, returned)


def _second_sid(tx: Tx, row: OutboxMessage) -> None:
    _card(tx, row, CardKind.SENT_TWICE, "Twilio reports two messages for one reply: the customer may have it twice.")


def _card(tx: Tx, row: OutboxMessage, kind: CardKind, text: str) -> None:
    tx.cards.open(kind, cards.reply(row.id), f"{masked(row.recipient)}: {text}", row.organization_id)


def settle_crashed(tx: Tx) -> None:
    """At start: a process died between `sending` and the result; these rows are in doubt for it."""
    for outbox_id in tx.outbox.in_state(OutboxState.SENDING):
        row = tx.outbox.get(outbox_id)
        assert row is not None
        doubt(tx, row, "the appliance stopped while sending")
