"""Trouble at Twilio that lasts: for a span of time its API does not answer as it should."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal


@dataclass(frozen=True, slots=True)
class Incident:
    """From `begin` until `end` (milliseconds UTC on the simulator's clock) every request of the kinds `on` is spoilt.

    kind, status, code, retry_after and seconds mean what they mean in a Fault. `accepted`: the share of the POSTs that
    make a message all the same, 0 to 1; `seed` decides which. What is not in `on` goes on: with "create" alone the log
    stays readable. `callbacks_lost`: no status callback arrives meanwhile, and none is made up for afterwards.
    """

    begin: int
    end: int
    kind: Literal["error", "hang", "reset"] = "error"
    status: int = 503
    code: int | None = None
    retry_after: float | None = None
    seconds: float = 30.0
    accepted: float = 0.0
    seed: int = 0
    on: Sequence[Literal["create", "list", "fetch"]] = ("create",)
    callbacks_lost: bool = False

    def lasts(self, now: int) -> bool:
        return self.begin <= now < self.end

    def accepts(self, number: int) -> bool:
        """Whether the POST that is the number-th of the incident makes a message."""
        return Random(f"{self.seed}/{number}").random() < self.accepted  # noqa: S311 - a die, not a secret
