"""How often somebody may guess: by address, by browser that signed in before, and in all.

It is in memory: a start forgets who guessed. Whoever has guessed waits at most LONGEST. In all so many strangers are
heard that a thread of its own is at work half of the time, and while many guess each of them waits the longest; so of
1,000 addresses every one is through within PACE each, and who comes from another one is heard in less than LONGEST. A
browser that signed in before is limited by its own guesses alone.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto

from appliance.model import HOUR, MINUTE, SECOND

FREE = 3  # tries before the first pause
LONGEST = 15 * MINUTE
FORGET = HOUR  # after the last try
PACE = SECOND // 2  # between two strangers, in the long run
BURST = 30  # strangers at once
CALM = 15  # tries left in all; below it somebody guesses from everywhere
LINE = 8  # strangers who wait for the thread
MOST = 20_000  # addresses that are remembered: more than come in an hour at this pace


class Reason(Enum):
    WAITS = auto()  # one's own pause
    CROWDED = auto()  # everybody's


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason
    wait: int  # ms


@dataclass(slots=True)
class _Tried:
    times: int
    at: int
    until: int  # of the pause


class Tries:
    """Times in ms UTC. A clock that is set back makes no pause longer."""

    def __init__(self) -> None:
        self._tried: OrderedDict[str, _Tried] = OrderedDict()
        self._full_at = 0  # when everybody's tries are all there again
        self._line = 0

    def begin(self, who: str, now: int, *, known: bool) -> Refused | None:
        """A try that is not refused counts as failed, and `end` follows. `known`: a browser that signed in before."""
        tried = self._of(who, now)
        if tried.until > now:
            return Refused(Reason.WAITS, min(tried.until - now, LONGEST))
        left = BURST if known else self._left(now)
        if left < 1 or (self._line >= LINE and not known):
            return Refused(Reason.CROWDED, PACE)
        if not known:
            self._full_at = max(self._full_at, now) + PACE
        self._line += 1
        tried.times, tried.at = tried.times + 1, now
        tried.until = now + (LONGEST if left < CALM else _pause(tried.times))
        self._keep(who, tried)
        return None

    def left(self, who: str, now: int) -> int:
        """How many tries there are before a pause; 0 in it."""
        tried = self._of(who, now)
        return 0 if tried.until > now else max(1, FREE - tried.times)

    def wait(self, who: str, now: int) -> int:
        """Until the next try (ms)."""
        return min(max(self._of(who, now).until - now, 0), LONGEST)

    def end(self, who: str, now: int, *, known: bool, fits: bool) -> None:
        """`fits`: it was no guess. Of an address no more is forgotten than this one, or whoever has a password here
        could guess others'.
        """
        self._line -= 1
        if not fits:
            return
        tried = self._of(who, now)
        tried.times = 0 if known else max(tried.times - 1, 0)
        tried.until = now
        self._keep(who, tried)

    def _left(self, now: int) -> int:
        if self._full_at > now + BURST * PACE:  # the clock was set back
            self._full_at = now
        return BURST - max(0, self._full_at - now) // PACE

    def _of(self, who: str, now: int) -> _Tried:
        tried = self._tried.get(who)
        return tried if tried and 0 <= now - tried.at < FORGET else _Tried(0, now, now)

    def _keep(self, who: str, tried: _Tried) -> None:
        self._tried[who] = tried
        self._tried.move_to_end(who)
        if len(self._tried) > MOST:
            self._tried.popitem(last=False)


def _pause(times: int) -> int:
    """None at first; then a minute, and twice as long each time."""
    return 0 if times < FREE else min(MINUTE << min(times - FREE, 10), LONGEST)
