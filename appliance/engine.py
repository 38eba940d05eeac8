"""The parts over one open store, put together: adapters, handlers, and what gives them work or holds it back.

It alone names the concrete adapters. `app` opens the store, starts the engine and stops it.
"""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import structlog

from appliance import chores, restoration, timekeeping
from appliance.clock import SystemClock
from appliance.config import Account, Config
from appliance.config.accounts import strays
from appliance.diagnosis.examination import Instruments
from appliance.errors import ConfigurationError, StorageBrokenError, StorageUnavailableError
from appliance.handover.hand_back import HandBackHandler
from appliance.inbox.catch_up import CatchUpHandler
from appliance.metrics import Metrics
from appliance.model import SECOND, JobKind
from appliance.operations.knowledge import Offline
from appliance.outbox import consequences, delivery
from appliance.outbox.follow_up import FollowUpHandler
from appliance.outbox.send import SendHandler
from appliance.outbox.settle import SettleHandler
from appliance.ports import Accounts, Clock, Responder, TwilioAccount
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
from appliance.reply.provider import Provider
from appliance.reply.shelf import Shelves
from appliance.responder.faq import Faq
from appliance.responder.llm import Llm
from appliance.restoration import Hold
from appliance.store import Store, Tx, cards
from appliance.store.box import Fact
from appliance.store.cards import CardKind
from appliance.store.times import Rows
from appliance.timekeeping import Timekeeper
from appliance.web import offline
from appliance.wire import STATUS_PATH

RECONCILE_PATIENCE = 10.0  # seconds that workers wait for Twilio's log at start; a job goes on with it later

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Adapters:
    """What is swapped at the edges. `offline`: can say without a network why it would answer what."""

    accounts: Accounts
    responder: Responder
    offline: Offline = field(default_factory=Faq)


def make_responder(config: Config) -> Responder:
    return _model(config) or Faq()


def _model(config: Config) -> Llm | None:
    ai = config.ai
    if ai.provider == "faq":
        return None
    assert ai.base_url is not None
    assert ai.model is not None
    return Llm(ai.base_url, ai.api_key, ai.model, ai.max_output_tokens, ai.context_tokens, ai.reasoning_effort)


async def connect(config: Config, clock: Clock, responder: Responder | None = None) -> Adapters:
    """For each account what sends and what reads its log, over the same connections; and who answers."""
    # Twilio's package takes a tenth of a second or, on a small board, a whole one to import: not on the loop.
    module = await asyncio.to_thread(import_module, "appliance.twilio.sender")
    log_module = await asyncio.to_thread(import_module, "appliance.twilio.log")
    accounts = {}
    for account in config.accounts:
        sender = module.TwilioSender(
            account_sid=account.account_sid,
            credentials=_credentials(account, config),
            api_url=account.api_url,
            status_url=config.server.public_url + STATUS_PATH,
            timeout=config.twilio.timeout / SECOND,
            messaging_service_sid=account.messaging_service_sid,
        )
        accounts[account.name] = TwilioAccount(sender, log_module.TwilioLog(sender.clients, clock))
    return Adapters(accounts, responder or make_responder(config))


def _credentials(asked: Account, config: Config) -> list[tuple[str, str]]:
    """User and secret, in the order they are tried; a subaccount that has none is reached with its parent's."""
    for account in (asked, *(each for each in config.accounts if each.name == asked.parent)):
        found: list[tuple[str, str]] = [(account.account_sid, token) for token in account.auth_tokens]
        if account.api_key_sid and account.api_key_secret:
            # A token opens subaccounts too; whether a key does is the key's own affair.
            found.insert(0 if account is asked else len(found), (account.api_key_sid, account.api_key_secret))
        if found:
            return found
    return []


@contextlib.asynccontextmanager
async def instruments(config: Config) -> AsyncIterator[Instruments]:
    """What looks at the world outside, until the context ends; beside an appliance that runs it has its own."""
    module, clock = await asyncio.to_thread(import_module, "appliance.twilio.console"), SystemClock()
    consoles = {
        account.name: module.TwilioConsole(
            account_sid=account.account_sid,
            key_sid=account.api_key_sid,
            credentials=_credentials(account, config),
            api_url=account.api_url,
            timeout=config.twilio.timeout / SECOND,
            clock=clock,
        )
        for account in config.accounts
    }
    made = Instruments(consoles, _model(config), clock)
    try:
        yield made
    finally:
        await made.close()


@contextlib.asynccontextmanager
async def offline_control(config: Config) -> AsyncIterator[None]:
    """The control socket of an appliance that does not run. Raises AlreadyRunningError or DatabaseError."""
    async with offline.control(config, SystemClock(), Faq(), make_responder(config)):
        yield


@dataclass(frozen=True, slots=True)
class Past:
    """What the runs before this one left. `run`: the number of this one; `unread`: the accounts whose log has not told
    yet what a restored copy does not know; `last_doubts`: by account.
    """

    run: int
    rows: Rows
    unread: list[str]
    last_doubts: dict[str, int]


def past(tx: Tx, config: Config) -> Past:
    """Raises ConfigurationError where a channel's account is not configured: nobody could send for it."""
    if faults := strays(config, [(each.address, each.account) for each in tx.channels.in_use(sys.maxsize)]):
        raise ConfigurationError(faults)
    run = (tx.box.number(Fact.RUN) or 0) + 1
    return Past(run, tx.times.rows(), restoration.unread(tx), tx.outbox.last_doubts())


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
        senders = [account.sender for account in adapters.accounts.values()]
        self.outage = Outage(store, senders, clock, self.bell)
        hold = Hold(past.unread, self.bell.ring)
        self._settle = SettleHandler(store, adapters.accounts, config, clock)
        self._catch_up = CatchUpHandler(store, adapters.accounts, config, clock, self.bell, hold)
        self._handlers = self.handlers(clock)
        self._timekeeper = Timekeeper(store, clock, config.ai.deadline, past.rows)
        self.schedule = Schedule(store, config, clock, self.bell, self._timekeeper)
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

    def handlers(self, clock: Clock) -> Mapping[JobKind, Handler]:
        store, config, adapters = self.store, self.config, self.adapters
        attempts = config.queue.max_attempts
        provider = Provider(adapters.responder, self.circuits, self.outage, clock, random.random, attempts)
        return {
            JobKind.REPLY: ReplyHandler(store, provider, self.shelves, config, clock),
            JobKind.SEND: SendHandler(store, adapters.accounts, config, clock, self.circuits),
            JobKind.SETTLE: self._settle,
            JobKind.CATCH_UP: self._catch_up,
            JobKind.FOLLOW_UP: FollowUpHandler(store, adapters.accounts, config, clock),
            JobKind.HAND_BACK: HandBackHandler(store, adapters.accounts, config, clock, self.bell),
            JobKind.FORGET: ForgetHandler(store, adapters.accounts, config, clock, self.bell),
            JobKind.BACKUP: chores.Backup(store, clock),
            JobKind.IDLE: chores.idle(config),
            JobKind.EXPIRED: chores.expired(),
            JobKind.HOUSEKEEPING: chores.housekeeping(store),
        }

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
    for account in config.accounts:
        tx.cards.close(CardKind.ORPHAN, cards.stranger(account.account_sid))
    delivery.settle_crashed(tx)
    timekeeping.begin(tx)
    resume(tx, handlers, config, crashed=crashed)
    enqueue_tick(tx, JobKind.HOUSEKEEPING)
    enqueue_tick(tx, JobKind.FORGET)


def kernels_boot_id() -> str:
    """Empty where there is none; it changes whenever the machine starts."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""
