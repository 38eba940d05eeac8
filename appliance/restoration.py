"""A copy was put in the database's place: what it calls unsent may have been sent since it was taken.

Each account at Twilio has a log of its own, so it is over for one after the other.

Everything unsent is in doubt from its first moment (`distrust`), nobody is answered (`Hold`), and Twilio's log is read;
what that shows counts only when it can no longer be behind what the lost box did (`grace_began`). Then it is over
(`trust`). The lost file may also come back as another copy meanwhile: the moment of the restoration tells them apart.
"""

from collections.abc import Callable, Iterable

from appliance.model import MAIN, JobKind
from appliance.store import Tx
from appliance.store.box import Fact
from appliance.store.cards import CardKind, log_of


def distrust(tx: Tx) -> None:
    """In the copy, before anybody can open it as the database."""
    tx.box.put(Fact.LOST_SINCE, tx.times.last_written())
    tx.box.put(Fact.LOST_UNTIL, tx.now)
    tx.attempts.distrust()
    tx.outbox.doubt_all_unsent("restored from a backup")
    for account in tx.channels.accounts() or [MAIN]:
        tx.box.put(Fact.RESTORED_AT, tx.now, account)
        tx.cards.open(CardKind.RESTORED, log_of(account), account=account)
    tx.jobs.tick(JobKind.SETTLE)
    tx.jobs.tick(JobKind.CATCH_UP)  # also where twilio.catch_up_every is 0


def restored_at(tx: Tx, account: str) -> int | None:
    """When a copy was put in place that has not been compared with an account's log yet (ms UTC)."""
    return tx.box.number(Fact.RESTORED_AT, account)


def unread(tx: Tx) -> list[str]:
    """The accounts whose log has not told yet what a copy does not know."""
    return tx.box.accounts(Fact.RESTORED_AT)


def grace_began(tx: Tx, account: str) -> int:
    """From when on the grace for an account's log counts at the earliest (ms UTC).

    The box that was lost may have sent something until the restoration; times from before the clock was set do not tell
    how long ago a send was.
    """
    moments = (restored_at(tx, account) or 0, tx.box.number(Fact.CLOCK_SET_AT) or 0)
    return max((at for at in moments if at <= tx.now), default=0)


def trust(tx: Tx, account: str, since: int) -> None:
    """The account's log has told what happened; nothing to do where another copy was put in place meanwhile."""
    if restored_at(tx, account) == since:
        tx.box.remove(Fact.RESTORED_AT, account)
        tx.cards.close(CardKind.RESTORED, log_of(account))


class Hold:
    """The accounts for which nothing that goes out is claimed. `ring`: told when one is free again."""

    def __init__(self, accounts: Iterable[str], ring: Callable[[], None]) -> None:
        self._accounts = set(accounts)
        self._ring = ring

    def keeps(self, account: str) -> bool:
        return account in self._accounts

    def release(self, account: str) -> None:
        self._accounts.discard(account)
        self._ring()
