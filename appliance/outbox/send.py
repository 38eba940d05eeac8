"""send_reply: hand one outbox row to Twilio, once."""

import secrets
from functools import partial

from appliance.clock import milliseconds
from appliance.config import Config
from appliance.model import SECOND, Job, OutboxMessage, channel_resource
from appliance.outbox import delivery
from appliance.ports import Clock, Sender
from appliance.queue.circuit import ACCOUNT, Circuits
from appliance.queue.outcome import Dead, Done, Outcome, Snooze
from appliance.store import Store
from appliance.twilio.codes import QUEUE_FULL_WAIT
from appliance.wire import Blame, OutboundMessage, SendOutcome, TwilioMessageResult


class SendHandler:
    def __init__(self, store: Store, sender: Sender, config: Config, clock: Clock, circuits: Circuits) -> None:
        self._store = store
        self._sender = sender
        self._config = config
        self._clock = clock
        self._circuits = circuits

    async def run(self, job: Job) -> Outcome:
        tag = secrets.token_hex(8)
        row = await self._store.write(lambda tx: delivery.begin(tx, job.payload["outbox"], tag, self._config))
        if row is None:
            return Done()
        message = OutboundMessage(row.sender, row.recipient, row.body, f"{row.id}.{row.attempt}.{tag}")
        result = await self._sender.send(message)
        self._tell_circuits(row, result)
        return self._outcome(row, result)

    def give_up(self, job: Job, error: str) -> Outcome:
        """What is in the outbox stays as it is; a row that was being sent is in doubt."""
        return Dead(error, lambda tx: delivery.strand(tx, job.payload["outbox"], error))

    def _tell_circuits(self, row: OutboxMessage, result: TwilioMessageResult) -> None:
        now = milliseconds(self._clock)
        wait = None if result.retry_after is None else int(result.retry_after * SECOND)
        account, channel = self._circuits.get(ACCOUNT), self._circuits.get(channel_resource(row.channel_id))
        if result.blame in (Blame.ACCOUNT, Blame.NETWORK):
            account.parked(now, wait)
        elif result.blame == Blame.SENDER:
            account.succeeded()
            channel.parked(now, wait)
        elif result.outcome in (SendOutcome.ACCEPTED, SendOutcome.REFUSED):
            account.succeeded()
            channel.succeeded()

    def _outcome(self, row: OutboxMessage, result: TwilioMessageResult) -> Outcome:
        effects = partial(delivery.record, row=row, result=result)
        if result.outcome == SendOutcome.NOT_SENT:
            pause = QUEUE_FULL_WAIT if result.blame == Blame.NOTHING else 0
            return Snooze(self._clock.now() + int(pause * SECOND), result.detail, effects)
        return Dead(result.detail, effects) if result.outcome == SendOutcome.REFUSED else Done(effects)
