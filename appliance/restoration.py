"""A copy was put in the database's place: what it calls unsent may have been sent since it was taken.

Everything unsent is in doubt from its first moment (`distrust`), nobody is answered (`Hold`), and Twilio's log is read;
what that shows counts only when it can no longer be behind what the lost box did (`grace_began`). Then it is over
(`trust`). The lost file may also come back as another copy meanwhile: the moment of the restoration tells them apart.
"""

from collections.abc import Callable

from appliance.model import JobKind
from appliance.store import Tx
from appliance.store.box import Fact
from appliance.store.cards import BOX, CardKind


def distrust(tx: Tx) -> None:
    """In the copy, before anybody can open it as the database."""
    tx.attempts.distrust()
    tx.outbox.doubt_all_unsent("restored from a backup")
    tx.box.put(Fact.RESTORED_AT, tx.now)
    tx.cards.open(CardKind.RESTORED, BOX, "Restored from a backup: nobody is answered before Twilio's log was read.")
    tx.jobs.tick(JobKind.SETTLE)
    tx.jobs.tick(JobKind.CATCH_UP)  # also where twilio.catch_up_every is 0


def restored_at(tx: Tx) -> int | None:
    """When a copy was put in place that has not been compared with Twilio's log yet (ms UTC)."""
    return tx.box.number(Fact.RESTORED_AT)


def grace_began(tx: Tx) -> int:
    """From when on the grace for Twilio's log counts at the earliest (ms UTC).

    The box that was lost may have sent something until the restoration; times from before the clock was set do not tell
    how long ago a send was.
    """
    moments = (tx.box.number(fact) or 0 for fact in (Fact.RESTORED_AT, Fact.CLOCK_SET_AT))
    return max((at for at in moments if at <= tx.now), default=0)


def trust(tx: Tx, since: int) -> None:
    """Twilio's log has told what happened; nothing to do where another copy was put in place meanwhile."""
    if restored_at(tx) == since:
        tx.box.remove(Fact.RESTORED_AT)
        tx.cards.close(CardKind.RESTORED, BOX)


class Hold:
    """While it is active nothing that goes out is claimed. `ring`: told when it ends."""

    def __init__(self, active: bool, ring: Callable[[], None]) -> None:
        self.active = active
        self._ring = ring

    def release(self) -> None:
        self.active = False
        self._ring()
