"""What a handler decided. It is a value: the worker alone writes it down, effects and the job's end in one unit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from appliance.model import Job
from appliance.store import Tx

Effects = Callable[[Tx], object]


def nothing(_tx: Tx) -> None:
    """No effects."""


@dataclass(frozen=True, slots=True)
class Done:
    effects: Effects = nothing


@dataclass(frozen=True, slots=True)
class Retry:
    """This attempt failed and counts; again at a time (ms UTC)."""

    at: int
    error: str


@dataclass(frozen=True, slots=True)
class Snooze:
    """Not this job's fault: again at a time (ms UTC), the attempt does not count."""

    at: int
    reason: str
    effects: Effects = nothing


@dataclass(frozen=True, slots=True)
class Dead:
    """It rests in the dead letters until somebody decides."""

    error: str
    effects: Effects = nothing


Outcome = Done | Retry | Snooze | Dead


class Handler(Protocol):
    """Does one kind of job."""

    def run(self, job: Job) -> Awaitable[Outcome]: ...

    def give_up(self, job: Job, error: str) -> Outcome:
        """How a job ends that failed too often or killed the process."""
