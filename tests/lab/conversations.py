"""Customers on both channels who write, and a model and a Twilio that take their time: one appliance in virtual time.

Every question has a number and the model's answer repeats the numbers it saw, so that the simulated Twilio's ledger alone
shows who got what, how often and in which order.
"""

import asyncio
import contextlib
import re
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from appliance.model import SECOND, Job
from appliance.ports import Dialogue, Reply, Retryable, Sender
from appliance.queue.ready import ready
from appliance.simulator.delivery import Delivery
from appliance.simulator.ledger import Entry
from appliance.store import Tx
from appliance.store.contacts import session_key
from appliance.store.jobs import ALONE_AFTER
from appliance.wire import OutboundMessage, TwilioMessageResult
from tests.support.world import SMS, WHATSAPP, ManualClock, World

NOON = 1_800_025_200_000  # in São Paulo; at night what was missed is not answered
PATIENCE = 30.0  # real seconds in which everything that can run has run
NUMBER = re.compile(r"#\d+")


@dataclass(frozen=True, slots=True)
class Customer:
    address: str
    channel: str


CUSTOMERS = (
    Customer("+5511900000001", SMS),
    Customer("+5511900000002", SMS),
    Customer("whatsapp:+5511900000001", WHATSAPP),  # the same person on the other channel
    Customer("whatsapp:+5511900000003", WHATSAPP),
)


@dataclass(frozen=True, slots=True)
class Question:
    number: str
    customer: Customer
    sid: str
    heard: int | None  # the step of the test that had our 200 for its first delivery


@dataclass(frozen=True, slots=True)
class Plan:
    """How one call of the model goes: virtual seconds, then an answer or an error; a late one may ignore its timeout."""

    delay: float = 0.0
    ending: Literal["answer", "error", "ask later"] = "answer"
    overstays: bool = False


@dataclass(frozen=True, slots=True)
class SlowPost:
    """Virtual seconds until Twilio has a message, and from then until it says so."""

    before: float = 0.0
    after: float = 0.0


class Waits:
    """Waiting for the clock, and how many do."""

    def __init__(self, clock: ManualClock) -> None:
        self.count = 0
        self._clock = clock

    async def __call__(self, seconds: float) -> None:
        self.count += 1
        try:
            await self._clock.sleep(seconds)
        finally:
            self.count -= 1


class Model:
    """Implements ports.Responder."""

    def __init__(self, wait: Waits) -> None:
        self.plans: deque[Plan] = deque()
        self.askers: dict[str, Customer] = {}
        self.at_once: list[str] = []  # questions of calls that began while another one for their customer ran
        self._asking: Counter[Customer] = Counter()
        self._wait = wait

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        numbers = NUMBER.findall(" ".join(dialogue.questions))
        asker = self.askers[numbers[0]]
        if self._asking[asker]:
            self.at_once += numbers
        self._asking[asker] += 1
        try:
            await self._think(self.plans.popleft() if self.plans else Plan(), timeout)
        finally:
            self._asking[asker] -= 1
        return Reply("test", "Sobre " + " ".join(numbers))

    async def _think(self, plan: Plan, timeout: float) -> None:
        late = plan.delay > timeout and not plan.overstays
        await self._wait(timeout if late else plan.delay)
        if plan.ending == "ask later":
            raise Retryable("too many requests", retry_after=5.0)
        if late or plan.ending == "error":
            raise Retryable("no answer")

    async def close(self) -> None:
        """Nothing is held."""


class SlowTwilio(Delivery):
    """Also the way there: `send` stands before the appliance's own."""

    def __init__(self, world: World, wait: Waits) -> None:
        twilio = world.twilio
        super().__init__(twilio.ledger, twilio._webhooks, twilio.faults, twilio.now, 0.0)
        self.plans: deque[SlowPost] = deque()
        self._late: deque[float] = deque()
        self._wait = wait

    def stand_before(self, sender: Sender) -> None:
        self._send = sender.send
        sender.send = self.send  # type: ignore[method-assign]

    async def send(self, message: OutboundMessage) -> TwilioMessageResult:
        if self.plans:
            plan = self.plans.popleft()
            await self._wait(plan.before)
            self._late.append(plan.after)
        return await self._send(message)

    async def begin(self, entry: Entry) -> None:
        if self._late:
            await self._wait(self._late.popleft())
        await super().begin(entry)


@dataclass
class Town:
    """The customers, their appliance and all that may happen to both."""

    directory: Path
    reply_delay: int
    questions: list[Question] = field(default_factory=list)
    bursts: list[list[Question]] = field(default_factory=list)  # written within the debounce, nothing being under way
    counts: Counter[str] = field(default_factory=Counter)
    step: int = 0

    async def open(self) -> None:
        self.clock = ManualClock(NOON)
        self.waits = Waits(self.clock)
        self.model = Model(self.waits)
        delays = {"reply_delay": self.reply_delay, "reply_delay_max": 4 * self.reply_delay}
        self.world = World(
            self.directory,
            clock=self.clock,
            responder=self.model,
            ai={"deadline": 10 * SECOND},
            twilio={"doubt_grace": 30 * SECOND},
            conversations=delays | {"max_replies_per_hour": 0},
        )
        self.post = self.world.twilio.delivery = SlowTwilio(self.world, self.waits)
        await self.world.__aenter__()
        self.post.stand_before(self.world.sender)

    async def close(self, error: type[BaseException] | None) -> None:
        await self.clock.advance(60, partial(asyncio.sleep, 0))  # no slow POST outlives the simulator
        await self.world.__aexit__(error)

    async def write(self, customer: Customer, times: int = 1) -> Question:
        """A customer writes; the webhook is delivered so many times at once."""
        self.counts["messages"] += 1
        number = f"#{self.counts['messages']}"
        self.model.askers[number] = customer
        sid, _ = await self.world.twilio.receive(customer.address, customer.channel, f"{number} ?", deliver=False)
        heard = await self._deliver(customer, sid, times)
        question = Question(number, customer, sid, self.step if heard == {200} else None)
        self.questions.append(question)
        return question

    async def deliver(self, question: Question, times: int) -> None:
        assert await self._deliver(question.customer, question.sid, times) == {200}

    async def _deliver(self, customer: Customer, sid: str, times: int) -> set[int | None]:
        self.counts["deliveries"] += times
        receive = self.world.twilio.receive
        said = await asyncio.gather(*(receive(customer.address, customer.channel, "", sid=sid) for _ in range(times)))
        return {status for _, status in said}

    async def burst(self, customer: Customer, count: int, gap: float) -> list[Question]:
        """Several messages, each within the debounce of the one before."""
        quiet = bool(self.reply_delay) and not await self._has_work(customer)
        written = []
        for _ in range(count):
            written.append(await self.write(customer))
            await self.clock.advance(gap, self.rest)
        if quiet:
            self.bursts.append(written)
        return written

    async def write_amid(self, customers: Sequence[Customer], times: int) -> list[Question]:
        """Two write at each moment at which something falls due, and the rest at once."""
        left, written = deque(customers), []

        async def settle() -> None:
            pair = [left.popleft() for _ in range(min(2, len(left)))]
            written.extend(await asyncio.gather(*(self.write(customer, times) for customer in pair)))
            await self.rest()

        await self.clock.advance(3.5, settle)
        return written + await asyncio.gather(*(self.write(customer, times) for customer in left))

    async def _has_work(self, customer: Customer) -> bool:
        (channel,) = await self.world.column("SELECT id FROM channels WHERE address = ?", customer.channel)
        lane = session_key(channel, customer.address)
        job = await self.world.appliance.store.read(lambda tx: tx.jobs.in_lane(lane))
        live = "SELECT 1 FROM dispositions d JOIN conversations c ON c.id = d.conversation_id "
        return bool(job or await self.world.rows(live + "WHERE disposition = 'live' AND session_key = ?", lane))

    async def rest(self) -> None:
        """Until nothing more happens without time passing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                return await self._rest()
        jobs = await self.world.rows("SELECT * FROM message_queue WHERE status IN ('ready', 'running')")
        raise AssertionError(f"restless: at {self.clock.now()} {jobs}")

    async def _rest(self) -> None:
        quiet = 0
        await self.world.appliance.engine.reconciled.wait()
        while quiet < 2:
            await asyncio.sleep(0.001)
            await self.world.twilio.settle()
            quiet = quiet + 1 if await self._is_quiet() else 0

    async def _is_quiet(self) -> bool:
        """The worker sleeps, every job that runs waits for the clock, and none is due that its gate would let pass."""
        running = list(self.world.appliance.engine.worker._running.values())
        if not self.world.worker_sleeps() or len(running) > self.waits.count:
            return False
        due = await self.world.appliance.store.read(self._claimable)
        alone = any(job.crashes >= ALONE_AFTER for job in [*running, *due])  # nothing starts beside a suspect
        return not due or bool(alone and running)

    def _claimable(self, tx: Tx) -> list[Job]:
        allows = self.world.appliance.engine.worker._gate.allows
        return [job for each in ready(tx, 9)[0] if allows(each.resource).jobs for job in each.due]

    async def restart(self, *, orderly: bool, pause: float, amid: Sequence[Customer], off: Sequence[Customer]) -> None:
        """Stop or die while these write, stay away for a while in which others write, and start again."""
        self.counts["restarts"] += 1
        await asyncio.gather(self._end(orderly), *map(self.write, amid))
        for customer in off:
            await self.write(customer)
        await self.clock.advance(pause, partial(asyncio.sleep, 0))
        await self.world.start()
        self.post.stand_before(self.world.sender)
        await self.rest()

    async def _end(self, orderly: bool) -> None:
        if not orderly:
            return await self.world.crash()
        await self.world.appliance.engine.worker.stop(
            grace=0.05
        )  # who waits for the clock would use up the whole grace
        return await self.world.stop()

    async def finish(self) -> None:
        """All faults end, time passes until every question has its fate, and long after that all are delivered again."""
        self.model.plans.clear()
        self.post.plans.clear()
        self.world.twilio.faults.clear()
        for _ in range(20):
            await self.clock.advance(30, self.rest)
            settled = await self.world.column("SELECT count(*) FROM dispositions WHERE disposition <> 'live'")
            if settled == [len(self.questions)]:
                break
        await asyncio.gather(*(self.deliver(question, 1) for question in self.questions))
        await self.clock.advance(30, self.rest)
