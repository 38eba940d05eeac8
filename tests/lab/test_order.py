"""Duplicate and concurrent deliveries, also after restarts; the order of a conversation under random AI delays.

What must hold is read from the simulated Twilio's ledger and from the database, after each step and when all has settled.
`LAB_ORDER=1000 pytest tests/lab/test_order.py` is the long form; a failure prints how to reproduce it.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from appliance.model import SECOND, JobKind, TextKey
from appliance.operations.verification import verify
from appliance.simulator.faults import Fault
from appliance.store.jobs import Jobs
from tests.lab.conversations import CUSTOMERS, NUMBER, Customer, Plan, Question, SlowPost, Town
from tests.lab.figures import record
from tests.support.breakages import no_unique_sid

EXAMPLES = int(os.environ.get("LAB_ORDER", "0"))
STEPS = 20
SHORT = settings(
    max_examples=6,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
)
LONG = settings(max_examples=EXAMPLES or 1, stateful_step_count=2 * STEPS, deadline=None, print_blob=True)
CONTROL = settings(SHORT, phases=[Phase.generate], max_examples=50)

PLANS = st.builds(
    Plan,
    delay=st.sampled_from([0.0, 0.5, 2.0, 5.0, 12.0, 40.0]),
    ending=st.sampled_from(["answer", "answer", "answer", "error", "ask later"]),
    overstays=st.booleans(),
)
FAULTS = st.sampled_from(
    [
        Fault("create", "reset", accepted=True),
        Fault("create", "reset"),
        Fault("create", "hang", accepted=True, seconds=0.02),
        Fault("create", "error", status=429, code=20429),
        Fault("create", "error", status=429, code=20429, retry_after=7),
        Fault("callback", "early"),
        Fault("callback", "lost"),
    ]
)
SLOW = st.sampled_from([SlowPost(before=5.0), SlowPost(before=20.0), SlowPost(after=5.0), SlowPost(0.5, 40.0)])
TROUBLE = st.one_of(st.lists(PLANS, min_size=1, max_size=4), FAULTS, SLOW)
TIMES = st.sampled_from([1, 1, 2, 10])
SECONDS = st.sampled_from([0.1, 1.0, 3.5, 3.5, 12.0, 45.0, 150.0])
SOME = st.lists(st.sampled_from(CUSTOMERS), max_size=3)


Row = dict[str, Any]
NOT_STORED: Row = {"disposition": "not stored"}


async def problems(town: Town) -> list[str]:
    """What must never be, at any time."""
    rows = await town.world.rows(
        "SELECT m.id, m.sid, o.sid AS reply FROM messages m LEFT JOIN outbox o ON o.id = m.reply_id ORDER BY m.id"
    )
    found = [f"at once: two calls of the model for {number}" for number in town.model.at_once]
    found += _stored(rows, {question.sid: question for question in town.questions})
    for customer in CUSTOMERS:
        numbers = {q.sid: q.number for q in town.questions if q.customer == customer}
        own = {numbers[row["sid"]]: row["id"] for row in rows if row["sid"] in numbers}
        found += _said(list(_outbound(town, customer).items()), own, rows)
    return found


def _outbound(town: Town, customer: Customer) -> dict[str, str]:
    """What Twilio accepted for a customer by sid, oldest first."""
    said = [entry for entry in town.world.twilio.ledger if entry.direction == "outbound-api"]
    return {e.sid: e.body for e in said if (e.sender, e.recipient) == (customer.channel, customer.address)}


def _stored(rows: Sequence[Row], asked: dict[str, Question]) -> list[str]:
    """One row for each sid that was acknowledged, each customer's in the order of the acknowledgements."""
    times = Counter(row["sid"] for row in rows)
    found = [f"twice: {asked[sid].number} is stored {count} times" for sid, count in times.items() if count > 1]
    heard = {sid: question for sid, question in asked.items() if question.heard is not None}
    found += [f"lost: {question.number} was acknowledged" for sid, question in heard.items() if sid not in times]
    for customer in CUSTOMERS:
        stored = [heard[row["sid"]] for row in rows if row["sid"] in heard]
        steps = [question.heard or 0 for question in stored if question.customer == customer]
        if steps != sorted(steps):
            found.append(f"out of order: stored for {customer}")
    return found


def _said(said: Sequence[tuple[str, str]], own: dict[str, int], rows: Sequence[Row]) -> list[str]:
    """What Twilio has for one customer, oldest first, against the messages that our rows say it answers."""
    times = Counter(number for _, body in said for number in NUMBER.findall(body))
    found = [f"twice: {number} is answered {count} times" for number, count in times.items() if count > 1]
    found += [f"astray: {number} is another customer's" for number in times if number not in own]
    last = 0
    for sid, body in said:
        seen = [own.get(number, 0) for number in NUMBER.findall(body)]
        claimed = [row["id"] for row in rows if row["reply"] == sid]
        if seen and claimed and seen != claimed:
            found.append(f"unseen: {body!r} answers {claimed}")
        span = seen or claimed[:1]  # later messages may share a friendly text: only the first one has its place
        if span and min(span) <= last:
            found.append(f"out of order: {body!r} answers {span}, the one before {last}")
        last = max(span, default=last)
    return found


async def unsettled(town: Town) -> list[str]:
    """What must be at the end: each question has one fate, and Twilio's ledger and our books tell the same."""
    rows = await town.world.rows(
        "SELECT d.sid, d.disposition, d.reply_id, o.sid AS reply, o.kind, o.state FROM dispositions d "
        "LEFT JOIN outbox o ON o.id = d.reply_id"
    )
    town.counts.update(row["disposition"] for row in rows)
    fates = {row["sid"]: row for row in rows}
    told = {sid: body for customer in CUSTOMERS for sid, body in _outbound(town, customer).items()}
    booked = await town.world.column("SELECT sid FROM outbox WHERE sid IS NOT NULL")
    found = [f"twice: {told[sid]!r} is in none of our rows" for sid in told.keys() - set(booked)]
    untold = [q for q in town.questions if not _is_told(q.number, fates.get(q.sid, NOT_STORED), told)]
    found += [f"lost: {question.number} {fates.get(question.sid, NOT_STORED)}" for question in untold]
    split = [burst for burst in town.bursts if len({fates[q.sid]["reply_id"] for q in burst}) > 1]
    found += [f"unseen: {[q.number for q in burst]} have more than one answer" for burst in split]
    return found + (await town.world.appliance.store.inspect(verify)).problems


def _is_told(number: str, fate: Row, told: dict[str, str]) -> bool:
    """Whether the customer has what our books say: the answer, the friendly text, or nothing and the owner a card."""
    answers = [sid for sid, body in told.items() if number in NUMBER.findall(body)]
    match fate["disposition"]:
        case "answered":
            return answers == [fate["reply"]]
        case "apologised":
            return not answers and fate["reply"] in told and fate["kind"] == TextKey.UNAVAILABLE
        case "dead":  # in doubt, and not to be sent again
            return not answers and fate["state"] == "parked"
        case _:
            return False


class Deliveries(RuleBasedStateMachine):
    customers: Bundle[Customer] = Bundle("customers")
    questions: Bundle[Question] = Bundle("questions")

    def __init__(self, tally: Counter[str]) -> None:
        super().__init__()
        self.tally = tally
        self.failed: type[BaseException] | None = None
        self.directory = TemporaryDirectory()
        self.runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self.runner.run(work)
        except BaseException as error:
            self.failed = type(error)
            raise

    @initialize(target=customers, reply_delay=st.sampled_from([0, 3 * SECOND]))
    def opens(self, reply_delay: int) -> Any:
        self.town = Town(Path(self.directory.name), reply_delay)
        self.run(self.town.open())
        return multiple(*CUSTOMERS)

    @rule(target=questions, customer=customers, times=TIMES)
    def writes(self, customer: Customer, times: int) -> Question:
        question: Question = self.run(self.town.write(customer, times))
        return question

    @rule(target=questions, customer=customers, count=st.integers(2, 4), gap=st.sampled_from([0.0, 0.5, 2.5]))
    def writes_a_burst(self, customer: Customer, count: int, gap: float) -> Any:
        return multiple(*self.run(self.town.burst(customer, count, gap)))

    @rule(target=questions, chosen=st.lists(st.sampled_from(CUSTOMERS), min_size=2, max_size=6), times=TIMES)
    def write_all_at_once(self, chosen: list[Customer], times: int) -> Any:
        """Also several messages of one customer, while answers are under way."""
        return multiple(*self.run(self.town.write_amid(chosen, times)))

    @rule(question=questions, times=TIMES)
    def is_delivered_again(self, question: Question, times: int) -> None:
        self.run(self.town.deliver(question, times))

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.run(self.town.clock.advance(seconds, self.town.rest))

    @rule(trouble=TROUBLE)
    def goes_wrong_next(self, trouble: Fault | SlowPost | list[Plan]) -> None:
        match trouble:
            case Fault():
                self.town.world.twilio.faults.add(trouble)
            case SlowPost():
                self.town.post.plans.append(trouble)
            case plans:
                self.town.model.plans.extend(plans)

    @rule(orderly=st.booleans(), pause=st.sampled_from([0.0, 5.0, 60.0]), amid=SOME, off=SOME)
    def restarts(self, orderly: bool, pause: float, amid: list[Customer], off: list[Customer]) -> None:
        self.run(self.town.restart(orderly=orderly, pause=pause, amid=amid, off=off))

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "town"):
            self.run(self._check(problems(self.town)))
            self.town.step += 1

    async def _check(self, problems: Coroutine[Any, Any, list[str]]) -> None:
        found = await problems
        self.tally.update(problem.partition(":")[0] for problem in found)
        assert not found, found

    def teardown(self) -> None:
        try:
            if self.failed is None and hasattr(self, "town"):
                self.run(self.town.finish())
                self.run(self._check(problems(self.town)))
                self.run(self._check(unsettled(self.town)))
                self.tally.update(self.town.counts, examples=1)
        finally:
            if hasattr(self, "town"):
                self.runner.run(self.town.close(self.failed))
            self.runner.close()
            self.directory.cleanup()


def _run(tally: Counter[str], how: settings) -> None:
    """A factory does as well as the type that the annotation wants."""
    run_state_machine_as_test(partial(Deliveries, tally), settings=how)  # type: ignore[arg-type]


def test_deliveries_and_order() -> None:
    """Whatever is delivered how often and however long the model takes: nothing lost, twice, or out of order."""
    tally: Counter[str] = Counter()
    try:
        _run(tally, LONG if EXAMPLES else SHORT)
    finally:
        counted = ("examples", "messages", "deliveries", "restarts", "answered", "apologised", "dead")
        broken = ("out of order", "at once", "unseen", "twice", "lost")
        figures = {name.replace(" ", "_"): tally[name] for name in counted + broken}
        record("order", customers=len(CUSTOMERS) * tally["examples"], **figures)


def _a_lane_for_each_message(patch: pytest.MonkeyPatch) -> None:
    def enqueue(self: Jobs, kind: JobKind, *, lane: str | None = None, **columns: Any) -> int | None:
        own = f"{lane}|{self._sql.value('SELECT count(*) FROM messages')}" if kind == JobKind.REPLY else lane
        return whole(self, kind, lane=own, **columns)

    whole = Jobs.enqueue
    patch.setattr(Jobs, "enqueue", enqueue)


def _sends_outside_the_lane(patch: pytest.MonkeyPatch) -> None:
    whole = Jobs.send
    patch.setattr(Jobs, "send", lambda self, outbox_id, channel_id, *_lane: whole(self, outbox_id, channel_id))


CONTROLS: list[tuple[Callable[[pytest.MonkeyPatch], None], str]] = [
    (_a_lane_for_each_message, "at once"),
    (_sends_outside_the_lane, "out of order"),
    (no_unique_sid, "twice"),
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # worlds that end half-way leave sockets
def test_each_broken_product_is_noticed() -> None:
    """A lane for each message, sends outside the lanes, no unique sid: two calls at once, an answer overtaken, or twice."""
    caught = [because for broken, because in CONTROLS if _notices(broken, because)]
    record("order controls", caught=f"{len(caught)}/{len(CONTROLS)}")
    assert len(caught) == len(CONTROLS), caught


def _notices(broken: Callable[[pytest.MonkeyPatch], None], because: str) -> bool:
    tally: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch, pytest.raises((AssertionError, Flaky)):
        broken(patch)
        _run(tally, CONTROL)
    return tally[because] > 0
