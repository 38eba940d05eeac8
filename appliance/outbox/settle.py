"""settle_doubt: look into Twilio's log for sends whose outcome is unknown; bind, send once more, or ask a person."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from appliance import restoration
from appliance.config import Config
from appliance.model import SECOND, Job, OutboxMessage, OutboxState
from appliance.outbox import binding, delivery, evidence
from appliance.outbox.evidence import Books, Claim, Finding, Verdict
from appliance.ports import Accounts, Clock, MessageLog, TooMuchError
from appliance.queue.outcome import Done, Outcome, Snooze
from appliance.queue.tolerance import AGAIN, LATER, Tolerance, of_each, unreadable
from appliance.store import Store, Tx
from appliance.store.cards import BOX, CardKind
from appliance.wire import LogRead, covering, forms, together


class SettleHandler:
    def __init__(self, store: Store, accounts: Accounts, config: Config, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._config = config
        self._clock = clock

    async def run(self, _job: Job) -> Outcome:
        found = await of_each(self._accounts, self.settle)
        due = min((each for each in found.said.values() if each is not None), default=None)
        soon = self._clock.now() + SECOND
        if found.unreadable:
            again = unreadable(self._clock.now(), found.unreadable)
            return again if due is None else replace(again, at=min(again.at, max(due, soon)))
        return Done(_well) if due is None else Snooze(max(due, soon), "the grace is not over", _well, quiet=True)

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Snooze(self._clock.now() + LATER, error, lambda tx: tx.cards.open(CardKind.SETTLE, BOX, said=error))

    async def settle(self, account: str) -> int | None:
        """Settle what can be settled of an account; when its next row is due (ms UTC). Raises LogUnavailableError."""
        claims = await self._store.read(
            lambda tx: [claim_of(tx, row) for row in tx.outbox.in_doubt_in_the_box(account)]
        )
        later: list[int] = []
        tolerance = Tolerance()
        # One read of a channel serves all its customers: it goes back to the first attempt of any of them.
        began: dict[str, int] = {}
        for claim in claims:
            began[claim.row.sender] = min(claim.began, began.get(claim.row.sender, claim.began))
        channels: dict[str, LogRead] = {}
        grace = self._config.twilio.doubt_grace
        for _, pair in groupby(
            sorted(claims, key=lambda claim: _customer(claim.row)), lambda claim: _customer(claim.row)
        ):
            doubtful = list(pair)
            due = min(claim.ended for claim in doubtful) + grace
            if due > self._clock.now():
                later.append(min(due, self._clock.now() + grace))
            elif not await tolerance.attempt(self._settle_pair(doubtful, began, channels, later)):
                later.append(self._clock.now() + AGAIN)
        tolerance.tell()
        return min(later, default=None)

    async def _settle_pair(
        self, doubtful: Sequence[Claim], began: Mapping[str, int], channels: dict[str, LogRead], later: list[int]
    ) -> bool:
        """False where something moved meanwhile, or another answer to the contact is on its way."""
        row = doubtful[0].row
        source = self._accounts[row.account].log
        try:
            if row.sender not in channels:
                channels[row.sender] = await source.sent(row.sender, began[row.sender], ours=True)
            log = await read(source, doubtful, channels[row.sender])
        except TooMuchError as error:
            why = str(error)
            return await self._store.write(lambda tx: _park_all(tx, doubtful, why))
        due = await self._store.write(lambda tx: _apply(tx, doubtful, log, channels[row.sender], self._config))
        if due:  # not all that late: a younger message may show sooner, and what comes into doubt meanwhile waits too
            later.append(min(due, self._clock.now() + self._config.twilio.doubt_grace))
        return due is not None


def _customer(row: OutboxMessage) -> tuple[int, int]:
    """Who may have got it: one person on one channel, by whichever address."""
    return row.channel_id, row.person_id or row.contact_id


def claim_of(tx: Tx, row: OutboxMessage) -> Claim:
    names = tuple(tx.links.names(row.contact_id))
    return Claim(row, tx.attempts.of(row.id), restoration.grace_began(tx, row.account), names)


async def read(log: MessageLog, claims: Sequence[Claim], of_channel: LogRead) -> LogRead:
    """What went to the person of these rows since the first attempt: by each of its addresses, and by ours."""
    names, sender = claims[0].names, claims[0].row.sender
    since = min(claim.began for claim in claims)
    reads = [await log.outbound(sender, each, since, ours=True) for each in covering(names)]
    known = {form for each in names for form in forms(each)}
    by_us = replace(reads[0], messages=tuple(logged for logged in of_channel.messages if logged.recipient in known))
    return together([by_us, *reads])


def judged(tx: Tx, claims: Sequence[Claim], log: LogRead, of_channel: LogRead, grace: int) -> list[Verdict]:
    """The verdicts of everything that was handed to Twilio for the person of these rows and has no sid.

    `claims`: those for which the log was read, from the first attempt of theirs on.
    """
    row = claims[0].row
    every = [claim_of(tx, each) for each in tx.outbox.unresolved_to(row.contact_id)]
    began = min(claim.began for claim in claims)
    names = claims[0].names
    known = tuple(dict.fromkeys(form for each in names for form in forms(each)))
    others = [form for form in known if form not in names and tx.contacts.at(row.channel_id, form)]
    books = Books(
        known=tx.attempts.sids_to(row.channel_id, known),
        expected=tx.attempts.sids_since(row.contact_id, began),
        foreign=others,
        youngest=max((logged.created_at for logged in of_channel.messages), default=0),
    )
    return evidence.judge(every, log, books, grace)


def _well(tx: Tx) -> None:
    tx.cards.close(CardKind.SETTLE, BOX)


def _park_all(tx: Tx, claims: Sequence[Claim], why: str) -> bool:
    for claim in claims:
        delivery.park(tx, claim.row, "Twilio's log is too long to be read", said=why)
    return True


def _apply(tx: Tx, claims: Sequence[Claim], log: LogRead, of_channel: LogRead, config: Config) -> int | None:
    """When to look again (ms UTC), 0 for never; None where something moved meanwhile."""
    first = claims[0]
    doubtful = (row for row in tx.outbox.in_doubt_in_the_box() if _customer(row) == _customer(first.row))
    is_same = [(row.id, row.attempt) for row in doubtful] == [(claim.row.id, claim.row.attempt) for claim in claims]
    if not is_same or not _was_read(tx, first) or tx.outbox.is_sending_to(first.row.contact_id):
        return None
    verdicts = judged(tx, claims, log, of_channel, config.twilio.doubt_grace)
    verdicts.sort(key=lambda verdict: verdict.finding != Finding.SENT)  # an older answer is not sent again behind one
    for verdict in verdicts:
        conclude(tx, verdict, log, config)
    return min((verdict.due for verdict in verdicts if verdict.due), default=0)


def _was_read(tx: Tx, claim: Claim) -> bool:
    """Whether the log was asked for each address that the person has by now."""
    return set(tx.links.names(claim.row.contact_id)) == set(claim.names)


def conclude(tx: Tx, verdict: Verdict, log: LogRead, config: Config) -> None:
    row, logged = verdict.claim.row, verdict.logged
    if verdict.finding == Finding.SENT and logged is not None:
        binding.bind(tx, row, logged, config)
    elif verdict.finding == Finding.WAIT and row.absent_at is None:
        if log.began_at - verdict.claim.ended >= config.twilio.doubt_grace:
            tx.outbox.update(row.id, absent_at=log.began_at)
    elif verdict.finding == Finding.UNCLEAR:
        delivery.park(tx, row, "another message to this customer stands in Twilio's log")
    elif verdict.finding == Finding.BY_PERSON:
        delivery.answered_by_a_person(tx, row, config)
    elif verdict.finding == Finding.ABSENT and row.state == OutboxState.DOUBT:
        if config.twilio.on_doubt == "park":
            delivery.park(tx, row, "twilio.on_doubt leaves it to a person")
        elif tx.outbox.newer_reply(row.contact_id, row.id):
            delivery.supersede(tx, row, "a newer message reached the customer", config)
        else:
            delivery.resend(tx, row, config)


def is_still_absent(tx: Tx, was: Claim, log: LogRead, of_channel: LogRead, config: Config) -> bool:
    """Directly before a row is sent again: whether a fresh read still proves that it was not. Else it is concluded, or
    looked for once more: `was` is what the log was read for.
    """
    outbox_id = was.row.id
    row = tx.outbox.get(outbox_id)
    if row is None or row.state != OutboxState.READY:
        return True
    if not _was_read(tx, was):
        return False
    verdicts = judged(tx, [claim_of(tx, row)], log, of_channel, config.twilio.doubt_grace)
    for verdict in verdicts:
        if verdict.finding == Finding.SENT or verdict.claim.row.id == outbox_id:
            conclude(tx, verdict, log, config)
    found = next((verdict.finding for verdict in verdicts if verdict.claim.row.id == outbox_id), Finding.ABSENT)
    if found == Finding.WAIT:
        delivery.doubt_again(tx, row)
    return found == Finding.ABSENT
