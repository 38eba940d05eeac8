"""Twilio's copies of what was said: which there are, in each account that the channel belonged to, and that they go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from appliance.model import HOUR, Contact
from appliance.ports import Accounts, Clock, LogUnavailableError, TooMuchError
from appliance.privacy.patience import MORE, ON_ITS_WAY, Wait, copies_unread, is_over
from appliance.queue.tolerance import LATER
from appliance.store import Store, Tx
from appliance.store.forgotten import Forgetting

AT_MOST = 100  # of the copies at once
NOT_THERE = 20404
# Twilio's codes that may be others later: on its way, the key is revoked, the account is suspended or may not do it.
NOT_YET = (20009, 20003, 20005, 20006)
PATIENCE = 72 * HOUR  # for these, and for an account that cannot be reached
DELETED, NOT_FOUND = "deleted_at_twilio", "not_found_at_twilio"  # in the report
REFUSED, UNANSWERED = "refused_by_twilio_", "unanswered_at_twilio_"  # with a code; with an account
NOT_OURS = "not_configured_"  # with an account that is not in the configuration any more
NOT_LISTED = "not_listed_"  # with an account: only messages that are known here are deleted there


@dataclass(slots=True)
class _Round:
    """`after`: the last sid that was looked at; `silent`: the accounts that did not answer."""

    after: str = ""
    silent: set[str] = field(default_factory=set)


class Copies:
    def __init__(self, store: Store, accounts: Accounts, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock
        self._rounds: dict[int, _Round] = {}  # by forgetting

    async def find(self, forgetting: Forgetting, contact: Contact, channel: str) -> Wait | None:
        """Note all that Twilio has between the two, while it is known who they are."""
        found: dict[str, list[str]] = {}
        for account in await self._store.read(lambda tx: tx.forgotten.accounts(forgetting.id)):
            if account not in self._accounts:
                continue
            log = self._accounts[account].log
            try:
                came = await log.inbound(channel, 0, sender=contact.address)
                went = await log.outbound(channel, contact.address, 0)
            except TooMuchError:
                continue
            except LogUnavailableError:
                if not is_over(forgetting, self._clock.now()):
                    return copies_unread(account)
                continue
            until = forgetting.requested_at + came.offset  # what is younger is somebody new's
            found[account] = [each.sid for each in (*came.messages, *went.messages) if each.created_at <= until]
        await self._store.write(lambda tx: _note(tx, forgetting, found))
        return None

    async def delete(self, forgetting: Forgetting) -> Wait | None:
        """The next ones of a round over what is left; at its end what could not go yet is waited for."""
        found = self._rounds.setdefault(forgetting.id, _Round())
        copies = await self._store.read(lambda tx: tx.forgotten.copies(forgetting.id, found.after, AT_MOST))
        if not copies:
            del self._rounds[forgetting.id]
            is_any_left = await self._store.read(lambda tx: tx.forgotten.count_copies(forgetting.id))
            return (_silent(min(found.silent)) if found.silent else ON_ITS_WAY) if is_any_left else None
        is_old = abs(self._clock.now() - forgetting.requested_at) > PATIENCE
        for sid, accounts in copies.items():
            if told := await self._delete(sid, accounts, found.silent, is_old):
                await self._store.write(lambda tx, sid=sid, told=told: _gone(tx, forgetting, sid, told))  # type: ignore[misc]
            found.after = sid
        return MORE

    async def _delete(self, sid: str, accounts: list[str], silent: set[str], is_old: bool) -> str:
        """What the report says of it; "" where it is tried again."""
        told = NOT_FOUND
        for account in sorted(accounts, key=lambda each: each in self._accounts, reverse=True):
            code: int | None = None
            if account not in self._accounts:
                told = told if told != NOT_FOUND else NOT_OURS + account
                continue
            if account not in silent:
                try:
                    code = await self._accounts[account].log.delete(sid)
                except LogUnavailableError:
                    silent.add(account)
            if account in silent:
                told = UNANSWERED + account if is_old else ""
            elif code is None:
                return DELETED
            elif code != NOT_THERE:
                return f"{REFUSED}{code}" if is_old or code not in NOT_YET else ""
        return told


def _silent(account: str) -> Wait:
    why = "Twilio deletes nothing in the account {at}; give it a key that works; 72 hours after the wish it stays there"
    return Wait(why, LATER, at=account)


def _note(tx: Tx, forgetting: Forgetting, found: Mapping[str, Sequence[str]]) -> None:
    for account in tx.forgotten.accounts(forgetting.id):
        if account in found:
            tx.forgotten.add_copies(forgetting.id, found[account], account)
        else:
            tx.forgotten.tell(forgetting.id, **{NOT_LISTED + account: True})


def _gone(tx: Tx, forgetting: Forgetting, sid: str, told: str) -> None:
    """Twilio has it no more, or does not delete it: then its sid goes all the same, and the report says how many."""
    tx.forgotten.drop_copy(sid)
    tx.forgotten.tell(forgetting.id, **{told: 1})
