"""One life of the process: the real parts, put together and started as appliance.app does it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from appliance import app, engine, ports
from appliance.assembly.adapters import Adapters
from appliance.config import Account, Config, Conversations, Queue, Twilio
from appliance.engine import Engine
from appliance.errors import StorageUnavailableError
from appliance.inbox.intake import Intake
from appliance.model import MAIN, MINUTE, Job, JobKind
from appliance.opening import AGAIN
from appliance.outbox import binding
from appliance.people import identity
from appliance.ports import TwilioAccount
from appliance.queue.outcome import Handler, Outcome
from appliance.store import Tx
from appliance.wire import Alias, DeliveryReport, InboundMessage
from tests.lab.inline import InlineStore
from tests.lab.simulation.chance import Dice
from tests.lab.simulation.ports import Clock, SimulatedLog, SimulatedModel, SimulatedSender, Wire
from tests.lab.simulation.terms import OTHER, SIDS, Scenario
from tests.lab.simulation.world import Entry, World


class _NoMetrics:
    """Instruments that measure nothing; they would be a tenth of the run."""

    def __getattr__(self, _name: str) -> "_NoMetrics":
        return self

    def labels(self, *_values: str) -> "_NoMetrics":
        return self

    def inc(self) -> None: ...

    def observe(self, _value: float) -> None: ...

    def time(self) -> AbstractContextManager[None]:
        return nullcontext()


_METRICS: Any = _NoMetrics()


def configure(scenario: Scenario) -> Config:
    return Config(
        twilio=Twilio(
            account_sid=SIDS[MAIN],
            on_doubt=scenario.on_doubt,  # type: ignore[arg-type]
            accounts=(Account(name=OTHER, account_sid=SIDS[OTHER]),) if scenario.second else (),
        ),
        conversations=Conversations(idle_after=MINUTE, expire_after=5 * MINUTE) if scenario.sweeps else Conversations(),
        queue=Queue(reply_max_age=scenario.age) if scenario.age else Queue(),
    )


class _Watched:
    """A handler that tells when one job runs twice at the same time."""

    def __init__(self, handler: Handler, running: set[int], errors: list[str]) -> None:
        self._handler, self._running, self._errors = handler, running, errors
        self.give_up = handler.give_up

    async def run(self, job: Job) -> Outcome:
        if job.id in self._running:
            self._errors.append(f"unexpected: job {job.id} ({job.kind}) runs twice at once")
        self._running.add(job.id)
        try:
            return await self._handler.run(job)
        finally:
            self._running.discard(job.id)


class _WatchedEngine(Engine):
    def __init__(self, errors: list[str], *parts: Any) -> None:
        self._errors = errors
        super().__init__(*parts)

    def handlers(self, clock: ports.Clock) -> dict[JobKind, Handler]:
        running: set[int] = set()
        return {kind: _Watched(each, running, self._errors) for kind, each in super().handlers(clock).items()}


class Life(app.Appliance):
    """The appliance without its sockets, its file and its wall clock. The methods it inherits are the product's."""

    def __init__(self, world: World, store: InlineStore, point: Callable[..., Awaitable[None]], config: Config) -> None:
        super().__init__(config, Clock(world))
        self.world = world
        self._inline: Any = store
        self.wire = Wire(world)
        accounts = {
            account.name: TwilioAccount(
                SimulatedSender(account.name, self.wire, point), SimulatedLog(account.name, self.wire, point)
            )
            for account in config.accounts
        }
        self._adapters = Adapters(accounts, SimulatedModel(world, point))
        self.dice = Dice(world.scenario.seed + (world.life << 48))  # so far apart that the lives share nothing
        self.errors: list[str] = []
        self.listening = False

    def begin(self) -> None:
        self._spawn(self.start(), "start")

    async def start(self) -> None:
        while self.world.is_full:  # appliance.opening refuses webhooks meanwhile
            await asyncio.sleep(AGAIN)
        left = await self._inline.read(lambda tx: engine.past(tx, self.config))
        parts = (self._inline, self._adapters, self.config, self.clock, _METRICS, left)
        self._engine = _WatchedEngine(self.errors, *parts)
        await self._engine.resume()
        self.intake = Intake(self._inline, self.config, self._engine.bell)
        self._spawn(self._engine.work(), "worker")
        self._spawn(self._engine.outage.watch(), "outage")
        if self.world.scenario.full[1]:  # its clock never jumps
            self._spawn(self._engine.schedule.watch(), "clock")
        self.listening = True

    # What web.hooks does once a request is checked and parsed.

    async def message(self, entry: Entry) -> None:
        message = InboundMessage(
            entry.sid,
            SIDS[entry.account],
            entry.sender,
            entry.recipient,
            entry.body,
            parameters=(("Body", entry.body),),
            account=entry.account,
            aliases=(Alias(entry.tells, "ExternalUserId"),) if entry.tells else (),
        )
        try:
            await self.intake.receive(message)
        except StorageUnavailableError:
            self.not_stored()
        except Exception as error:
            self.errors.append(f"webhook of {entry.sid}: {error!r}")
        else:
            self.world.acknowledged.setdefault(entry.sid, self.world.now)

    async def join(self) -> None:
        """Somebody says that the one person's customers are that; who has not written yet is joined by writing."""

        def unit(tx: Tx) -> None:
            told = [Alias(address, "said") for address in self.world.scenario.aliases]
            channel = tx.channels.at(MAIN, self.world.scenario.channel)
            assert channel is not None
            for each in [tx.contacts.at(channel.id, alias.address) for alias in told]:
                if each is not None:
                    identity.note(tx, each, told)

        with suppress(StorageUnavailableError):
            await self.store.write(unit)

    async def report(self, report: DeliveryReport) -> None:
        with suppress(StorageUnavailableError):
            row = await self.store.write(lambda tx: binding.apply(tx, report, self.config))
            if row is not None and report.error_code is not None:
                self.failed(row, report.error_code)
            self.world.reported.append((report.reference, report.status))

    async def tick(self, kind: JobKind) -> None:
        """What the schedule does when a trigger fires."""
        with suppress(StorageUnavailableError):
            await self.engine.schedule.tick(kind)

    def meet(self, kind: str, value: Any) -> Coroutine[Any, Any, None]:
        """What an event of the world sets off in here."""
        match kind:
            case "hook":
                return self.message(value)
            case "callback":
                return self.report(value)
            case "join":
                return self.join()
            case "refuse":
                return self.tick(JobKind.CATCH_UP)
        return self.tick(value)
