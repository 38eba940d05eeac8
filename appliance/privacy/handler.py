"""forget: what was asked for is done in steps, each durable, and goes on after a crash where it was.

waiting: what is being sent, or may have been, is settled; nothing new begins. erasing: the person stands on the list
beside the database, and table after table is emptied. cleaning: indexes, and the write-ahead log. at_twilio: Twilio's
copies, one after the other. rinsing: their sids leave the file as well.
"""

import asyncio

from appliance.config import Config
from appliance.inbox.intake import open_conversation
from appliance.inbox.late import too_late
from appliance.inbox.missed import is_too_old
from appliance.model import HOUR, SECOND, Contact, Job, JobKind, masked
from appliance.ports import Accounts, Clock, LogUnavailableError, TooMuchError
from appliance.queue.bell import Bell
from appliance.queue.lane import arm
from appliance.queue.outcome import Done, Outcome, Snooze
from appliance.queue.tolerance import AGAIN, LATER
from appliance.store import Store, Tx
from appliance.store.erasure import IN_STEPS, announce, conclude, whose
from appliance.store.forgotten import Forgetting

AT_ONCE = 500  # rows a unit of work
AT_MOST = 100  # of Twilio's copies a run
NOT_FINISHED = 20009  # Twilio's code: the message is still on its way
NOT_OURS = 0  # the account is not in the configuration any more
PATIENCE = 72 * HOUR  # for such a message
UNREAD = 24 * HOUR  # after so long without Twilio's log only the sids that are known here are deleted there


class ForgetHandler:
    def __init__(self, store: Store, accounts: Accounts, config: Config, clock: Clock, bell: Bell) -> None:
        self._store = store
        self._accounts = accounts
        self._config = config
        self._clock = clock
        self._bell = bell

    async def run(self, _job: Job) -> Outcome:
        later: list[int] = []
        for forgetting in await self._store.read(lambda tx: tx.forgotten.pending_of_the_box()):
            try:
                wait = await self._go_on(forgetting)
            except LogUnavailableError:
                wait = AGAIN
            if wait is not None:
                later.append(self._clock.now() + wait)
        if later:
            return Snooze(min(later), "something is waited for")
        return Done(_look_again)

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Snooze(self._clock.now() + LATER, error)

    async def _go_on(self, forgetting: Forgetting) -> int | None:
        """Step after step; for how long it must wait (ms), None where it is done."""
        steps = {
            "waiting": self._wait,
            "erasing": self._erase,
            "cleaning": self._clean,
            "at_twilio": self._at_twilio,
            "rinsing": self._rinse,
        }
        current: Forgetting | None = forgetting
        while current is not None and current.state in steps:
            wait = await steps[current.state](current)
            if wait is not None:
                return wait
            current = await self._store.read(lambda tx: tx.forgotten.get(forgetting.id))
        return None

    async def _wait(self, forgetting: Forgetting) -> int | None:
        wait = await self._store.write(lambda tx: _wait_for(tx, forgetting))
        if wait is not None:
            return wait
        contact, of_contact = await self._store.read(lambda tx: whose(tx, forgetting))
        if forgetting.at_twilio:
            sids = await self._list(forgetting, of_contact.channel, contact.address)
            await self._store.write(lambda tx: tx.forgotten.add_copies(forgetting.id, sids))
        await asyncio.to_thread(announce, self._store.directory, contact, forgetting)
        await self._store.write(lambda tx: tx.forgotten.move(forgetting.id, "erasing"))
        return None

    async def _list(self, forgetting: Forgetting, channel: str, address: str) -> list[str]:
        """The sids of all that Twilio has between the two, while it is known who they are."""
        account = await self._store.read(lambda tx: _account(tx, forgetting))
        if account not in self._accounts:  # its channel was removed, and the account with it
            return []
        log = self._accounts[account].log
        try:
            came = await log.inbound(channel, 0, sender=address)
            went = await log.outbound(channel, address, 0)
        except TooMuchError:
            return []
        except LogUnavailableError:
            if self._clock.now() - forgetting.requested_at < UNREAD:
                raise
            return []
        until = forgetting.requested_at + came.offset  # what is younger is somebody new's
        return [logged.sid for logged in (*came.messages, *went.messages) if logged.created_at <= until]

    async def _erase(self, forgetting: Forgetting) -> None:
        _, of_contact = await self._store.read(lambda tx: whose(tx, forgetting))
        for name in IN_STEPS:

            def some(tx: Tx, name: str = name) -> int:
                return tx.persons.empty(name, of_contact, AT_ONCE, forgetting)

            while await self._store.write(some):
                pass
        await self._store.write(lambda tx: _end(tx, forgetting, self._config))
        self._bell.ring()

    async def _clean(self, forgetting: Forgetting) -> int | None:
        await self._store.write(lambda tx: tx.knowledge.rebuild_indexes())
        if not await self._store.clean():
            return 5 * SECOND
        await self._store.write(lambda tx: tx.forgotten.move(forgetting.id, "at_twilio"))
        return None

    async def _at_twilio(self, forgetting: Forgetting) -> int | None:
        sids = await self._store.read(lambda tx: tx.forgotten.copies(forgetting.id, AT_MOST))
        is_old = abs(self._clock.now() - forgetting.requested_at) > PATIENCE
        account = await self._store.read(lambda tx: _account(tx, forgetting))
        waits = 0
        for sid in sids:
            code = await self._accounts[account].log.delete(sid) if account in self._accounts else NOT_OURS
            if code == NOT_FINISHED and not is_old:
                waits += 1
            else:
                await self._store.write(lambda tx, sid=sid, code=code: _deleted(tx, forgetting, sid, code))  # type: ignore[misc]
        if sids:
            return LATER if waits == len(sids) else 0
        await self._store.write(lambda tx: tx.forgotten.move(forgetting.id, "rinsing"))
        return None

    async def _rinse(self, forgetting: Forgetting) -> int | None:
        if not await self._store.clean():
            return 5 * SECOND
        await self._store.write(lambda tx: tx.forgotten.move(forgetting.id, "done", finished_at=tx.now))
        return None


def _account(tx: Tx, forgetting: Forgetting) -> str:
    contact = tx.contacts.get(forgetting.contact_id)
    channel = tx.channels.get(contact.channel_id) if contact else None
    assert channel is not None
    return channel.account


def _look_again(tx: Tx) -> None:
    """Somebody may have asked while the job was ending."""
    if tx.forgotten.pending_of_the_box():
        tx.jobs.tick(JobKind.FORGET)


def _wait_for(tx: Tx, forgetting: Forgetting) -> int | None:
    """What became ready meanwhile is let go as well; what is under way, or in doubt, is waited for."""
    contact, of_contact = whose(tx, forgetting)
    tx.persons.let_go(contact, forgetting.organization_id)
    if tx.jobs.in_lane(of_contact.lane) is not None:
        return SECOND
    if tx.outbox.is_unsettled_to(contact.id):
        tx.jobs.tick(JobKind.SETTLE)
        return AGAIN
    return None


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


def _deleted(tx: Tx, forgetting: Forgetting, sid: str, code: int | None) -> None:
    """Twilio has it no more, or does not delete it: then its sid goes all the same, and the report says how many."""
    tx.forgotten.drop_copy(sid)
    tx.forgotten.tell(forgetting.id, **{"deleted_at_twilio" if code is None else f"refused_by_twilio_{code}": 1})
