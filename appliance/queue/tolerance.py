"""When Twilio's log cannot be read: the job comes again soon. One account's log keeps no other account waiting, and one
customer's part of it no other customer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from appliance.errors import StorageBrokenError, StorageUnavailableError
from appliance.model import MINUTE, SECOND
from appliance.ports import LogUnavailableError
from appliance.queue.outcome import Effects, Snooze, nothing

AGAIN = 30 * SECOND  # until it is asked once more
LATER = 5 * MINUTE  # the same after it failed again and again
IN_A_ROW = 3  # then it is not one customer's part of the log, and each try may last until it times out

T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Round(Generic[T]):
    """What each account's part of a job came to, and of whose log it could not be read, and why."""

    said: dict[str, T]
    unreadable: dict[str, LogUnavailableError]


async def of_each(accounts: Iterable[str], work: Callable[[str], Awaitable[T]]) -> Round[T]:
    """The parts of all accounts, side by side. Raises, when all have ended, what is not the fault of a log."""
    names = list(accounts)
    ends = dict(zip(names, await asyncio.gather(*map(work, names), return_exceptions=True), strict=True))
    faults = [
        end for end in ends.values() if isinstance(end, BaseException) and not isinstance(end, LogUnavailableError)
    ]
    if faults:
        raise next((fault for fault in faults if isinstance(fault, StorageBrokenError)), faults[0])
    return Round(
        {name: end for name, end in ends.items() if not isinstance(end, BaseException)},
        {name: end for name, end in ends.items() if isinstance(end, LogUnavailableError)},
    )


def unreadable(now: int, found: Mapping[str, LogUnavailableError], effects: Effects = nothing) -> Snooze:
    """How a job ends that needs the log: nobody's fault, again soon. `found`: by account, why it could not be read."""
    whose = ", ".join(f"{account}: {why}" for account, why in found.items())
    return Snooze(now + AGAIN, f"Twilio's log cannot be read ({whose})", effects)


class Tolerance:
    """For one pass over several customers: go on with the next, and tell at the end."""

    def __init__(self) -> None:
        self._first: Exception | None = None
        self._in_a_row = 0

    async def attempt(self, work: Awaitable[bool]) -> bool:
        """What the work says; False where it failed. Raises where nothing can be read or stored at all."""
        try:
            done = await work
        except (StorageUnavailableError, StorageBrokenError):
            raise
        except Exception as error:
            self._failed(error)
            if self._in_a_row >= IN_A_ROW:  # also after the rest of a channel was given up
                raise
            return False
        self._in_a_row = 0
        return done

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, LogUnavailableError):
            log.error("one customer's part of Twilio's log was passed over", error=type(error).__name__)
        self._first = self._first or error
        self._in_a_row += 1

    def tell(self) -> None:
        """Raises the first failure of the pass."""
        if self._first is not None:
            raise self._first
