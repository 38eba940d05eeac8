"""Many scenarios, many crashes: what was tried, what was met, and one command for each failure."""

import gc
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.lab.simulation.chance import Dice
from tests.lab.simulation.coverage import Triple, counts
from tests.lab.simulation.doubts import Doubts
from tests.lab.simulation.persons import JOINED
from tests.lab.simulation.scenario import ACCOUNT_DAYS, ACCOUNTS, DAYS, TABLE, TRACED, scenario
from tests.lab.simulation.simulation import Simulation, Snapshot

_DEEP = ("post.", "begin.after", "result.before")  # after a crash here a second one is worth a try everywhere
_SECOND = ("start.", "settle.", "callback.")


@dataclass(frozen=True, slots=True)
class Failure:
    seed: int
    crashes: tuple[int, ...]  # at which point of each life in turn
    step: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        points = " ".join(map(str, self.crashes))
        command = f"python -m tests.lab.simulation {self.seed} {points}".strip()
        return f"{command}  # {scenario(self.seed).name}, {self.step}: {'; '.join(self.problems[:3])}"


@dataclass(slots=True)
class Report:
    points: Counter[int] = field(default_factory=Counter)  # crash points met, by seed
    seconds: float = 0.0  # of one core
    triples: set[Triple] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)
    doubts: Doubts = field(default_factory=Doubts)

    @property
    def crashes(self) -> int:
        return self.points.total()

    def add(self, other: "Report") -> None:
        self.points += other.points
        self.seconds += other.seconds
        self.triples |= other.triples
        self.failures += other.failures
        self.doubts.add(other.doubts)


def explore(simulation: Simulation, seed: int, every: int = 1) -> Iterator[Failure]:
    """A crash at every point of the scenario, once; for the table also a second one after each that matters.

    `every`: of the points that no triple counts only every so manieth. A day's work is too long for all this: it has
    one crash, anywhere. A trace has none.
    """
    chosen = scenario(seed)
    if TRACED <= seed < JOINED:
        simulation.replay(chosen, ())
        yield from _judged(simulation, seed, (), "no crash")
        return
    if DAYS <= seed < JOINED or seed >= ACCOUNT_DAYS:
        yield from _interrupted(simulation, seed)
        return
    snapshots = simulation.base(chosen)
    if chosen.joined_at >= len(snapshots):
        return  # it is over before
    yield from _judged(simulation, seed, (), "no crash")
    for point, snapshot in enumerate(snapshots):
        if point % every and not counts(snapshot.step):
            continue
        deep = chosen.deep and snapshot.step.startswith(_DEEP)
        one_only = chosen.deep or seed < len(TABLE) or JOINED <= seed < ACCOUNTS
        then = () if one_only else _more(seed, point)
        second = simulation.crash(snapshot, then, collect=deep)
        yield from _judged(simulation, seed, (point, *then), snapshot.step)
        yield from _again(simulation, seed, point, second)


def _interrupted(simulation: Simulation, seed: int) -> Iterator[Failure]:
    simulation.replay(scenario(seed), ())
    yield from _judged(simulation, seed, (), "no crash")
    point = Dice(seed).below(simulation.points)
    simulation.replay(scenario(seed), (point,))
    yield from _judged(simulation, seed, (point,), "a crash")


def _again(simulation: Simulation, seed: int, point: int, snapshots: list[Snapshot]) -> Iterator[Failure]:
    for number, snapshot in enumerate(snapshots):
        if snapshot.step.startswith(_SECOND):
            simulation.crash(snapshot)
            yield from _judged(simulation, seed, (point, number), snapshot.step)


def _more(seed: int, point: int) -> tuple[int, ...]:
    """Further crashes by chance, so that recovery is interrupted as well."""
    dice = Dice(seed * 1009 + point)
    return tuple(dice.below(40) for _ in range(dice.pick((0, 1, 1, 2))))


def _judged(simulation: Simulation, seed: int, crashes: tuple[int, ...], step: str) -> Iterator[Failure]:
    if simulation.found:
        yield Failure(seed, crashes, step, tuple(simulation.found))


def run(seeds: Iterable[int], at_least: int | None = None, every: int = 1) -> Report:
    """In this process. `at_least`: stop after so many crash points. `every`: see explore()."""
    report, began = Report(), time.process_time()
    simulation = Simulation()
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        with simulation.installed():
            for seed in seeds:
                before = simulation.crashes
                report.failures += explore(simulation, seed, every)
                report.points[seed] = simulation.crashes - before
                if at_least is not None and simulation.crashes >= at_least:
                    break
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
    report.triples, report.doubts = simulation.triples, simulation.doubts
    report.seconds = time.process_time() - began
    return report


def run_on(processes: int, seeds: Sequence[int], at_least: int | None = None, every: int = 1) -> Report:
    """The same on several cores; each takes every so manieth seed."""
    share = None if at_least is None else -(-at_least // processes)
    whole = Report()
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        parts = [seeds[number::processes] for number in range(processes)]
        for report in pool.map(run, parts, [share] * processes, [every] * processes):
            whole.add(report)
    return whole
