"""The product's own chance, log and signs of life, put into our hands while a simulation runs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from appliance import engine
from appliance.model import MINUTE
from appliance.outbox import consequences, send
from appliance.queue import worker
from tests.lab.simulation.chance import Dice

NEW_DAY = 20 * MINUTE  # until Twilio counts a new day, whenever it is asked: hours would be spent on idle ticks


class _Ear:
    """Stands in for the log of the workers: an error of the product's own is a finding."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self.exception = self.error = lambda event, **facts: heard(f"{event}: {facts} ({sys.exc_info()[1]!r})")

    def info(self, event: str, **facts: object) -> None:
        """Of no interest."""


class _Chance:
    """The sender's tags and the pauses between attempts, from the seed."""

    def __init__(self, dice: Callable[[], Dice]) -> None:
        self._dice = dice

    def token_hex(self, size: int) -> str:
        return f"{self._dice().bits():016x}"[: size * 2]

    def random(self) -> float:
        return self._dice().random()


@contextmanager
def installed(heard: Callable[[str], None], dice: Callable[[], Dice], longest_sleep: float) -> Iterator[None]:
    """`heard` is told of errors; `dice` belongs to the present life. Nothing wakes by chance: a worker that nobody
    wakes sleeps for `longest_sleep` seconds.
    """
    chance = _Chance(dice)
    with ExitStack() as stack:
        for module, name, stand_in in (
            (send, "secrets", chance),
            (engine, "random", chance),
            (consequences, "_tomorrow", lambda _clock: NEW_DAY),
            (worker, "log", _Ear(heard)),
            (worker, "LONGEST_SLEEP", longest_sleep),
            (engine, "kernels_boot_id", lambda: "boot"),
        ):
            stack.enter_context(patch.object(module, name, stand_in))
        yield
