"""Backoff: how long to wait before another attempt. Pure; the random number comes in."""

from collections.abc import Callable

from appliance.model import MINUTE, SECOND

FIRST_WAIT = 2 * SECOND
LONGEST_WAIT = 10 * MINUTE


def backoff(attempt: int, random: Callable[[], float]) -> int:
    """Milliseconds before the next attempt after `attempt` failed ones, with full jitter (never under 100 ms)."""
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempt - 1, 20))
    return max(100, int(random() * ceiling))
