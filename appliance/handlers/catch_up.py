"""catch_up: fetch what came in while nobody listened, through the same intake, each message once."""

import contextlib
from collections.abc import Callable

from appliance import catch_up
from appliance.catch_up import Arrival, Fate
from appliance.config import Config
from appliance.delivery import RESTORED
from appliance.intake import DuplicateError, receive
from appliance.model import SECOND, Channel, Job
from appliance.outcome import Dead, Done, Outcome, Snooze
from appliance.ports import Clock, LogUnavailableError, MessageLog
from appliance.store import Store, Tx
from appliance.wire import LoggedMessage, LogRead

AGAIN = 30 * SECOND


class CatchUpHandler:
    def __init__(
        self, store: Store, log: MessageLog, config: Config, clock: Clock, wake: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._log = log
        self._config = config
        self._clock = clock
        self._wake = wake
        self.on_reviewed: Callable[[], None] = lambda: None

    async def run(self, _job: Job) -> Outcome:
        try:
            complete = await self.catch_up()
        except LogUnavailableError:
            return Snooze(self._clock.now() + AGAIN, "Twilio's log cannot be read")
        return Done() if complete else Snooze(self._clock.now() + AGAIN, "a webhook or a send in doubt is waited for")

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Dead(error)

    async def catch_up(self) -> bool:
        """One pass over every channel. False where a young webhook or a send in doubt must be waited for."""
        channels = await self._store.read(lambda tx: tx.channels.enabled())
        done = [await self._channel(channel, watermark, timezone) for channel, watermark, timezone in channels]
        restored_at = await self._store.read(lambda tx: tx.box.get(RESTORED))
        if restored_at and all(done):
            for channel, _, _ in channels:
                await self._review(channel, int(restored_at))
            await self._store.write(lambda tx: tx.box.remove(RESTORED))
            self.on_reviewed()
        return all(done)

    async def _review(self, channel: Channel, restored_at: int) -> None:
        """A restored box: messages that wait in the copy may have been answered since it was taken."""
        for address, messages in await self._store.read(lambda tx: tx.messages.waiting(channel.id, restored_at)):
            log = await self._log.read(sender=channel.address, recipient=address, since=messages[0].received_at)
            ours = await self._store.read(lambda tx, address=address: _our_sids(tx, channel, address))  # type: ignore[misc]
            later = [said.created_at for said in log.messages if said.sid not in ours]
            answered = [m.id for m in messages if any(at >= m.received_at + log.offset - SECOND for at in later)]
            await self._store.write(
                lambda tx, answered=answered: tx.messages.suppress(answered, Fate.ANSWERED_ELSEWHERE)  # type: ignore[misc]
            )

    async def _channel(self, channel: Channel, watermark: int, timezone: str) -> bool:
        """The watermark moves only at the end of a complete pass, to its start."""
        log = await self._log.read(recipient=channel.address, since=watermark)
        began = log.began_at + log.offset
        sids = [message.sid for message in log.messages]
        known = await self._store.read(lambda tx: tx.messages.known(sids), limit=None)
        missing = catch_up.missing(log.messages, known)
        contacts: dict[str, list[LoggedMessage]] = {}
        for message in missing:
            if not catch_up.is_webhooks_own(message, began):
                contacts.setdefault(message.sender, []).append(message)
        done = [await self._contact(channel, messages, began, timezone) for messages in contacts.values()]
        done.append(not any(catch_up.is_webhooks_own(message, began) for message in missing))
        if all(done):
            await self._store.write(lambda tx: tx.channels.read_up_to(channel.id, began - catch_up.OVERLAP))
        return all(done)

    async def _contact(self, channel: Channel, messages: list[LoggedMessage], now: int, timezone: str) -> bool:
        address = messages[0].sender
        if await self._store.read(lambda tx: _in_doubt(tx, channel, address)):
            return False
        log = await self._log.read(sender=channel.address, recipient=address, since=messages[0].created_at)
        ours = await self._store.read(lambda tx: _our_sids(tx, channel, address))
        for message in messages:
            await self._receive(await self._arrival(message, log, ours, now, timezone))
        self._wake()
        return True

    async def _arrival(self, message: LoggedMessage, log: LogRead, ours: set[str], now: int, timezone: str) -> Arrival:
        outbound = [said for said in log.messages if said.direction.startswith("outbound")]
        within = self._config.twilio.catch_up_answer_within
        fate = catch_up.fate(message, outbound, ours, twilio_now=now, within=within, timezone=timezone)
        media = await self._log.media(message.sid) if message.num_media else ()
        inbound = catch_up.as_inbound(message, self._config.twilio.account_sid, media)
        return Arrival(inbound, fate, message.created_at - log.offset)

    async def _receive(self, arrival: Arrival) -> None:
        with contextlib.suppress(DuplicateError):  # its webhook came meanwhile
            await self._store.write(lambda tx: receive(tx, arrival.message, self._config, arrival))


def _in_doubt(tx: Tx, channel: Channel, address: str) -> bool:
    contact = tx.contacts.at(channel.id, address)
    return contact is not None and tx.outbox.is_unsettled_to(contact.id)


def _our_sids(tx: Tx, channel: Channel, address: str) -> set[str]:
    contact = tx.contacts.at(channel.id, address)
    return tx.outbox.sids_of(contact.id) if contact else set()
