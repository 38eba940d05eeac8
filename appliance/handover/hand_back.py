"""hand_back: customers whose person has been silent for long enough, or whom somebody wants back, are the appliance's.

Nothing revives before Twilio's log has told whether a person answered from elsewhere, such as Twilio's console.
"""

from dataclasses import dataclass

from appliance.config import Config
from appliance.handover import charge
from appliance.inbox import exchange, missed
from appliance.inbox.exchange import Exchange
from appliance.inbox.intake import open_conversation
from appliance.inbox.late import too_late
from appliance.model import ANSWERED_ELSEWHERE, Channel, Contact, Job, StoredMessage, masked
from appliance.people import identity
from appliance.ports import Accounts, Clock, LogUnavailableError
from appliance.queue.bell import Bell
from appliance.queue.lane import arm
from appliance.queue.outcome import Done, Effects, Outcome, Snooze
from appliance.queue.tolerance import AGAIN, LATER, Round, Tolerance, of_each, unreadable
from appliance.store import Store, Tx, cards
from appliance.store.cards import CardKind
from appliance.store.handovers import CONSOLE, NOBODY, Change

AT_MOST = 100  # customers a run


@dataclass(frozen=True, slots=True)
class Due:
    """Who may be handed back. `since`: from when on something may have been said to them (ms UTC)."""

    contact: Contact
    channel: Channel
    since: int
    addresses: tuple[str, ...]  # by which Twilio's log may show the person


class HandBackHandler:
    def __init__(self, store: Store, accounts: Accounts, config: Config, clock: Clock, bell: Bell) -> None:
        self._store = store
        self._accounts = accounts
        self._config = config
        self._clock = clock
        self._bell = bell
        # Contacts for whom an account's last run could do nothing: the others go first.
        self._passed: dict[str, set[int]] = {account: set() for account in accounts}

    async def run(self, _job: Job) -> Outcome:
        found = await of_each(self._accounts, self._all_of)
        effects = self._told(found)
        if found.unreadable:
            return unreadable(self._clock.now(), found.unreadable, effects)
        if all(found.said.values()):
            return Done(effects)
        return Snooze(self._clock.now() + AGAIN, "a send in doubt is waited for", effects, quiet=True)

    async def _all_of(self, account: str) -> bool:
        """At most a hundred; the next tick goes on with the rest. False where some must be waited for."""
        before = self._passed[account]
        due = await self._store.read(lambda tx: _due(tx, account, self._config, AT_MOST + len(before)))
        due = sorted(due, key=lambda each: each.contact.id in before)[:AT_MOST]
        passed = self._passed[account] = set()
        tolerance = Tolerance()
        for each in due:
            passed.add(each.contact.id)
            if await tolerance.attempt(self._hand_back(each)):
                passed.remove(each.contact.id)
        tolerance.tell()
        return not passed

    def give_up(self, _job: Job, error: str) -> Outcome:
        why = dict.fromkeys(self._accounts, LogUnavailableError(error))
        return Snooze(self._clock.now() + LATER, error, self._told(Round({}, why)))

    def _told(self, found: Round[bool]) -> Effects:
        def effects(tx: Tx) -> None:
            for account in found.said:
                tx.cards.close(CardKind.HAND_BACK, cards.log_of(account))
            for account, why in found.unreadable.items():
                count = len(_due(tx, account, self._config, AT_MOST))
                if count and why.trouble is None:  # of a link in trouble the watch tells
                    subject = cards.log_of(account)
                    tx.cards.open(CardKind.HAND_BACK, subject, account=account, said=str(why), count=count)

        return effects

    async def _hand_back(self, due: Due) -> bool:
        """False where an answer is on its way, ours or a person's: the log cannot tell yet."""
        if await self._store.read(lambda tx: _is_under_way(tx, due.contact)):
            return False
        log = self._accounts[due.channel.account].log
        heard = await exchange.read(log, due.channel.address, due.addresses, due.since)
        done = await self._store.write(lambda tx: conclude(tx, due, heard, self._config))
        self._bell.ring()
        return done


def _due(tx: Tx, account: str, config: Config, limit: int) -> list[Due]:
    found = []
    for contact in tx.contacts.due_back_in_the_box(account, config.conversations.human_for, limit):
        channel = tx.channels.get(contact.channel_id)
        assert channel is not None
        held = tx.messages.held(contact.id)
        since = min(contact.handover_at or tx.now, *(message.received_at for message in held), tx.now)
        found.append(Due(contact, channel, since, identity.addresses(tx, channel.id, contact.address)))
    return found


def _is_under_way(tx: Tx, contact: Contact) -> bool:
    return tx.outbox.is_unsettled_to(contact.id) or tx.outbox.is_manual_waiting(contact.id)


def conclude(tx: Tx, due: Due, heard: Exchange, config: Config) -> bool:
    """What the log shows counts first: who wrote from elsewhere stays in charge. False where it must be read again."""
    was, contact = due.contact, tx.contacts.get(due.contact.id)
    assert contact is not None
    if (contact.handover, contact.handover_at, contact.resume_at) != (was.handover, was.handover_at, was.resume_at):
        return True  # somebody spoke or asked meanwhile: the next run looks anew
    if _is_under_way(tx, contact) or identity.addresses(tx, contact.channel_id, contact.address) != due.addresses:
        return False
    ours = exchange.ours(tx, contact.channel_id, contact.address, heard.said, heard.offset)

    def is_answered(message: StoredMessage) -> bool:
        return charge.is_before_last_word(message, contact) or heard.is_answered(message, ours)

    answered = [message.id for message in tx.messages.held(contact.id) if is_answered(message)]
    last = heard.last_word(ours, contact.handover_at or 0)
    if last is not None:
        charge.spoke(tx, contact, last, answered, CONSOLE)
        if contact.resume_at is None and abs(tx.now - last) < config.conversations.human_for:
            return True
    tx.messages.settle_held(answered, ANSWERED_ELSEWHERE)
    # What a pause keeps is in nobody's hands; a person's word has answered it all the same.
    kept = [message for each in tx.conversations.waiting(contact.id) for message in tx.messages.live(each.id)]
    tx.messages.suppress([message.id for message in kept if is_answered(message)], ANSWERED_ELSEWHERE)
    _hand_back(tx, tx.contacts.get(contact.id) or contact, config)
    return True


def _hand_back(tx: Tx, contact: Contact, config: Config) -> None:
    """The appliance answers again, also what nobody has answered, unless it is too old for that."""
    channel = tx.channels.get(contact.channel_id)
    assert channel is not None and contact.handover is not None
    organization = tx.organizations.get(channel.organization_id)
    assert organization is not None
    if tx.contacts.as_person(contact).opted_out_at is not None:
        tx.messages.settle_held([message.id for message in tx.messages.held(contact.id)], "opted out")
    waiting = tx.messages.held(contact.id)
    tx.messages.hand_back([message.id for message in waiting], contact.handover)
    _note(tx, contact)
    tx.contacts.hand_back(contact.id)
    tx.conversations.give_back(contact.id)
    within, zone = config.twilio.catch_up_answer_within, organization.timezone
    young = [m for m in waiting if not missed.is_too_old(tx.now - m.received_at, tx.now, within=within, timezone=zone)]
    for message in waiting:
        if message not in young:
            conversation = tx.conversations.get(message.conversation_id)
            assert conversation is not None
            too_late(tx, conversation, [message.id], masked(contact.address), why="waited for a person")
    if young:
        # In one conversation, with the lane that answers what comes next: a closed one has none of its own.
        conversation = open_conversation(tx, channel, tx.contacts.get(contact.id) or contact, config)
        tx.messages.move([message.id for message in young], conversation.id)
        tx.conversations.touch(conversation.id, tx.now + config.conversations.expire_after)
        arm(tx, conversation, config)


def _note(tx: Tx, contact: Contact) -> None:
    """Once for a person with several addresses, which are handed back one after the other."""
    before = tx.handovers.last(contact.id, Change.GIVEN_BACK)
    if before is not None and before.at >= (contact.handover_at or 0):
        return
    asked = tx.handovers.last(contact.id, Change.ASKED_BACK) if contact.resume_at is not None else None
    tx.handovers.note(contact.id, Change.GIVEN_BACK, asked.who if asked else NOBODY)
