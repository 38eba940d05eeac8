"""A working day of the appliance on a recorded disk: the product's units of work, checkpoints, migration and backup.

The schedule is fixed, so the journal is the same in each run but for the random tags.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance import chores
from appliance.config import Config, Conversations, Twilio
from appliance.engine import begin_run
from appliance.inbox.intake import receive
from appliance.links.link import Link
from appliance.model import MAIN, Job, JobKind
from appliance.operations.organizations import Registration, register_organization
from appliance.outbox import binding
from appliance.outbox.send import SendHandler
from appliance.ports import Dialogue, Reply, TwilioAccount
from appliance.queue.bell import Bell
from appliance.queue.circuit import Circuits
from appliance.queue.outage import Outage
from appliance.queue.outcome import Handler, Outcome
from appliance.queue.schedule import enqueue_tick
from appliance.queue.worker import finish
from appliance.reply.handler import ReplyHandler
from appliance.reply.listening import Listening
from appliance.reply.provider import Provider
from appliance.reply.shelf import Shelves
from appliance.store import backup
from appliance.store.database import FILE_NAME, check, configure_reader, configure_writer, migrate, version_of
from appliance.store.sql import Sql
from appliance.store.tx import Tx
from appliance.store.writer import Failed, Unit, commit_batch
from appliance.wire import DeliveryReport, InboundMessage, OutboundMessage, SendOutcome, Trouble, TwilioMessageResult
from tests.lab.power_cut.journal import Journal
from tests.lab.power_cut.ledger import digest
from tests.lab.power_cut.vfs import Connection, Recorder, RecordingVfs, recorded_system

ACCOUNT = "AC" + "0" * 32
SMS = "+551140000000"
CONFIG = Config(twilio=Twilio(account_sid=ACCOUNT), conversations=Conversations(reply_delay=0, reply_delay_max=0))
BEGINNING = 1_800_000_000_000
CHECKPOINT_BYTES = 40 * 4_120  # a small log, so that one day has many checkpoints
OUTCOMES = (
    SendOutcome.ACCEPTED,
    SendOutcome.ACCEPTED,
    SendOutcome.ACCEPTED,
    SendOutcome.DOUBT,
    SendOutcome.REFUSED,
    SendOutcome.NOT_SENT,
)


class Clock:
    def __init__(self) -> None:
        self.time = BEGINNING

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return (self.time - BEGINNING) / 1_000

    async def sleep(self, seconds: float) -> None:
        self.time += int(seconds * 1_000)


class RecordedStore:
    """As appliance.store.Store, in line. After each batch it notes what the outside was promised.

    `synchronous` and `early_post` are the controls: too weak a commit, and a POST before `sending` is committed.
    """

    def __init__(self, directory: Path, clock: Clock, *, synchronous: int = 2, early_post: bool = False) -> None:
        self._early_post = early_post
        self.directory = directory
        self.recorder = Recorder(directory)
        self.vfs = RecordingVfs(self.recorder)
        self.digests: list[bytes] = []  # of the whole content after so many batches
        self.handed: list[int] = []  # outbox rows that Twilio accepted
        self.connection = self._open()
        self._note()
        version_of(self.connection)
        configure_writer(self.connection)
        self.connection.execute(f"PRAGMA synchronous = {synchronous}")
        check(self.connection)
        self._migrate()
        self.tx = Tx(Sql(self.connection, clock.now))
        self._reader = self._open(readonly=True)
        configure_reader(self._reader)
        self._reader_tx = Tx(Sql(self._reader, clock.now))
        self._note()

    def _open(self, *, readonly: bool = False) -> Any:
        """To the product an sqlite3.Connection; the two have no type in common."""
        return Connection(self.directory / FILE_NAME, self.vfs, readonly=readonly)

    def _migrate(self) -> None:
        """Each step of the schema is a unit of its own."""

        def noted(statement: str, *values: Any) -> Any:
            result = run(statement, *values)
            if statement == "COMMIT":
                self._note()
            return result

        run, self.connection.execute = self.connection.execute, noted
        migrate(self.connection, self.directory / FILE_NAME)
        self.connection.execute = run

    @property
    def journal(self) -> Journal:
        return self.recorder.journal

    def commit(self, *units: Unit) -> list[Any]:
        if self.connection.in_transaction:
            self.connection.execute("COMMIT")
        results = commit_batch(self.connection, self.tx, list(units))
        self._note()
        self.checkpoint_if_due()
        assert not [result for result in results if isinstance(result, Failed)], results
        return results

    async def write(self, unit: Callable[[Tx], Any]) -> Any:
        """Of the use cases here only the one that sends writes by itself."""
        if not self._early_post:
            return self.commit(unit)[0]
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN IMMEDIATE")  # committed with what comes next
        return unit(self.tx)

    async def read(self, unit: Callable[[Tx], Any]) -> Any:
        return unit(self._reader_tx)

    def _note(self) -> None:
        self.digests.append(digest(self.connection))
        self.promise()

    def promise(self) -> None:
        self.journal.promise(len(self.digests) - 1, tuple(self.handed))

    def checkpoint_if_due(self) -> None:
        """As the store does between batches, only sooner."""
        log = self.directory / f"{FILE_NAME}-wal"
        if log.exists() and log.stat().st_size >= CHECKPOINT_BYTES:
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def backup(self, now: int) -> None:
        with recorded_system(self.recorder, self.vfs):
            backup.keep_one(self.directory, now)

    def close(self) -> None:
        self._reader.close()
        self.connection.close()


class Sender:
    """Implements ports.Sender: what Twilio took is noted in the moment in which it takes it."""

    def __init__(self, store: RecordedStore) -> None:
        self._store = store
        self.reports: list[DeliveryReport] = []
        self._count = 0

    async def send(self, message: OutboundMessage) -> TwilioMessageResult:
        outcome = OUTCOMES[self._count % len(OUTCOMES)]
        self._count += 1
        sid = f"SM{self._count:032}"
        if outcome in (SendOutcome.ACCEPTED, SendOutcome.DOUBT):
            self._store.handed.append(int(message.reference.partition(".")[0]))
            self._store.promise()
            report = DeliveryReport(
                message.reference, sid, "delivered", None, ACCOUNT, SMS, message.recipient, accounts=(MAIN,)
            )
            self.reports.append(report)
        accepted = outcome == SendOutcome.ACCEPTED
        code = 21211 if outcome == SendOutcome.REFUSED else None
        return TwilioMessageResult(outcome, sid=sid if accepted else None, code=code, detail=outcome)

    async def probe(self) -> Trouble | None:
        return None

    async def close(self) -> None:
        """Nothing is held."""


class Echo:
    """Implements ports.Responder."""

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        return Reply("test", "Re: " + " ".join(dialogue.questions))

    async def close(self) -> None:
        """Nothing is held."""


class NoLog:
    """Implements ports.MessageLog where nobody asks."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


class Day:
    def __init__(self, store: RecordedStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._sender = Sender(store)
        accounts = {MAIN: TwilioAccount(self._sender, NoLog())}
        circuits = Circuits()
        outage = Outage(store, [self._sender], clock, Bell())  # type: ignore[arg-type]
        provider = Provider(Echo(), circuits, outage, Link("ai"), clock, lambda: 0.5, CONFIG.queue.max_attempts)
        listening = Listening(store, accounts, CONFIG, clock)  # type: ignore[arg-type]
        self._handlers: dict[JobKind, Handler] = {
            JobKind.REPLY: ReplyHandler(store, provider, Shelves(), listening, CONFIG, clock),  # type: ignore[arg-type]
            JobKind.SEND: SendHandler(store, accounts, CONFIG, clock, circuits),  # type: ignore[arg-type]
            JobKind.IDLE: chores.idle(CONFIG),
            JobKind.EXPIRED: chores.expired(),
        }

    async def run(self, rounds: int) -> None:
        self._store.commit(
            lambda tx: register_organization(tx, Registration("Padaria", [SMS], "a@example.com")),
            lambda tx: tx.knowledge.put(1, "Horário", "Abrimos das 7h às 19h."),
        )
        self._store.commit(lambda tx: begin_run(tx, 1, {}, CONFIG))
        for number in range(rounds):
            self._clock.time += 45_000
            self._hear(number)
            self._store.commit(lambda tx: [enqueue_tick(tx, kind) for kind in (JobKind.IDLE, JobKind.EXPIRED)])
            while jobs := self._claim():
                await self._work(jobs)
            self._report()
            if number % 4 == 2:
                self._store.backup(self._clock.now())

    def _hear(self, number: int) -> None:
        """Some webhooks share a commit; one is a duplicate, one is an orphan, one says STOP."""
        self._store.commit(*(self._message(number * 10 + n, n) for n in range(4)))
        self._store.commit(self._message(number * 10 + 4, number % 3, "STOP" if number % 5 == 4 else "Oi"))
        self._store.commit(self._message(number * 10 + 5, 9, recipient="+551149999999"))

    def _message(self, number: int, contact: int, body: str = "Qual o horário?", recipient: str = SMS) -> Unit:
        sender = f"+55119{contact:08}"
        pairs = (("Body", body), ("From", sender), ("To", recipient))
        message = InboundMessage(f"IN{number:032}", ACCOUNT, sender, recipient, body, parameters=pairs, account=MAIN)
        return lambda tx: receive(tx, message, CONFIG)

    def _claim(self) -> list[Job]:
        def start(tx: Tx) -> list[Job]:
            due = [job for resource in tx.jobs.resources() for job in tx.jobs.due(resource, 8)]
            wanted = [job for job in due if job.kind in self._handlers]
            return [tx.jobs.start(job, run=1, alone=False, deadline_at=tx.now + 60_000) or job for job in wanted]

        found: list[Job] = self._store.commit(start)[0]
        return found

    async def _work(self, jobs: list[Job]) -> None:
        """Pairs of results share a commit."""
        for first in range(0, len(jobs), 2):
            pair = jobs[first : first + 2]
            outcomes = [await self._handlers[job.kind].run(job) for job in pair]
            self._store.commit(*map(_finished, pair, outcomes))

    def _report(self) -> None:
        while self._sender.reports:
            report = self._sender.reports.pop()
            self._store.commit(_reported(report))


def _finished(job: Job, outcome: Outcome) -> Unit:
    return lambda tx: finish(tx, job, outcome, CONFIG)


def _reported(report: DeliveryReport) -> Unit:
    return lambda tx: binding.apply(tx, report, CONFIG)


def record(directory: Path, rounds: int, *, synchronous: int = 2, early_post: bool = False) -> RecordedStore:
    """Run a day on a new disk and return what was recorded."""
    clock = Clock()
    store = RecordedStore(directory, clock, synchronous=synchronous, early_post=early_post)
    try:
        asyncio.run(Day(store, clock).run(rounds))
    finally:
        store.close()
    return store
