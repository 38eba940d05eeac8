"""The residual doubles of a product, counted, and what its customers wait for having no more of them."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

import pytest

from appliance.model import SECOND
from tests.lab.simulation.residual import Cell, residual, seeds
from tests.lab.simulation.simulation import Simulation, Snapshot
from tests.lab.simulation.world import BEGINNING
from tests.support import doubts
from tests.support.breakages import Patch

_ROW = 1  # the first customer's answer is the first row
_STEPS = ("begin", "post", "result", "callback", "settle")


@dataclass(slots=True)
class Residue:
    crash_points: int = 0
    doubled: int = 0
    others: list[str] = field(default_factory=list)  # what no lag excuses
    waits: list[int] = field(default_factory=list)  # ms until an answer that Twilio did not take at first

    def figures(self) -> dict[str, float | str]:
        return {
            "crash_points": self.crash_points,
            "doubled": self.doubled,
            "waits_p50_ms": int(median(self.waits)) if self.waits else "–",
            "waits_worst_ms": max(self.waits, default="–"),
        }


def rule_of_before(patch: Patch) -> None:
    """Absence after one read at the grace from the last attempt, by the exact To, and no look before the POST."""
    doubts.absent_after_one_read(patch)
    doubts.evidence_of_the_last_attempt_only(patch)
    doubts.exact_to(patch)
    doubts.not_read_before_the_post(patch)


def rule_of_now(_patch: Patch) -> None:
    """The product as it is."""


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
    found.doubled += any(said.startswith("twice") for said in simulation.found)
    found.others += [said for said in simulation.found if not said.startswith("twice")]
    world = simulation.world
    customer = world.scenario.address(0)
    answers = [entry for entry in world.ours() if entry.recipient == customer]
    if answers and not answers[0].reference.startswith(f"{_ROW}.1."):
        found.waits.append(answers[0].created_at - BEGINNING - SECOND)
