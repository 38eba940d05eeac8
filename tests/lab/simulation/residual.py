"""One send in doubt and a list that is later than the grace, in each of its ways: what is doubled, what is waited."""

from dataclasses import dataclass
from itertools import product

from appliance.config import Twilio
from appliance.model import MINUTE
from tests.lab.simulation.terms import LAGS, Scenario, Written

RESIDUAL = 1 << 42  # seeds from here on
GRACES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 12.0)  # the list's lag
CALLBACKS = ("lost", "normal")
SHAPES = ("accept", "error_after", "error_before")  # heard, unless the process dies; in doubt and taken; and not taken
TRAFFIC = ("busy", "quiet")


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row of the table is about."""

    kind: str
    graces: float
    callbacks: str


CELLS = [Cell(*cell) for cell in product(LAGS, GRACES, CALLBACKS)]
_RUNS = list(product(SHAPES, TRAFFIC, range(2)))  # twice each, since some lags are chance


def seeds(cell: Cell) -> range:
    first = RESIDUAL + CELLS.index(cell) * len(_RUNS)
    return range(first, first + len(_RUNS))


def residual(seed: int) -> Scenario:
    number, run = divmod(seed - RESIDUAL, len(_RUNS))
    cell, (shape, traffic, _) = CELLS[number], _RUNS[run]
    return Scenario(
        seed,
        f"{shape}, {traffic}, callbacks {cell.callbacks}, {cell.kind}, list after {cell.graces:g} graces",
        written=_busy() if traffic == "busy" else (Written(1000, "#0 oi?"),),
        shapes=(shape,),
        callbacks=(cell.callbacks,),
        lag=int(cell.graces * Twilio().doubt_grace),
        lag_kind=cell.kind,
    )


def _busy() -> tuple[Written, ...]:
    """Others write every two minutes: the list shows younger messages of the channel, once it shows any."""
    return tuple(Written(1000 + minute * MINUTE, f"#{minute} oi?", minute) for minute in range(0, 14, 2))
