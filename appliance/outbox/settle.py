"""settle_doubt: look into Twilio's log for sends whose outcome is unknown; bind, send once more, or ask a person."""

from collections.abc import Sequence
from itertools import groupby

from appliance import restoration
from appliance.config import Config
from appliance.model import MANUAL, MINUTE, SECOND, Job, OutboxMessage
from appliance.outbox import delivery, doubt
from appliance.outbox.doubt import Finding, Verdict
from appliance.ports import Clock, LogUnavailableError, MessageLog
from appliance.queue.outcome import Done, Outcome, Snooze
from appliance.queue.tolerance import Tolerance
from appliance.store import Store, Tx
from appliance.store.cards import BOX, CardKind
from appliance.wire import LogRead

AGAIN = 30 * SECOND  # Twilio's log could not be read, or the contact is being written to
LATER = 5 * MINUTE  # after it failed again and again
YOUNG = 30 * MINUTE  # an older answer is not sent by itself any more
ATTEMPTS = 2


class SettleHandler:
    def __init__(self, store: Store, log: MessageLog, config: Config, clock: Clock) -> None:
        self._store = store
        self._log = log
        self._config = config
        self._clock = clock

    async def run(self, _job: Job) -> Outcome:
        try:
            due = await self.settle()
        except LogUnavailableError:
            return Snooze(self._clock.now() + AGAIN, "Twilio's log cannot be read")
        if due is None:
            return Done(_well)
        return Snooze(max(due, self._clock.now() + SECOND), "the grace is not over", _well)

    def give_up(self, _job: Job, error: str) -> Outcome:
        text = f"What became of sends in doubt cannot be found out: {error}."
        return Snooze(self._clock.now() + LATER, error, lambda tx: tx.cards.open(CardKind.SETTLE, BOX, text))

    async def settle(self) -> int | None:
        """Settle what can be settled now; when the next row is due (ms UTC). Raises LogUnavailableError."""
        rows, began = await self._store.read(lambda tx: (tx.outbox.in_doubt(), restoration.grace_began(tx)))
        later: list[int] = []
        tolerance = Tolerance()
        for _, pair in groupby(sorted(rows, key=lambda row: (row.contact_id, row.id)), lambda row: row.contact_id):
            doubtful = list(pair)
            last = max(began, *(row.sending_at or row.created_at for row in doubtful))
            due = last + self._config.twilio.doubt_grace
            if due > self._clock.now():
                later.append(min(due, self._clock.now() + self._config.twilio.doubt_grace))
            elif not await tolerance.attempt(self._settle_pair(doubtful)):
                later.append(self._clock.now() + AGAIN)
        tolerance.tell()
        return min(later, default=None)

    async def _settle_pair(self, rows: Sequence[OutboxMessage]) -> bool:
        """False where something moved meanwhile, or another answer to the contact is on its way."""
        first = rows[0]
        start = doubt.begun(rows)
        log = await self._log.read(sender=first.sender, recipient=first.recipient, since=start, ours=True)
        return await self._store.write(lambda tx: _apply(tx, rows, log, self._config))


def _well(tx: Tx) -> None:
    tx.cards.close(CardKind.SETTLE, BOX)


def _apply(tx: Tx, rows: Sequence[OutboxMessage], log: LogRead, config: Config) -> bool:
    contact_id = rows[0].contact_id
    current = [row for row in tx.outbox.in_doubt() if row.contact_id == contact_id]
    if [(row.id, row.attempt) for row in current] != [(row.id, row.attempt) for row in rows]:
        return False
    if tx.outbox.is_sending_to(contact_id):
        return False
    verdicts = doubt.judge(rows, log, tx.outbox.sids_of(contact_id))
    verdicts.sort(key=lambda verdict: verdict.finding != Finding.SENT)  # an older answer is not sent again behind one
    concluded = [_conclude(tx, verdict, config) for verdict in verdicts]  # every one, also after a False
    return all(concluded)


def _conclude(tx: Tx, verdict: Verdict, config: Config) -> bool:
    """False where it must wait for its turn."""
    row, logged = verdict.row, verdict.logged
    if logged is not None:
        delivery.advance(tx, row, logged.sid, logged.status, logged.error_code)
    elif why := _why_not_again(tx, verdict, config):
        delivery.park(tx, row, why)
    else:
        return delivery.resend(tx, row)
    return True


def _why_not_again(tx: Tx, verdict: Verdict, config: Config) -> str:
    row = verdict.row
    reasons = {
        "another message to this customer stands in Twilio's log.": verdict.finding == Finding.UNCLEAR,
        "twilio.on_doubt is park.": config.twilio.on_doubt == "park",
        "it was not an answer.": row.kind == MANUAL,
        "it was tried twice.": row.attempt >= ATTEMPTS,
        "it is too old to be sent again by itself.": row.created_at + YOUNG <= tx.now,
        "a newer message reached the customer.": tx.outbox.newer_reply(row.contact_id, row.id),
    }
    return next((why for why, holds in reasons.items() if holds), "")
