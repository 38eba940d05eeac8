"""follow_up: ask Twilio once for what it took hours ago and never reported as delivered or failed.

Status callbacks are best effort and may never come (Twilio docs, "Best practices for messaging delivery status
logging").
"""

from appliance.config import Config
from appliance.model import HOUR, Job, OutboxMessage, OutboxState, is_forgotten
from appliance.outbox import binding
from appliance.ports import Accounts, Clock
from appliance.queue.outcome import Dead, Done, Outcome
from appliance.queue.tolerance import of_each, unreadable
from appliance.store import Store, Tx
from appliance.store.box import Fact
from appliance.store.news import Event

AFTER = 4 * HOUR
FORGET = 7 * 24 * HOUR  # an old box that learns to follow up does not ask for its whole history
AT_MOST = 100  # requests a run
PAGE = 100  # rows a reading
_UNSETTLED = (OutboxState.READY, OutboxState.SENDING, OutboxState.DOUBT)


class FollowUpHandler:
    def __init__(self, store: Store, accounts: Accounts, config: Config, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._config = config
        self._clock = clock

    async def run(self, _job: Job) -> Outcome:
        found = await of_each(self._accounts, self.follow_up)
        return unreadable(self._clock.now(), found.unreadable) if found.unreadable else Done()

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Dead(error)

    async def follow_up(self, account: str) -> None:
        """Walk on, to the account's first row whose time has not come. Raises LogUnavailableError."""
        for _ in range(AT_MOST):
            row = await self._next(account)
            # A time far in the future was written by a clock that ran ahead.
            if row is None or row.state != OutboxState.SENT or abs(self._clock.now() - (row.sent_at or 0)) < AFTER:
                break
            await self._ask(row)

    async def _next(self, account: str) -> OutboxMessage | None:
        """The account's first row that is not over. Those before it, and those of others, are passed for good."""

        def page(tx: Tx) -> list[OutboxMessage]:
            return tx.outbox.page_of_the_box(tx.box.number(Fact.FOLLOWED_UP_TO, account) or 0, PAGE)

        def is_left(row: OutboxMessage) -> bool:
            return row.account == account and not _is_over(row, self._clock.now())

        while rows := await self._store.read(page):
            row = next(filter(is_left, rows), None)
            if row is not rows[0]:
                await self._pass(account, rows[-1].id if row is None else row.id - 1)
            if row is not None:
                return row
        return None

    async def _ask(self, row: OutboxMessage) -> None:
        """Whatever Twilio says, and a customer who blocked us stays `sent` for ever: it is asked once."""
        assert row.sid is not None
        logged = await self._accounts[row.account].log.message(row.sid)

        def conclude(tx: Tx) -> None:
            current = tx.outbox.get(row.id)
            if current is not None and logged is not None:
                binding.name(tx, current, 0, logged.sid, logged.status, logged.error_code)
                binding.derive(tx, current, self._config)
                tx.outbox.charged(current.id, logged.sid, logged.segments, logged.price, logged.currency)
            tx.box.put(Fact.FOLLOWED_UP_TO, row.id, row.account)
            tx.tell(
                Event.FOLLOWED_UP,
                outbox=row.id,
                organization=row.organization_id,
                status=logged and logged.status,
                price=None if logged is None or logged.price is None else float(logged.price),
                currency=logged and logged.currency,
            )

        await self._store.write(conclude)

    async def _pass(self, account: str, outbox_id: int) -> None:
        await self._store.write(lambda tx: tx.box.put(Fact.FOLLOWED_UP_TO, outbox_id, account))


def _is_over(row: OutboxMessage, now: int) -> bool:
    """Whether it has a final state, or is so old that nobody asks any more."""
    if row.state == OutboxState.SENT:
        return is_forgotten(row.recipient) or (row.sent_at or 0) <= now - FORGET
    return row.state not in _UNSETTLED
