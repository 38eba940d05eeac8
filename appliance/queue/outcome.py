"""What a handler decided. It is a value: the worker alone writes it down, effects and the job's end in one unit.

The worker also tells of it. `trouble`: the name of what keeps other jobs too, so that it is told once while it lasts;
`over`: those that the job shows to be over. `quiet`: nothing failed, it is too early.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from appliance.model import MINUTE, SECOND, Job
from appliance.store import Tx

Effects = Callable[[Tx], object]
FIRST_WAIT = 2 * SECOND
LONGEST_WAIT = 10 * MINUTE


def nothing(_tx: Tx) -> None:
    """No effects."""


@dataclass(frozen=True, slots=True)
class Done:
    effects: Effects = nothing
    over: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """This attempt failed and counts; again at a time (ms UTC)."""

    at: int
    error: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Not this job's fault: again at a time (ms UTC), the attempt does not count.

    `acquitted`: it ran to its end, so earlier crashes were not its doing either.
    """

    at: int
    reason: str
    effects: Effects = nothing
    acquitted: bool = False
    trouble: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Dead:
    """It rests in the dead letters until somebody decides."""

    error: str
    effects: Effects = nothing
    trouble: str = ""


Outcome = Done | Retry | Snooze | Dead


class Handler(Protocol):
    """Does one kind of job."""

    def run(self, job: Job) -> Awaitable[Outcome]: ...

    def give_up(self, job: Job, error: str) -> Outcome:
        """How a job ends that failed too often or killed the process."""


def backoff(attempt: int, random: Callable[[], float]) -> int:
    """Milliseconds before the next attempt after `attempt` failed ones, with full jitter (never under 100 ms)."""
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempt - 1, 20))
    return max(100, int(random() * ceiling))
