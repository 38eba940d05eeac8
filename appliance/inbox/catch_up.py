"""catch_up: fetch what came in while nobody listened, through the same intake, each message once."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from appliance import restoration, timekeeping
from appliance.config import Config
from appliance.inbox import consent, exchange, keywords, missed
from appliance.inbox.consent import Order
from appliance.inbox.intake import DuplicateError, receive
from appliance.inbox.keywords import Change
from appliance.inbox.missed import Arrival, Fate
from appliance.inbox.overheard import Overheard
from appliance.inbox.refused import Refusals
from appliance.model import HOUR, MINUTE, Channel, Job, StoredMessage
from appliance.people import identity
from appliance.ports import Accounts, Clock, LogUnavailableError, MessageLog
from appliance.queue.bell import Bell
from appliance.queue.outcome import Done, Outcome, Snooze
from appliance.queue.tolerance import AGAIN, LATER, Round, Tolerance, of_each, unreadable
from appliance.restoration import Hold
from appliance.store import Store, Tx, cards
from appliance.store.box import Fact
from appliance.store.cards import BOX, CardKind
from appliance.wire import LoggedMessage, LogRead, covering, together

PATIENCE = 30 * MINUTE
GIVE_UP = 24 * HOUR  # after so long nobody looks any more into the log of an account that a channel left


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a read of a channel's log says, and which of its messages are stored. `account`: whose log it is."""

    account: str
    log: LogRead
    known: set[str]
    timezone: str

    @property
    def now(self) -> int:
        """On Twilio's clock."""
        return self.log.began_at + self.log.offset


class CatchUpHandler:
    """`hold`: released for an account where its pass ends a restoration. `refusals`: told of what was found."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        config: Config,
        clock: Clock,
        bell: Bell,
        hold: Hold,
        refusals: Refusals,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._sids = {account.name: account.account_sid for account in config.accounts}
        self._config = config
        self._clock = clock
        self._bell = bell
        self._hold = hold
        self._overheard = Overheard(store, accounts, config)
        self._refusals = refusals

    async def run(self, _job: Job) -> Outcome:
        found = await of_each(self._accounts, self.catch_up)
        effects = partial(_tell, found=found)
        if found.unreadable:
            return unreadable(self._clock.now(), found.unreadable, effects)
        if all(found.said.values()):
            return Done(effects)
        return Snooze(self._clock.now() + AGAIN, "a webhook or a send in doubt is waited for", effects, quiet=True)

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Snooze(self._clock.now() + LATER, error, lambda tx: tx.cards.open(CardKind.LOG, BOX, said=error))

    async def catch_up(self, account: str) -> bool:
        """One pass over an account's channels. False where a young webhook or a send in doubt must be waited for."""
        began = self._clock.now()
        channels, left = await self._store.read(
            lambda tx: (tx.channels.enabled(account), tx.channels.left(account, began - GIVE_UP))
        )
        tolerance = Tolerance()
        done = [
            await tolerance.attempt(self._channel(account, channel, since, timezone, tolerance))
            for channel, since, timezone in [*channels, *left]
        ]
        tolerance.tell()
        restored_at, silent_since = await self._store.read(
            lambda tx: (restoration.restored_at(tx, account), restoration.grace_began(tx, account))
        )
        if restored_at is None or not all(done):
            return all(done)
        # Twilio's list may not show yet what was written and answered just before the restoration.
        if began - silent_since < self._config.twilio.doubt_grace:
            return False
        return await self._trust(account, [channel for channel, _, _ in channels], restored_at)

    async def fetch(self, channel: Channel) -> bool:
        """Implements ports.Missed: one channel's part of a pass."""
        if channel.account not in self._accounts:
            raise LogUnavailableError("not in the configuration")
        found = await self._store.read(lambda tx: tx.channels.enabled(channel.account))
        tolerance = Tolerance()
        done = [
            await tolerance.attempt(self._channel(channel.account, *each, tolerance))
            for each in found
            if each[0].id == channel.id
        ]
        tolerance.tell()
        return all(done)

    async def _trust(self, account: str, channels: Sequence[Channel], restored_at: int) -> bool:
        """The end of a restoration, unless a send of the account that is in doubt must be waited for."""
        waiting, in_doubt = await self._store.read(lambda tx: _unclear(tx, account, channels), limit=None)
        if in_doubt:
            return False
        for channel, address, messages in waiting:
            await self._review(channel, address, messages)
        await self._store.write(lambda tx: restoration.trust(tx, account, restored_at))
        self._hold.release(account)
        return True

    async def _review(self, channel: Channel, address: str, messages: list[StoredMessage]) -> None:
        """A restored box: messages that wait may have been answered since the copy was taken.

        Also those that came after it was put in place: Twilio may deliver again what the lost box answered.
        """
        names = await self._store.read(lambda tx: identity.addresses(tx, channel.id, address))
        heard = await exchange.read(
            self._accounts[channel.account].log, channel.address, names, messages[0].received_at
        )
        ours = await self._store.read(lambda tx: exchange.ours(tx, channel.id, address, heard.said, heard.offset))
        answered = [message.id for message in messages if heard.is_answered(message, ours)]
        await self._store.write(lambda tx: tx.messages.suppress(answered, Fate.ANSWERED_ELSEWHERE))

    async def _channel(self, account: str, channel: Channel, since: int, timezone: str, tolerance: Tolerance) -> bool:
        """The watermark moves only at the end of a complete pass, to its start. `account`: its own, or one it left."""
        log = await self._accounts[account].log.inbound(channel.address, since)
        sids = [message.sid for message in log.messages]
        known = await self._store.read(lambda tx: tx.messages.known(sids), limit=None)
        heard = _Heard(account, log, known, timezone)
        began = heard.now
        missing = missed.missing(log.messages, known)
        people_of: dict[frozenset[str], list[LoggedMessage]] = {}
        names = await self._store.read(lambda tx: _names(tx, channel, missing), limit=None)
        for message in missing:
            if not missed.is_webhooks_own(message, began):
                people_of.setdefault(frozenset(names[message.sender]), []).append(message)
        done = [
            await tolerance.attempt(self._person(channel, names[messages[0].sender], messages, heard))
            for messages in people_of.values()
        ]
        done.append(not any(missed.is_webhooks_own(message, began) for message in missing))
        if account == channel.account:
            done.append(await tolerance.attempt(self._overheard.listen(channel, since, began)))
        if all(done):
            await self._store.write(lambda tx: _passed(tx, channel, heard))
        return all(done)

    async def _person(
        self, channel: Channel, names: Sequence[str], messages: list[LoggedMessage], heard: _Heard
    ) -> bool:
        """`names`: the addresses of whoever wrote these, by whichever of them."""
        address = messages[0].sender
        if await self._store.read(lambda tx: _in_doubt(tx, channel, address)):
            await self._heed(channel, names, messages, heard)
            return False
        log = await self._said(self._accounts[heard.account].log, channel, names, messages[0].created_at)
        # In one look: what is on its way right now may stand in the log already, and nobody knows its sid.
        ours, in_doubt = await self._store.read(
            lambda tx: (
                exchange.ours(tx, channel.id, address, log.messages, log.offset),
                _in_doubt(tx, channel, address),
            )
        )
        if in_doubt:
            return False
        for message in messages:
            arrival = await self._arrival(channel, names, message, log, ours, heard)
            with contextlib.suppress(DuplicateError):  # its webhook came meanwhile
                await self._receive(channel, arrival)
        self._bell.ring()
        return True

    async def _heed(self, channel: Channel, names: Sequence[str], messages: list[LoggedMessage], heard: _Heard) -> None:
        """What is in doubt keeps these from being stored; whoever's last word is STOP is left alone all the same."""
        words = missed.words_after(None, heard.log.messages, names)
        if not words or words[-1] not in messages or keywords.says(words[-1].body, channel.address) != Change.OUT:
            return
        word = missed.as_inbound(words[-1], channel.account, self._sids[channel.account])
        order = self._order(words[-1].created_at - heard.log.offset, heard)

        def heed(tx: Tx) -> None:
            for contact in identity.known(tx, channel.id, word.sender):
                consent.heed(tx, contact, word, order)

        await self._store.write(heed)

    def _order(self, said_at: int, heard: _Heard, is_overtaken: bool = False) -> Order:
        return Order(said_at, is_overtaken, heard.known, heard.log.began_at - self._config.twilio.doubt_grace)

    async def _said(self, source: MessageLog, channel: Channel, names: Sequence[str], since: int) -> LogRead:
        """What went to a person as an answer, whoever sent it."""
        log = together([await source.outbound(channel.address, each, since) for each in covering(names)])
        if all(said.direction != missed.REPLY for said in log.messages):
            return log
        heard = together([await source.inbound(channel.address, since, sender=each) for each in names])
        return replace(log, messages=missed.but_for_keywords(log.messages, heard.messages))

    async def _arrival(
        self,
        channel: Channel,
        names: Sequence[str],
        message: LoggedMessage,
        log: LogRead,
        ours: set[str],
        heard: _Heard,
    ) -> Arrival:
        outbound = [said for said in log.messages if said.direction.startswith("outbound")]
        within = self._config.twilio.catch_up_answer_within
        fate = missed.fate(message, outbound, ours, twilio_now=heard.now, within=within, timezone=heard.timezone)
        media = await self._accounts[heard.account].log.media(message.sid) if message.num_media else ()
        later = missed.words_after(message, heard.log.messages, names)
        is_overtaken = any(word.sid in heard.known for word in later)  # the others are stored after this one
        inbound = missed.as_inbound(message, channel.account, self._sids[channel.account], media)
        return Arrival(inbound, fate, self._order(message.created_at - log.offset, heard, is_overtaken))

    async def _receive(self, channel: Channel, arrival: Arrival) -> None:
        def come_in(tx: Tx) -> None:
            here = tx.channels.get(channel.id) or channel  # it may have moved while the log was read
            receive(tx, replace(arrival.message, account=here.account), self._config, arrival)

        await self._store.write(come_in)
        if not await self._refusals.found(arrival.message.sid):
            await self._refusals.unheard.found(channel.account, channel.address, arrival.order.said_at)


def _passed(tx: Tx, channel: Channel, heard: _Heard) -> None:
    if heard.account == channel.account:
        tx.channels.read_up_to(channel.id, heard.now - missed.OVERLAP)
    else:
        tx.channels.read_to_the_end(channel.id, heard.account, heard.log.began_at - missed.OVERLAP)
    timekeeping.compared(tx, heard.log.offset)


def _tell(tx: Tx, found: Round[bool]) -> None:
    for account in found.said:
        tx.box.remove(Fact.LOG_UNREADABLE_SINCE, account)
        tx.cards.close(CardKind.LOG, cards.log_of(account))
    for account, why in found.unreadable.items():
        _unreadable(tx, account, why)
    if not found.unreadable:
        tx.cards.close(CardKind.LOG, BOX)  # of a pass that failed as a whole


def _unreadable(tx: Tx, account: str, why: LogUnavailableError) -> None:
    """Without the log messages may be missing and nobody notices: after a while the owner is told. Of a link in trouble
    the watch tells.
    """
    since = tx.box.number(Fact.LOG_UNREADABLE_SINCE, account)
    if since is None:
        tx.box.put(Fact.LOG_UNREADABLE_SINCE, tx.now, account)
    elif tx.now - since >= PATIENCE and why.trouble is None:
        tx.cards.open(CardKind.LOG, cards.log_of(account), account=account, said=str(why))


def _unclear(
    tx: Tx, account: str, channels: Sequence[Channel]
) -> tuple[list[tuple[Channel, str, list[StoredMessage]]], bool]:
    """The messages that wait, by contact, and whether any reply of the account is in doubt."""
    waiting = [(channel, *found) for channel in channels for found in tx.messages.waiting(channel.id)]
    return waiting, bool(tx.outbox.in_doubt_in_the_box(account))


def _names(tx: Tx, channel: Channel, messages: Sequence[LoggedMessage]) -> dict[str, tuple[str, ...]]:
    """Of each sender all addresses of the person, its own first."""
    senders = {message.sender for message in messages}
    return {sender: identity.addresses(tx, channel.id, sender) for sender in senders}


def _in_doubt(tx: Tx, channel: Channel, address: str) -> bool:
    return any(tx.outbox.is_unsettled_to(each.id) for each in identity.known(tx, channel.id, address))
