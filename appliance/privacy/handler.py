"""forget: what was asked for is done in steps, each durable, and goes on after a crash where it was.

waiting: what is being sent, or may have been, is settled; nothing new begins. erasing: the person stands on the list
beside the database, and table after table is emptied. cleaning: indexes, and the write-ahead log. at_twilio: Twilio's
copies, one after the other. rinsing: their sids leave the file as well.
"""

import asyncio
import contextlib

from appliance.config import Config
from appliance.inbox.intake import open_conversation
from appliance.inbox.late import too_late
from appliance.inbox.missed import is_too_old
from appliance.model import HOUR, Contact, Job, JobKind, masked
from appliance.outbox import delivery
from appliance.ports import Accounts, Clock, LogUnavailableError
from appliance.privacy import patience
from appliance.privacy.copies import Copies
from appliance.privacy.patience import IN_DOUBT, MORE, READER, UNDER_WAY, Wait
from appliance.queue.bell import Bell
from appliance.queue.lane import arm
from appliance.queue.outcome import Done, Outcome, Snooze
from appliance.queue.tolerance import LATER
from appliance.store import Store, Tx
from appliance.store.erasure import IN_STEPS, announce, conclude, whose
from appliance.store.forgotten import Forgetting

AT_ONCE = 500  # rows a unit of work


class ForgetHandler:
    def __init__(self, store: Store, accounts: Accounts, config: Config, clock: Clock, bell: Bell) -> None:
        self._store = store
        self._accounts = accounts
        self._copies = Copies(store, accounts, clock)
        self._config = config
        self._clock = clock
        self._bell = bell

    async def run(self, _job: Job) -> Outcome:
        later: list[int] = []
        for forgetting in await self._store.read(lambda tx: tx.forgotten.pending_of_the_box()):
            now = self._clock.now()
            at = now + wait if (wait := patience.left(forgetting, now)) else await self._go_on(forgetting)
            if at is not None:
                later.append(at)
        if later:
            return Snooze(min(later), "something is waited for", _look_again, quiet=True)
        return Done(_look_again)

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Snooze(self._clock.now() + LATER, error)

    async def _go_on(self, forgetting: Forgetting) -> int | None:
        """Step after step; when it is looked at again (ms UTC), None where it is done."""
        steps = {
            "waiting": self._wait,
            "erasing": self._erase,
            "cleaning": self._clean,
            "at_twilio": self._at_twilio,
            "rinsing": self._rinse,
        }
        current: Forgetting | None = forgetting
        while current is not None and current.state in steps:
            if wait := await steps[current.state](current):
                return await self._waits(current, wait)
            current = await self._store.read(lambda tx: tx.forgotten.get(forgetting.id))
        return None

    async def _waits(self, forgetting: Forgetting, wait: Wait) -> int:
        if not wait.why:
            return self._clock.now()
        return await self._store.write(lambda tx: patience.note(tx, forgetting, wait))

    async def _wait(self, forgetting: Forgetting) -> Wait | None:
        if held := await self._store.write(lambda tx: _wait_for(tx, forgetting)):
            return await self._doubt(forgetting) if held is IN_DOUBT else held
        contact, of_contact = await self._store.read(lambda tx: whose(tx, forgetting))
        if forgetting.at_twilio and (wait := await self._copies.find(forgetting, contact, of_contact.channel)):
            return wait
        await asyncio.to_thread(announce, self._store.directory, contact, forgetting)
        await self._store.write(lambda tx: patience.go_on(tx, forgetting, "erasing"))
        return None

    async def _doubt(self, forgetting: Forgetting) -> Wait:
        """Twilio's log is not waited for for ever: what it alone could tell is then left to a person."""
        doubtful = await self._store.read(lambda tx: tx.outbox.in_doubt_to(forgetting.contact_id))
        if not doubtful:
            return MORE
        row, now = doubtful[0], self._clock.now()
        if row.account in self._accounts:
            with contextlib.suppress(LogUnavailableError):
                await self._accounts[row.account].log.inbound(row.sender, now - HOUR, sender=row.recipient)
                return IN_DOUBT
        if not patience.is_over(forgetting, now):
            return patience.doubt_unread(row.account)
        await self._store.write(lambda tx: _park(tx, forgetting, row.account))
        return MORE

    async def _erase(self, forgetting: Forgetting) -> None:
        _, of_contact = await self._store.read(lambda tx: whose(tx, forgetting))
        for name in IN_STEPS:

            def some(tx: Tx, name: str = name) -> int:
                return tx.persons.empty(name, of_contact, AT_ONCE, forgetting)

            while await self._store.write(some):
                pass
        await self._store.write(lambda tx: _end(tx, forgetting, self._config))
        self._bell.ring()

    async def _clean(self, forgetting: Forgetting) -> Wait | None:
        await self._store.write(lambda tx: tx.knowledge.rebuild_indexes())
        if not await self._store.clean():
            return READER
        await self._store.write(lambda tx: patience.go_on(tx, forgetting, "at_twilio"))
        return None

    async def _at_twilio(self, forgetting: Forgetting) -> Wait | None:
        if wait := await self._copies.delete(forgetting):
            return wait
        await self._store.write(lambda tx: patience.go_on(tx, forgetting, "rinsing"))
        return None

    async def _rinse(self, forgetting: Forgetting) -> Wait | None:
        if not await self._store.clean():
            return READER
        await self._store.write(lambda tx: patience.go_on(tx, forgetting, "done", finished_at=tx.now))
        return None


def _look_again(tx: Tx) -> None:
    """Somebody may have asked while the job was ending."""
    if any(each.look_at is None for each in tx.forgotten.pending_of_the_box()):
        tx.jobs.hurry(JobKind.FORGET)


def _wait_for(tx: Tx, forgetting: Forgetting) -> Wait | None:
    """What became ready meanwhile is let go as well; what is under way, or in doubt, is waited for."""
    contact, of_contact = whose(tx, forgetting)
    tx.persons.let_go(contact, forgetting.organization_id)
    if tx.jobs.in_lane(of_contact.lane) is not None or tx.outbox.is_sending_to(contact.id):
        return UNDER_WAY
    if tx.outbox.is_unsettled_to(contact.id):
        tx.jobs.tick(JobKind.SETTLE)
        return IN_DOUBT
    return None


def _park(tx: Tx, forgetting: Forgetting, account: str) -> None:
    parked = tx.outbox.in_doubt_to(forgetting.contact_id)
    for row in parked:
        delivery.park(tx, row, f"Twilio's log of {account} could not be read for {patience.UNREAD // HOUR} hours.")
    tx.forgotten.tell(forgetting.id, never_known=len(parked))


def _end(tx: Tx, forgetting: Forgetting, config: Config) -> None:
    """The contact is gone. Who wrote after the wish is somebody new, and is answered."""
    wrote = tx.persons.wrote_meanwhile(forgetting.contact_id)
    was = conclude(tx, forgetting)
    if wrote:
        _begin_anew(tx, was, wrote, config)


def _begin_anew(tx: Tx, was: Contact, wrote: list[int], config: Config) -> None:
    channel = tx.channels.get(was.channel_id)
    assert channel is not None
    organization = tx.organizations.get(channel.organization_id)
    assert organization is not None
    contact = tx.contacts.ensure(channel.id, was.address)
    conversation = open_conversation(tx, channel, contact, config)
    tx.persons.move(wrote, contact.id, conversation.id)
    within, zone = config.twilio.catch_up_answer_within, organization.timezone
    for message in tx.messages.live(conversation.id):
        tx.contacts.heard(contact.id, message.received_at)
        if is_too_old(tx.now - message.received_at, tx.now, within=within, timezone=zone):
            too_late(tx, conversation, [message.id], masked(contact.address), why="wrote while being forgotten")
    arm(tx, conversation, config)
