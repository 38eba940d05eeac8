"""The residual doubles of a product, counted, and what its customers wait for having no more of them."""

import gc
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import median

import pytest

from appliance.model import SECOND
from tests.lab.simulation.residual import TRAFFIC, Cell, residual, seeds
from tests.lab.simulation.simulation import Simulation, Snapshot
from tests.lab.simulation.world import BEGINNING
from tests.support import doubts
from tests.support.breakages import Patch

_ROW = 1  # the first customer's answer is the first row
_STEPS = ("begin", "post", "result", "callback", "settle")


@dataclass(slots=True)
class Residue:
    """`waits`: ms until an answer whose first POST Twilio did not take, where others write and where nobody does."""

    runs: int = 0
    crash_points: int = 0
    doubled: int = 0
    others: list[str] = field(default_factory=list)  # what no lag excuses
    waits: dict[str, list[int]] = field(default_factory=lambda: {traffic: [] for traffic in TRAFFIC})

    def add(self, other: "Residue") -> None:
        self.runs += other.runs
        self.crash_points += other.crash_points
        self.doubled += other.doubled
        self.others += other.others
        for traffic, waits in other.waits.items():
            self.waits[traffic] += waits

    def median(self, traffic: str) -> int:
        return int(median(self.waits[traffic] or [0]))

    def worst(self, traffic: str) -> int:
        return max(self.waits[traffic], default=0)


def rule_of_before(patch: Patch) -> None:
    """Absence after one read at the grace from the last attempt, by the exact To, and no look before the POST."""
    doubts.absent_after_one_read(patch)
    doubts.evidence_of_the_last_attempt_only(patch)
    doubts.exact_to(patch)
    doubts.not_read_before_the_post(patch)


def rule_of_now(_patch: Patch) -> None:
    """The product as it is."""


def compared(processes: int, cells: Sequence[Cell], every: int = 1) -> list[tuple[Residue, Residue]]:
    """Each cell under the rule of before and under today's, on several cores."""
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        found = [pool.submit(measure, rule, [cell], every) for cell in cells for rule in (rule_of_before, rule_of_now)]
        measured = [each.result()[0] for each in found]
    return list(zip(measured[::2], measured[1::2], strict=True))


def measure(rule: Callable[[Patch], None], cells: Sequence[Cell], every: int = 1) -> list[Residue]:
    """A crash at each step of the first customer's answer, and none. `every`: of the steps only every so manieth."""
    simulation = Simulation()
    gc.freeze()
    try:
        with simulation.installed(), pytest.MonkeyPatch.context() as patch:
            rule(patch)
            return [_measured(simulation, cell, every) for cell in cells]
    finally:
        gc.unfreeze()


def _measured(simulation: Simulation, cell: Cell, every: int) -> Residue:
    found = Residue()
    for seed in seeds(cell):
        chosen = residual(seed)
        snapshots = [each for each in simulation.base(chosen) if _matters(each)]
        _count(simulation, found)
        for snapshot in snapshots[::every]:
            simulation.crash(snapshot)
            found.crash_points += 1
            _count(simulation, found)
    return found


def _matters(snapshot: Snapshot) -> bool:
    names = snapshot.step.partition(".")[0].split("+")
    return not set(names).isdisjoint(_STEPS) and _ROW in (snapshot.rows or ())


def _count(simulation: Simulation, found: Residue) -> None:
    found.runs += 1
    found.doubled += any(said.startswith("twice") for said in simulation.found)
    found.others += [said for said in simulation.found if not said.startswith("twice")]
    world = simulation.world
    customer = world.scenario.address(0)
    answers = [entry for entry in world.ours() if entry.recipient == customer]
    if answers and not answers[0].reference.startswith(f"{_ROW}.1."):
        traffic = TRAFFIC[len(world.scenario.written) == 1]
        found.waits[traffic].append(answers[0].created_at - BEGINNING - SECOND)
