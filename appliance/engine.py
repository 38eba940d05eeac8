"""The parts over one open store, put together: adapters, handlers, and what gives them work or holds it back.

It alone names the concrete adapters. `app` opens the store, starts the engine and stops it.
"""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import structlog

from appliance import chores, restoration, timekeeping
from appliance.assembly.adapters import Adapters, connect, make_responder
from appliance.clock import SystemClock
from appliance.config import Config
from appliance.config.accounts import strays
from appliance.errors import ConfigurationError, StorageBrokenError, StorageUnavailableError
from appliance.handover.hand_back import HandBackHandler
from appliance.inbox.catch_up import CatchUpHandler
from appliance.inbox.refused import ASK_EVERY, Refusals
from appliance.inbox.unheard import Unheard
from appliance.links import link
from appliance.metrics import Metrics
from appliance.model import SECOND, Channel, JobKind
from appliance.outbox import consequences, delivery
from appliance.outbox.follow_up import FollowUpHandler
from appliance.outbox.send import SendHandler
from appliance.outbox.settle import SettleHandler
from appliance.ports import Clock, Dialogue
from appliance.privacy.handler import ForgetHandler
from appliance.queue.bell import Bell
from appliance.queue.circuit import Circuits
from appliance.queue.gate import Gate
from appliance.queue.outage import Outage
from appliance.queue.outcome import Handler
from appliance.queue.schedule import Schedule, enqueue_tick
from appliance.queue.tolerance import of_each
from appliance.queue.worker import Worker, resume
from appliance.reply.handler import ReplyHandler
from appliance.reply.listening import Listening
from appliance.reply.provider import Provider
from appliance.reply.shelf import Shelves
from appliance.responder.faq import Faq
from appliance.restoration import Hold
from appliance.statement.handler import StatementHandler
from appliance.store import Store, Tx, cards
from appliance.store.box import Fact
from appliance.store.cards import CardKind
from appliance.store.times import Rows
from appliance.timekeeping import Timekeeper
from appliance.watch.alerts import AlertHandler
from appliance.watch.watch import Watch
from appliance.web import offline

MODEL_PATIENCE = 20 * SECOND  # for an answer that nobody waits for
RECONCILE_PATIENCE = 10.0  # seconds that workers wait for Twilio's log at start; a job goes on with it later

log = structlog.get_logger()


@contextlib.asynccontextmanager
async def offline_control(config: Config) -> AsyncIterator[None]:
    """The control socket of an appliance that does not run. Raises AlreadyRunningError or DatabaseError."""
    clock, responder = SystemClock(), make_responder(config)
    async with offline.control(config, clock, Faq(), responder, lambda store: _Unconnected(store, config, clock)):
        yield


@dataclass(frozen=True, slots=True)
class _Unconnected:
    """Implements ports.Missed for a box that does not run: connected only when it is asked."""

    store: Store
    config: Config
    clock: Clock

    async def fetch(self, channel: Channel) -> bool:
        adapters = await connect(self.config, self.clock, Faq())
        try:
            hold = Hold([], lambda: None)
            unheard = Unheard(self.store, adapters.links, self.clock, adapters.accounts)
            refusals = Refusals(self.store, self.config, self.clock, unheard, lambda: None)  # nothing is refused here
            missed = CatchUpHandler(self.store, adapters.accounts, self.config, self.clock, Bell(), hold, refusals)
            return await missed.fetch(channel)
        finally:
            for account in adapters.accounts.values():
                await account.sender.close()


@dataclass(frozen=True, slots=True)
class Past:
    """What the runs before this one left. `run`: the number of this one; `unread`: the accounts whose log has not told
    yet what a restored copy does not know; `last_doubts`: by account.
    """

    run: int
    rows: Rows
    latest: int
    unread: list[str]
    last_doubts: dict[str, int]


def past(tx: Tx, config: Config) -> Past:
    """Raises ConfigurationError where a channel's account is not configured: nobody could send for it."""
    if faults := strays(config, [(each.address, each.account) for each in tx.channels.in_use(sys.maxsize)]):
        raise ConfigurationError(faults)
    run = (tx.box.number(Fact.RUN) or 0) + 1
    return Past(run, tx.times.rows(), timekeeping.latest_time(tx), restoration.unread(tx), tx.outbox.last_doubts())


class Engine:
    """What works through the queue of one store. Nothing is executed before work()."""

    def __init__(
        self, store: Store, adapters: Adapters, config: Config, clock: Clock, metrics: Metrics, past: Past
    ) -> None:
        self.store = store
        self.adapters = adapters
        self.config = config
        self.reconciled = asyncio.Event()
        self._past = past
        self.circuits = Circuits()
        consequences.of_the_past(self.circuits, clock, past.last_doubts)
        self.bell = Bell()
        self.shelves = Shelves()
        self.outage = Outage(store, [account.sender for account in adapters.accounts.values()], clock, self.bell)
        hold = Hold(past.unread, self.bell.ring)
        attempts, breaker = config.queue.max_attempts, adapters.links.get(link.AI)
        self._provider = Provider(
            adapters.responder, self.circuits, self.outage, breaker, clock, random.random, attempts
        )
        self._alerts = AlertHandler(store, config, clock)
        self._settle = SettleHandler(store, adapters.accounts, config, clock)
        self._timekeeper = Timekeeper(store, clock, config.ai.deadline, past.rows)
        self.schedule = Schedule(store, config, clock, self.bell, self._timekeeper)
        unheard = Unheard(store, adapters.links, clock, adapters.accounts)
        self.refusals = Refusals(
            store, config, clock, unheard, partial(self.schedule.request, JobKind.CATCH_UP, ASK_EVERY)
        )
        self._catch_up = CatchUpHandler(store, adapters.accounts, config, clock, self.bell, hold, self.refusals)
        # Before a channel moves: nobody is woken, as what comes in so is answered by its new account.
        self.missed = CatchUpHandler(store, adapters.accounts, config, clock, Bell(), hold, self.refusals)
        self._handlers = self.handlers(clock)
        self.worker = Worker(
            store=store,
            handlers=self._handlers,
            config=config,
            clock=clock,
            gate=Gate(self.circuits, self.outage, hold, clock),
            bell=self.bell,
            run_number=past.run,
            metrics=metrics,
            random=random.random,
            before_claim=self.schedule.look_at_clock,
        )
        self._clock = clock

    @cached_property
    def watch(self) -> Watch:
        return Watch(
            self.store,
            self.adapters.accounts,
            self.adapters.links,
            self.config,
            self._clock,
            ask_model=self._ask_model,
            ring=self.bell.ring,
            tell=self._tell,
            latest=self._past.latest,
        )

    def handlers(self, clock: Clock) -> Mapping[JobKind, Handler]:
        store, config, adapters = self.store, self.config, self.adapters
        listening = Listening(store, adapters.accounts, config, clock)
        return {
            JobKind.REPLY: ReplyHandler(store, self._provider, self.shelves, listening, config, clock),
            JobKind.SEND: SendHandler(store, adapters.accounts, config, clock, self.circuits),
            JobKind.SETTLE: self._settle,
            JobKind.CATCH_UP: self._catch_up,
            JobKind.FOLLOW_UP: FollowUpHandler(store, adapters.accounts, config, clock),
            JobKind.STATEMENT: StatementHandler(store, adapters.accounts, config, clock),
            JobKind.HAND_BACK: HandBackHandler(store, adapters.accounts, config, clock, self.bell),
            JobKind.FORGET: ForgetHandler(store, adapters.accounts, config, clock, self.bell),
            JobKind.ALERT: self._alerts,
            JobKind.BACKUP: chores.Backup(store, clock),
            JobKind.IDLE: chores.idle(config),
            JobKind.EXPIRED: chores.expired(),
            JobKind.HOUSEKEEPING: chores.housekeeping(store),
        }

    async def _ask_model(self) -> None:
        """As short as can be; what comes of it its link hears, and whoever waits for the provider."""
        first = await self.store.read(lambda tx: next(iter(tx.organizations.page_of_the_box(limit=1)), None))
        if first is not None:
            deadline = self._clock.now() + MODEL_PATIENCE
            await self._provider.ask(Dialogue(first, ("Hello?",)), deadline=deadline, attempt=1)

    async def _tell(self) -> None:
        """While workers wait, as for a clock to be set, somebody has to know why."""
        if not self.reconciled.is_set():
            await self._alerts.tell()

    async def resume(self) -> None:
        """Take up what the dead run left: its running jobs are ready again, its sends in flight are in doubt."""
        died = self.store.was_left_by_a_death
        await self.store.write(lambda tx: begin_run(tx, self._past.run, self._handlers, self.config, died=died))
        self.store.taken_up()
        await self.outage.resume()

    async def work(self) -> None:
        """For ever: when the clock is right and Twilio's log has told what happened meanwhile."""
        await self._timekeeper.wait(self.worker.live)
        with contextlib.suppress(StorageUnavailableError):  # the first claim looks again
            await self.schedule.look_at_clock()
        await self._reconcile()
        self.reconciled.set()
        await self.worker.run()

    async def _compare(self, account: str) -> bool:
        """Whether nothing is left to fetch from the account's log."""
        await self._settle.settle(account)
        return not self.config.twilio.catch_up_every or await self._catch_up.catch_up(account)

    async def _reconcile(self) -> None:
        """Before anything is sent: what became of the sends in doubt, and what came in meanwhile. Bounded, and each
        account for itself: one whose log hangs takes nothing of the others' time.
        """
        complete = not self.config.twilio.catch_up_every
        try:
            async with asyncio.timeout(RECONCILE_PATIENCE):
                found = await of_each(self.adapters.accounts, self._compare)
                complete = complete or (not found.unreadable and all(found.said.values()))
        except (TimeoutError, StorageUnavailableError):
            pass
        except StorageBrokenError:
            raise
        except Exception as error:  # noqa: BLE001  # ending here would end every start; the schedule tries again
            log.error("Twilio's log was not compared at the start", error=type(error).__name__)
        if not complete:
            with contextlib.suppress(StorageUnavailableError):
                await self.store.write(lambda tx: enqueue_tick(tx, JobKind.CATCH_UP))


def begin_run(tx: Tx, run: int, handlers: Mapping[JobKind, Handler], config: Config, *, died: bool = True) -> None:
    """`died`: the process before this one did not end by itself; what it could not put back tells nothing then."""
    boot_id = kernels_boot_id()
    # Else the power went, or a copy was put back: nobody is to blame, and what the copy has may have been answered.
    crashed = died and tx.box.get(Fact.BOOT_ID) == boot_id and not restoration.unread(tx)
    tx.box.put(Fact.RUN, run)
    tx.box.put(Fact.BOOT_ID, boot_id)
    for name in set(restoration.unread(tx)) - {each.name for each in config.accounts}:
        restoration.trust(tx, name, restoration.restored_at(tx, name) or 0)  # it has no channel
    tx.cards.close_of_accounts_but(each.name for each in config.accounts)
    for account in config.accounts:
        tx.cards.close(CardKind.STRANGER, cards.stranger(account.account_sid))
        tx.box.put(Fact.ACCOUNT_OF, account.name, account.account_sid)
    delivery.settle_crashed(tx)
    timekeeping.begin(tx)
    resume(tx, handlers, config, crashed=crashed)
    enqueue_tick(tx, JobKind.HOUSEKEEPING)
    enqueue_tick(tx, JobKind.FORGET)


def kernels_boot_id() -> str:
    """Empty where there is none; it changes whenever the machine starts."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""
