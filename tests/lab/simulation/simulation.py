"""Runs a world: lives of the process, their crashes, and time from one event to the next."""

import asyncio
import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

from appliance import restoration
from appliance.model import MINUTE, SECOND, JobKind
from appliance.operations.organizations import Registration, register_organization
from appliance.store.box import Fact
from appliance.store.writer import Unit
from tests.lab.inline import Database, Image, InlineStore
from tests.lab.simulation import consents, ports, verdict
from tests.lab.simulation.coverage import NONE, Triple, triples
from tests.lab.simulation.doubts import Doubts
from tests.lab.simulation.life import Life, configure
from tests.lab.simulation.loop import VirtualLoop
from tests.lab.simulation.stand_ins import installed
from tests.lab.simulation.steps import step_of
from tests.lab.simulation.terms import OTHER, SMS, WHATSAPP, Scenario
from tests.lab.simulation.world import BEGINNING, World

HORIZON = 4 * 60 * MINUTE
RECONCILING = {JobKind.CATCH_UP: 5 * MINUTE, JobKind.SETTLE: 5 * MINUTE}  # ms between two ticks
TICKS = RECONCILING | {JobKind.IDLE: MINUTE, JobKind.EXPIRED: MINUTE, JobKind.HOUSEKEEPING: 10 * MINUTE}
PATIENCE = 10 * SECOND
_SETTLING = {"settle", "callback"}  # units that can end a doubt
_HEARING = {"intake", "fetch"}  # units that store messages


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that survives a crash at this point."""

    world: World
    image: Image
    step: str
    rows: tuple[int, ...] | None


class Simulation:
    """One database, used again and again. `with simulation.installed():` around its use."""

    def __init__(self, schema: Callable[[str], str] = str) -> None:
        self.world = World(Scenario(0, "none"))
        self.database = Database(lambda: self.world.now, schema)
        self.world.now = BEGINNING - 10 * MINUTE  # the channels' watermarks: Twilio's clock may be behind ours
        registration = Registration("Padaria", [SMS, WHATSAPP], "dono@example.com")
        with self.database.connection:
            register_organization(self.database.tx, registration)
            other = Registration("Outra", [SMS, WHATSAPP], "outra@example.com", account=OTHER)
            register_organization(self.database.tx, other)
            self.database.tx.box.put(Fact.BACKUP_AT, BEGINNING)  # there is no file to back up
        self.images: dict[tuple[str, bool], Image] = {}
        whole = self.database.image()
        for address, second in product((SMS, WHATSAPP), (False, True)):  # one number a scenario: fewer lists are read
            channels = [row for row in whole[1] if address in row and (second or OTHER not in row)]
            self.images[address, second] = (whole[0], channels, *whole[2:])
        self.triples: set[Triple] = set()
        self.crashes = 0
        self.doubts = Doubts()
        self.found: list[str] = []
        self.on_step: Callable[[str, tuple[int, ...]], None] = lambda _step, _rows: None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """With the product's chance and log in our hands."""
        with installed(self.found.append, lambda: self._life.dice, float(HORIZON)):
            yield

    def base(self, scenario: Scenario) -> list[Snapshot]:
        """Run without a crash; what every crash in it would leave behind."""
        self._begin(World(scenario), self.images[scenario.channel, scenario.second])
        self._snapshots: list[Snapshot] | None = []
        self._live(None)
        found, self._snapshots = self._snapshots, None
        return found

    def replay(self, scenario: Scenario, crashes: Sequence[int]) -> None:
        """Run from the beginning with a crash at these points, counted anew in each life."""
        self._begin(World(scenario), self.images[scenario.channel, scenario.second])
        self._snapshots = None
        self._lives(list(crashes))

    def crash(self, snapshot: Snapshot, then: Sequence[int] = (), *, collect: bool = False) -> list[Snapshot]:
        """Go on from a crash at the snapshot's point; `then`: where the following lives crash.

        `collect`: what every further crash in the next life would leave behind.
        """
        self._begin(snapshot.world.copy(), snapshot.image)
        self._snapshots = None
        self._after_crash(snapshot.step, snapshot.rows)
        self._snapshots = [] if collect else None
        self._lives(list(then))
        found, self._snapshots = self._snapshots or [], None
        return found

    def _begin(self, world: World, image: Image) -> None:
        self.world = world
        self.found.clear()
        self.database.restore(image)

    def _lives(self, crashes: list[int]) -> None:
        while crashes:
            if not self._live(crashes.pop(0)):
                return
        self._live(None)

    def _live(self, crash_at: int | None) -> bool:
        """One life, to its crash (True) or until all is done (False); then the promises are checked."""
        world = self.world
        self._crash_at, self.points, self._crashed = crash_at, 0, False
        self._undeclared = ""
        self._loop = VirtualLoop(lambda: world.now)  # type: ignore[abstract]  # no sockets, processes or signals here
        self._store = InlineStore(self.database, self._around, lambda: world.has_space)
        self._life = Life(world, self._store, self._point, configure(world.scenario))
        self._loop.call_soon(self._life.begin)
        for kind, period in TICKS.items() if world.scenario.sweeps else RECONCILING.items():
            world.after(period, "tick", kind)
        try:
            self._run()
        finally:
            self._loop.dispose()
        if self._undeclared:
            raise LookupError(f"steps.py does not name the unit of work {self._undeclared}")
        self.found += self._life.errors + ([f"a part failed: {self._life.fault!r}"] if self._life.fault else [])
        if self._crashed:
            self._after_crash(*self._last)
            return True
        self.doubts.count(self.database)
        self.found += verdict.at_the_end(self.database, world)
        return False

    def _run(self) -> None:
        world, loop = self.world, self._loop
        loop.run_ready()
        while not (self._crashed or self._undeclared or self._life.fault or self._is_drained()):
            due = loop.next_due()
            event = world.events[0][0] if world.events else None
            world.now = min(time for time in (due, event) if time is not None)
            if world.now > BEGINNING + HORIZON:
                return
            if event is not None and event <= world.now:
                self._happen(heapq.heappop(world.events))
            else:
                loop.fire_timers()
            loop.run_ready()

    def _happen(self, event: tuple[int, int, str, Any]) -> None:
        """One event of the world, with the process alive."""
        world, (_, _, kind, value) = self.world, event
        asyncio._set_running_loop(self._loop)
        try:
            if kind == "answer":
                self._life.wire.answer(*value)
            elif kind == "copy":
                world.backup = self.database.image()
            elif not self._outside(kind, value) and self._life.listening and not world.offline:
                self._loop.create_task(self._life.meet(kind, value))
        finally:
            asyncio._set_running_loop(None)
        if kind == "tick":
            world.after(TICKS[value], "tick", value)
        if kind == "post":
            self._reach("post.arrived", int(value[1][0].reference.partition(".")[0]))

    def _outside(self, kind: str, value: Any) -> bool:
        """What happens whether or not the process lives. False where it concerns the process alone."""
        world = self.world
        if kind == "write":
            world.write(value)
        elif kind == "by_hand":
            world.by_hand(value)
        elif kind == "join":
            if not self.database.rows("SELECT 1 FROM contact_aliases LIMIT 1"):  # until it is stored it is said again
                world.after(PATIENCE, "join")
                return False
        elif kind == "post":
            number, (message, shape) = value
            heard = ports.arrived(world, message, shape)
            if heard is not None:
                world.after(heard[0], "answer", (number, heard[1]))
        else:
            return False
        return True

    def _after_crash(self, step: str, rows: tuple[int, ...] | None) -> None:
        """The process is dead: count it, let the world go on without it, until somebody starts it again."""
        world = self.world
        self.crashes += 1
        world.ended = dict.fromkeys(world.posts, world.now) | world.ended
        self._cover(step, rows)
        self.found += verdict.at_a_crash(self.database, world)
        end = world.now + (world.scenario.downtime if world.life == 0 else world.dice.pick((1, 20, 120)) * SECOND)
        world.dead.append((world.now, end))
        world.life += 1
        while world.events and world.events[0][0] <= end:
            world.now, _, kind, value = heapq.heappop(world.events)
            self._outside(kind, value)
        world.events = [event for event in world.events if event[2] not in ("tick", "answer")]
        heapq.heapify(world.events)
        world.now = end
        if world.backup is not None:
            self._put_back(world.backup)
            world.backup = None

    def _put_back(self, backup: Image) -> None:
        """The box was lost with everything since its backup, which is restored as appliance.opening does it."""
        self.database.restore(backup)
        restoration.distrust(self.database.tx)
        rows, sids = self.database.rows("SELECT id FROM outbox"), self.database.rows("SELECT sid FROM messages")
        self.world.restored({row[0] for row in rows}, {row[0] for row in sids})
        self.world.joined = None
        self._note_joined()

    def _is_drained(self) -> bool:
        """Nothing is left to do, and nothing is left to find out."""
        world = self.world
        if self._store.is_busy or any(event[2] != "tick" for event in world.events):
            return False
        rows = self.database.rows
        if rows("SELECT 1 FROM message_queue WHERE status IN ('ready', 'running') LIMIT 1"):
            return False
        if rows("SELECT 1 FROM outbox WHERE state IN ('ready', 'sending', 'doubt') LIMIT 1"):
            return False
        known = {row[0] for row in rows("SELECT sid FROM messages")}
        return all(entry.sid in known for entry in world.inbound())

    # Where a crash may happen.

    async def _around(self, when: str, units: list[Unit]) -> None:
        if when == "before" and self.world.dice.one_in(3):  # a sync takes its time
            await asyncio.sleep(self.world.dice.between(1, 12) / SECOND)
        named = [self._named(unit) for unit in units]
        steps = {step for step, _ in named}
        if when == "after" and not _HEARING.isdisjoint(steps):
            self._hear(by_webhook="intake" in steps)
        if when == "after" and self.world.scenario.same and self.world.joined is None:
            self._note_joined()
        await self._point("+".join(sorted(steps)) + f".{when}", *(row for _, about in named for row in about))
        if not _SETTLING.isdisjoint(steps):
            self._watch_doubts(when)

    def _hear(self, by_webhook: bool) -> None:
        """Note when a word about consent came to be known: it may be stored although its webhook never heard 200."""
        for entry in self.world.inbound():
            is_new = consents.is_word(entry.body) and entry.sid not in self.world.heard
            if is_new and self.database.rows("SELECT 1 FROM messages WHERE sid = ?", entry.sid):
                self.world.heard[entry.sid] = self.world.now
                if by_webhook:
                    self.world.hooked[entry.sid] = self.world.now

    def _note_joined(self) -> None:
        if self.database.rows("SELECT 1 FROM contact_aliases LIMIT 1"):
            self.world.joined = self.world.now

    def _watch_doubts(self, when: str) -> None:
        if when == "before":
            self.doubts.before(self.database)
        elif when == "after":
            self.doubts.after(self.database, self.world)

    def _named(self, unit: Unit) -> tuple[str, tuple[int, ...]]:
        try:
            return step_of(unit)
        except KeyError:
            self._undeclared = unit.__qualname__
            self._loop.stop()
            return "undeclared", ()

    async def _point(self, step: str, *rows: int) -> None:
        self._reach(step, *rows)
        if self._crashed:
            await self._loop.create_future()

    def _reach(self, step: str, *rows: int) -> None:
        self.on_step(step, rows)
        if self.points == self.world.scenario.joined_at and self.world.life == 0:
            self.world.after(0, "join")
        if self._snapshots is not None:
            self._snapshots.append(Snapshot(self.world.copy(), self.database.image(), step, rows or None))
        if self.points == self._crash_at:
            self._crashed = True
            self._last = (step, rows or None)
            self._loop.stop()
        self.points += 1

    def _cover(self, steps: str, rows: tuple[int, ...] | None) -> None:
        """Note (step, state of the outbox row, what Twilio made of its last attempt)."""
        life = self.world.life
        for row_id, state, attempt, tag in self.database.rows("SELECT id, state, attempt, tag FROM outbox"):
            if rows is None or row_id in rows:
                shape, _, made_in = self.world.posts.get(f"{row_id}.{attempt}.{tag}", (NONE, 0, None))
                self.triples.update(triples(steps, state, shape, own=made_in == life))
