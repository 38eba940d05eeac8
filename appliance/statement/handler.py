"""statement: each day of each organization in each account's log, compared with our books until it is settled."""

from collections.abc import Sequence
from typing import Literal

from appliance.config import Config
from appliance.model import MINUTE, Job
from appliance.ports import Accounts, Clock, TooMuchError
from appliance.queue.outcome import Done, Outcome, Snooze
from appliance.queue.tolerance import LATER, of_each
from appliance.statement.account import Comparison, Part, compare, to_ask
from appliance.statement.conclusion import Asked, conclude
from appliance.statement.plan import gone_at_twilio, plan
from appliance.store import Store, Tx
from appliance.store.statements import Booked, Owned
from appliance.wire import LoggedMessage

YOUNGEST = 2 * MINUTE  # what is younger is left out, or than the grace where that is longer
PRICED_AT_ONCE = 500  # rows a unit of work


class StatementHandler:
    def __init__(self, store: Store, accounts: Accounts, config: Config, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._config = config
        self._clock = clock

    async def run(self, _job: Job) -> Outcome:
        """Of an account whose log cannot be read there is none this time; of that log catch-up tells."""
        await of_each(self._accounts, self.state)
        return Done()

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Snooze(self._clock.now() + LATER, error)

    async def state(self, account: str) -> None:
        """Compare an account's days. Raises LogUnavailableError, and then nothing is said of them."""
        now = self._clock.now()
        planned = await self._store.read(lambda tx: plan(tx, account, now))
        if not planned.owned:
            return
        parts = [await self.part(account, owned, planned.since) for owned in planned.owned]
        offset = min((part.log.offset for part in parts if part.log), default=0)
        until = now + offset - max(self._config.twilio.doubt_grace, YOUNGEST)
        found = await self._store.read(lambda tx: compare(tx, account, parts, planned.since, until), limit=None)
        named = await self._store.read(lambda tx: gone_at_twilio(tx, account, planned))
        logged = {booked.sid: await self.ask(account, owned, booked) for owned, booked in to_ask(found, named)}
        asked = Asked(logged, offset, until)
        await self._store.write(lambda tx: conclude(tx, account, planned, parts, found, asked))
        await self.price(found)

    async def part(self, account: str, owned: Owned, since: int) -> Part:
        """What stands in the log of a channel. Raises LogUnavailableError."""
        try:
            return Part(owned, await self._accounts[account].log.traffic(owned.channel.address, since))
        except TooMuchError:
            return Part(owned, None)

    async def ask(self, account: str, owned: Owned, booked: Booked) -> LoggedMessage | Literal["elsewhere"] | None:
        """What Twilio has by a sid; what it has not may be that of another account in which the channel was. Raises
        LogUnavailableError.
        """
        logged = await self._accounts[account].log.message(booked.sid)
        if logged is None and booked.outbox_id is None:
            for other in owned.others:
                if other not in self._accounts or await self._accounts[other].log.message(booked.sid) is not None:
                    return "elsewhere"
        return logged

    async def price(self, found: Comparison) -> None:
        """Keep what Twilio tells by now of what our messages cost."""
        told = [(each, found.listed[each.sid]) for each in found.unpriced if each.sid in found.listed]
        priced = [(booked, logged) for booked, logged in told if logged.price is not None]
        for first in range(0, len(priced), PRICED_AT_ONCE):
            some = priced[first : first + PRICED_AT_ONCE]
            await self._store.write(lambda tx, some=some: _charge(tx, some))  # type: ignore[misc]


def _charge(tx: Tx, some: Sequence[tuple[Booked, LoggedMessage]]) -> None:
    for booked, logged in some:
        tx.outbox.charged(booked.outbox_id or 0, booked.sid, logged.segments, logged.price, logged.currency)
