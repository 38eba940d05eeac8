"""send_reply: hand one outbox row to Twilio, once."""

import secrets
from functools import partial

from appliance.config import Config
from appliance.model import SECOND, Job, OutboxMessage, OutboxState, account_of, channel_resource
from appliance.outbox import consequences, delivery
from appliance.outbox.evidence import Claim
from appliance.outbox.settle import claim_of, is_still_absent, read
from appliance.ports import Accounts, Clock, LogUnavailableError, TooMuchError
from appliance.queue.circuit import Circuits, access_of
from appliance.queue.outcome import Dead, Done, Outcome, Snooze
from appliance.queue.tolerance import unreadable
from appliance.store import Store, Tx
from appliance.twilio import codes
from appliance.wire import Blame, LogRead, OutboundMessage, SendOutcome, TwilioMessageResult

LONGEST_VALIDITY = 36_000  # seconds: Twilio takes 1 to so many
PAUSES = {Blame.NOTHING: 120.0, Blame.RECIPIENT: 60.0}  # seconds: the number's queue is full; this contact's limit


class SendHandler:
    def __init__(self, store: Store, accounts: Accounts, config: Config, clock: Clock, circuits: Circuits) -> None:
        self._store = store
        self._accounts = accounts
        self._config = config
        self._clock = clock
        self._circuits = circuits

    async def run(self, job: Job) -> Outcome:
        try:
            look = await self._look(job.payload["outbox"])
        except TooMuchError as error:  # it will stay so: a person decides
            said = str(error)
            return Done(lambda tx: delivery.park_again(tx, job.payload["outbox"], said))
        except LogUnavailableError as error:
            return unreadable(self._clock.now(), {account_of(job.resource): error})
        tag = secrets.token_hex(8)

        def begin(tx: Tx) -> OutboxMessage | None:
            outbox_id = job.payload["outbox"]
            if look is not None and not is_still_absent(tx, *look, self._config):
                return None
            return delivery.begin(tx, outbox_id, tag, self._config)

        row = await self._store.write(begin)
        if row is None:
            return Done()
        left = (row.created_at + self._config.queue.reply_max_age - self._clock.now()) // SECOND
        valid_for = min(max(left, 1), LONGEST_VALIDITY)
        message = OutboundMessage(row.sender, row.recipient, row.body, f"{row.id}.{row.attempt}.{tag}", valid_for)
        result = await self._accounts[row.account].sender.send(message)
        consequences.of_result(self._circuits, self._clock, row, result)
        return self._outcome(row, result)

    async def _look(self, outbox_id: int) -> tuple[Claim, LogRead, LogRead] | None:
        """A row that was handed over before is looked for again: an absence serves one POST directly after its read."""

        def earlier(tx: Tx) -> Claim | None:
            row = tx.outbox.get(outbox_id)
            return claim_of(tx, row) if row and row.attempt and row.state == OutboxState.READY else None

        claim = await self._store.read(earlier)
        if claim is None:
            return None
        log = self._accounts[claim.row.account].log
        of_channel = await log.sent(claim.row.sender, claim.began, ours=True)
        return claim, await read(log, [claim], of_channel), of_channel

    def give_up(self, job: Job, error: str) -> Outcome:
        """What is in the outbox stays as it is; a row that was being sent is in doubt."""
        return Dead(error, lambda tx: delivery.strand(tx, job.payload["outbox"], error))

    def _outcome(self, row: OutboxMessage, result: TwilioMessageResult) -> Outcome:
        why = f"{result.detail}: {codes.words(result.code)}" if result.code else result.detail
        effects = partial(delivery.record, row=row, result=result, config=self._config)
        if result.outcome == SendOutcome.NOT_SENT:
            at = self._clock.now() + int(PAUSES.get(result.blame, 0.0) * SECOND)
            return Snooze(at, why, effects, trouble=consequences.circuit_of(row, result.blame))
        if result.outcome == SendOutcome.REFUSED:
            return Dead(why, effects)
        works = [access_of(row.account), channel_resource(row.channel_id, row.account)]
        return Done(effects, over=works if result.outcome == SendOutcome.ACCEPTED else ())
