"""When Twilio's log cannot be read: the job comes again soon, and one customer's part keeps no other one waiting."""

from collections.abc import Awaitable

import structlog

from appliance.errors import StorageBrokenError, StorageUnavailableError
from appliance.model import MINUTE, SECOND
from appliance.ports import LogUnavailableError
from appliance.queue.outcome import Effects, Snooze, nothing

AGAIN = 30 * SECOND  # until it is asked once more
LATER = 5 * MINUTE  # the same after it failed again and again
IN_A_ROW = 3  # then it is not one customer's part of the log, and each try may last until it times out

log = structlog.get_logger()


def unreadable(now: int, effects: Effects = nothing) -> Snooze:
    """How a job ends that needs the log: nobody's fault, again soon."""
    return Snooze(now + AGAIN, "Twilio's log cannot be read", effects)


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
