"""The outbox's life around a POST: ready → sending → what it came to, or doubt; and how a doubt ends.

Every change here happens in the caller's unit of work. What Twilio names is bound in `binding`.
"""

from typing import Any

from appliance import texts
from appliance.config import Config
from appliance.handover import charge
from appliance.model import (
    ANSWERED_ELSEWHERE,
    MANUAL,
    MINUTE,
    Held,
    JobKind,
    JobStatus,
    OutboxMessage,
    OutboxState,
    TextKey,
    masked,
)
from appliance.outbox import binding, permission
from appliance.queue.lane import follow
from appliance.store import Tx, cards
from appliance.store.cards import CardKind, Fact
from appliance.store.news import Event
from appliance.twilio import codes, encoding
from appliance.wire import Blame, SendOutcome, TwilioMessageResult

PATIENCE = MINUTE  # with a limit of Twilio's


def begin(tx: Tx, outbox_id: int, tag: str, config: Config) -> OutboxMessage | None:
    """All checks, and `sending`, in one unit. None: nothing to send (any more), and the row says why."""
    row = tx.outbox.get(outbox_id)
    if row is not None and row.state == OutboxState.SENDING:
        doubt(tx, row, "an earlier attempt ended without a result")
    if row is None or row.state != OutboxState.READY:
        return None
    if tx.outbox.covers(row.id) and not tx.messages.answered_by(row.id):
        tx.outbox.end(row.id, OutboxState.SUPERSEDED, expected=OutboxState.READY, reason="answered before")
        return None
    row = _as_it_is_now(tx, row)
    if permission.is_superseded(tx, row):
        tx.outbox.end(row.id, OutboxState.SUPERSEDED, expected=OutboxState.READY, reason="newer message")
        tx.messages.release(row.id)
        return None
    if found := permission.forbidden(tx, row, config):
        failed = found.reason in ("damaged", "too old")
        state = OutboxState.FAILED if failed else OutboxState.SUPPRESSED
        tx.outbox.end(row.id, state, expected=OutboxState.READY, reason=found.reason)
        if found.card:
            _card(tx, row, CardKind.NOT_SENT, why=found.card, **found.facts)
        if failed:
            binding.bury(tx, row, found.reason)
        if found.reason == Held.IN_CHARGE:
            charge.withdrawn(tx, row)
        return None
    if permission.is_paused(tx, row):
        _keep_back(tx, row)
        return None
    tx.tell("handed to Twilio", outbox=row.id, organization=row.organization_id, attempt=row.attempt + 1)
    tx.attempts.begin(row.id, row.attempt + 1, tag)
    return tx.outbox.begin(row, tag)


def _as_it_is_now(tx: Tx, row: OutboxMessage) -> OutboxMessage:
    """That we are closed is not said any more where it opened meanwhile, but that a person will answer."""
    contact = tx.contacts.get(row.contact_id) if row.kind == TextKey.AWAY and row.attempt == 0 else None
    if contact is None or contact.due_at is None or contact.due_at > tx.now:
        return row
    organization = tx.organizations.get(row.organization_id)
    assert organization is not None
    body = texts.fit(encoding.outgoing(texts.render(TextKey.HANDOFF, organization), row.recipient))
    return tx.outbox.reword(row, TextKey.HANDOFF, body)


def _keep_back(tx: Tx, row: OutboxMessage) -> None:
    """A pause: its messages are answered anew, and of those that the friendly text stood for no dead letter waits."""
    tx.outbox.end(row.id, OutboxState.SUPERSEDED, expected=OutboxState.READY, reason="paused")
    if row.kind == TextKey.UNAVAILABLE and row.conversation_id is not None:
        for letter in tx.letters.about_messages(row.conversation_id, [m.id for m in tx.messages.answered_by(row.id)]):
            tx.jobs.settle_dead(letter, JobStatus.DONE)
        if not tx.letters.about_conversation(row.conversation_id):
            tx.cards.close(CardKind.COULD_NOT_ANSWER, cards.conversation(row.conversation_id))
    tx.messages.release(row.id)


def record(tx: Tx, row: OutboxMessage, result: TwilioMessageResult, config: Config) -> None:
    """Write what the POST came to, unless a callback was faster."""
    match result.outcome:
        case SendOutcome.ACCEPTED:
            tx.cards.close(CardKind.TWILIO, cards.account(row.account))
            tx.cards.close(CardKind.TWILIO, cards.channel(row.channel_id))
            assert result.sid is not None
            current = tx.outbox.get(row.id)
            assert current is not None
            tx.tell("taken by Twilio", outbox=row.id, sid=result.sid, status=result.status)
            binding.name(tx, row, row.attempt, result.sid, result.status or "", result.code)
            binding.derive(tx, current, config)
            if result.segments:
                tx.outbox.charged(row.id, result.sid, result.segments)
        case SendOutcome.NOT_SENT:
            _not_sent(tx, row, result)
        case SendOutcome.REFUSED:
            _refused(tx, row, result)
        case SendOutcome.DOUBT:
            found = result.trouble
            doubt(tx, row, str(found) if found else f"Twilio gave no clear answer ({result.detail})")


def _not_sent(tx: Tx, row: OutboxMessage, result: TwilioMessageResult) -> None:
    """It counts as no attempt: only what may have been sent does."""
    if tx.outbox.end(row.id, OutboxState.READY, expected=OutboxState.SENDING, attempt=row.attempt - 1):
        tx.attempts.forget(row.id, row.attempt)
    account, code = row.account, result.code
    if result.retry_after is not None or code in (codes.RATE_LIMITED, codes.QUEUE_FULL):
        if result.trouble is None and _takes_none(tx, row):
            tx.cards.open(CardKind.TWILIO, cards.account(account), account=account, code=code or codes.RATE_LIMITED)
        return
    if code == codes.UNAUTHORIZED:  # the watch tells of it, whoever hears it first
        return
    if result.blame == Blame.DAY:
        tx.cards.open(CardKind.TWILIO, cards.account(account), account=account, code=code, case="day")
    if result.blame == Blame.ACCOUNT:
        tx.cards.open(CardKind.TWILIO, cards.account(account), account=account, code=code)
    if result.blame == Blame.SENDER:
        subject = cards.channel(row.channel_id)
        tx.cards.open(CardKind.TWILIO, subject, row.organization_id, account=account, code=code)


def _takes_none(tx: Tx, row: OutboxMessage) -> bool:
    """A limit that passes is told to nobody, one that lets nothing through is."""
    since = tx.now - PATIENCE
    return row.created_at <= since and not tx.outbox.was_taken_since(row.account, since)


def _refused(tx: Tx, row: OutboxMessage, result: TwilioMessageResult) -> None:
    values = {"reason": result.detail, "error_code": result.code}
    tx.attempts.refused(row.id, row.attempt)
    binding.heed(tx, row, result.code)
    if not tx.outbox.end(row.id, OutboxState.FAILED, expected=OutboxState.SENDING, **values):
        _goes_on(tx, row.id)
        return
    _card(tx, row, CardKind.NOT_SENT, code=result.code)


def doubt(tx: Tx, row: OutboxMessage, detail: str) -> None:
    """Nobody knows whether it was sent. It is not sent again without evidence."""
    if tx.outbox.end(row.id, OutboxState.DOUBT, expected=OutboxState.SENDING, reason=detail):
        tx.attempts.end(row.id, row.attempt)
        _card(tx, row, CardKind.DOUBT, why=detail)
        _tell(tx, row, Event.DOUBT, detail)
        tx.jobs.tick(JobKind.SETTLE)


def doubt_again(tx: Tx, row: OutboxMessage) -> None:
    """It was about to be sent once more, and the log does not prove any longer that it was not."""
    if tx.outbox.end(row.id, OutboxState.DOUBT, expected=OutboxState.READY, reason="the log is behind"):
        tx.jobs.tick(JobKind.SETTLE)


def resend(tx: Tx, row: OutboxMessage, config: Config) -> None:
    """Twilio's log proves that it was not sent: once more, in its turn, through all the checks again."""
    if tx.outbox.end(row.id, OutboxState.READY, expected=OutboxState.DOUBT, reason="not in Twilio's log"):
        tx.cards.close(CardKind.DOUBT, cards.reply(row.id))
        follow(tx, row, config)


def supersede(tx: Tx, row: OutboxMessage, why: str, config: Config) -> None:
    """It was not sent, and it is too late to send it: its messages are answered anew."""
    _withdraw(tx, row, why)
    tx.messages.release(row.id)
    follow(tx, row, config)


def answered_by_a_person(tx: Tx, row: OutboxMessage, config: Config) -> None:
    """It was not sent, and somebody else has written to the customer since."""
    about = [message.id for message in tx.messages.answered_by(row.id)]
    _withdraw(tx, row, "answered by a person")
    tx.messages.release(row.id)
    tx.messages.suppress(about, ANSWERED_ELSEWHERE)
    follow(tx, row, config)


def _withdraw(tx: Tx, row: OutboxMessage, why: str) -> None:
    tx.outbox.end(row.id, OutboxState.SUPERSEDED, expected=row.state, reason=why)
    tx.cards.close(CardKind.DOUBT, cards.reply(row.id))
    if row.kind == MANUAL:  # no question brings an operator's words back
        _card(tx, row, CardKind.NOT_SENT, why=why)
        binding.bury(tx, row, why)


def park(tx: Tx, row: OutboxMessage, why: str, **facts: Fact) -> None:
    """Whether it was sent cannot be told from Twilio's log: a person decides."""
    if tx.outbox.end(row.id, OutboxState.PARKED, expected=row.state, reason=why):
        _card(tx, row, CardKind.DOUBT, case="parked", why=why, **facts)
        _tell(tx, row, "left to a person", why)
        binding.bury(tx, row, f"not sure it arrived: {why}")


def park_again(tx: Tx, outbox_id: int, said: str) -> None:
    """It was about to be sent once more, and no read can prove that it was not."""
    row = tx.outbox.get(outbox_id)
    if row is not None and row.state == OutboxState.READY:
        park(tx, row, "Twilio's log is too long to be read", said=said)


def strand(tx: Tx, outbox_id: int, error: str) -> None:
    """The job that should send this row cannot go on; a dead letter it is where the row ends with it."""
    row = tx.outbox.get(outbox_id)
    if row is None:
        return
    if tx.outbox.end(row.id, OutboxState.FAILED, expected=OutboxState.READY, reason=error):
        _card(tx, row, CardKind.NOT_SENT, why=error)
        return
    if row.state == OutboxState.SENDING:
        doubt(tx, row, error)
    _goes_on(tx, row.id)


def _goes_on(tx: Tx, outbox_id: int) -> None:
    """The row has an answer, is looked for in Twilio's log or was replaced: the end of its job is no dead letter."""
    row = tx.outbox.get(outbox_id)
    if row is not None and row.state not in (OutboxState.FAILED, OutboxState.PARKED):
        binding.exhume(tx, row)


def settle_crashed(tx: Tx) -> None:
    """At start: a process died between `sending` and the result; these rows are in doubt for it."""
    for outbox_id in tx.outbox.in_state(OutboxState.SENDING):
        row = tx.outbox.get(outbox_id)
        assert row is not None
        doubt(tx, row, "the appliance stopped while sending")


def _tell(tx: Tx, row: OutboxMessage, event: str, why: str) -> None:
    about = next((each.sid for each in tx.messages.answered_by(row.id)), None)
    whose: dict[str, Any] = {
        "message": about,
        "organization": row.organization_id,
        "outbox": row.id,
        "attempt": row.attempt,
    }
    tx.tell(event, "warning", error=why, **whose)


def _card(tx: Tx, row: OutboxMessage, kind: CardKind, **facts: Fact) -> None:
    tx.cards.open(kind, cards.reply(row.id), row.organization_id, more=1, who=masked(row.recipient), **facts)
