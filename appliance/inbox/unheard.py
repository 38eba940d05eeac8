"""Messages that Twilio's log has although no webhook brought them: Twilio does not reach this box.

What came in before this run, or while the box had no way out itself, proves nothing.
"""

from collections.abc import Iterable
from contextlib import suppress

from appliance.errors import ApplianceError
from appliance.links import link
from appliance.links.link import Links
from appliance.model import MINUTE, masked
from appliance.ports import Clock
from appliance.store import Store, Tx, cards
from appliance.store.cards import CardKind

AFTER_TROUBLE = MINUTE  # Twilio may have given up a webhook so long after our own network came back


class Unheard:
    """The card of each account, which its next webhook closes."""

    def __init__(self, store: Store, links: Links, clock: Clock, accounts: Iterable[str]) -> None:
        self._store = store
        self._links = links
        self._clock = clock
        self._began = clock.now()
        self._excused_until = 0
        self._may_be_told = set(accounts)  # a run before this one may have left their cards

    def excuse(self) -> None:
        """A webhook could not be stored: Twilio did reach this box."""
        self._excused_until = self._clock.now() + AFTER_TROUBLE

    async def found(self, account: str, number: str, created_at: int) -> None:
        """Catch-up stored a message to a number of ours that Twilio had at a time (ms UTC, on our clock)."""
        known = self._links.get(link.of_account(account))
        proves_nothing_until = max(self._began, known.mended_at + AFTER_TROUBLE, self._excused_until)
        if created_at <= proves_nothing_until or known.trouble is not None:
            return
        self._may_be_told.add(account)

        def tell(tx: Tx) -> None:
            subject = cards.account(account)
            tx.cards.open(CardKind.UNHEARD, subject, account=account, number=masked(number), since=created_at)
            error = "Twilio's log has a message that no webhook brought"
            tx.tell("a webhook never came", "warning", trouble=_named(account), account=account, error=error)

        await self._store.write(tell)

    async def heard(self, account: str) -> None:
        """A webhook brought a message."""
        if account in self._may_be_told:
            with suppress(ApplianceError):  # the next one closes it
                await self._store.write(lambda tx: _over(tx, account))
                self._may_be_told.discard(account)


def _over(tx: Tx, account: str) -> None:
    tx.cards.close(CardKind.UNHEARD, cards.account(account))
    tx.tell("a webhook came", over=[_named(account)], account=account)


def _named(account: str) -> str:
    return f"{CardKind.UNHEARD} {account}"
