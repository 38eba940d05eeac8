"""All that is known about a clock that is wrong. Twilio's clock is right; ours is the one of a board without a battery.

| what happened                        | noticed by                        | what is done                              |
|--------------------------------------|-----------------------------------|-------------------------------------------|
| set by over a minute while running,  | `Timekeeper.look`: the wall clock | this run's rows keep their age, no job    |
| or the machine was paused            | left the steady one               | runs later than planned, attempts only    |
|                                      |                                   | move back, deadlines start anew (`Times`) |
| started behind the newest jobs       | `Timekeeper.wait`                 | workers wait two minutes for it to be set |
| … nobody sets it, or an earlier run  | the two minutes are over          | attempts of times that were not           |
| was ahead                            |                                   | yet are looked for from a day ago, no job |
|                                      |                                   | waits over ten minutes (`_give_up`)       |
| was ahead until the power went, is   | `compared`: each complete read of | the attempts move back by that at the     |
| right now                            | Twilio's log tells by how much    | next start, once (`begin`)                |
| was set in whatever way              | `Fact.CLOCK_SET_AT`               | the grace for Twilio's log counts from    |
|                                      |                                   | then (`restoration.grace_began`)          |

The owner hears of it from the watch (`watch/conditions.of_the_clock`). A step of up to a minute is ordinary: Twilio's
log is searched with two minutes to spare. Nobody knows which of two times was wrong, and since when: what an earlier
run wrote may have been right, so it moves only to an earlier time.
"""

from collections.abc import Callable

from appliance.clock import milliseconds
from appliance.errors import StorageUnavailableError
from appliance.model import HOUR, MINUTE, SECOND
from appliance.ports import Clock
from appliance.store import Store, Tx
from appliance.store.box import Fact
from appliance.store.times import Jump, Rows

BUILT_AT = 1_790_000_000_000  # a clock before the release of this version is wrong
MOST_APART = 5 * MINUTE  # from Twilio's; the owner is told of more
JUMP = 60 * SECOND  # a smaller step of the wall clock is ordinary
PATIENCE = 120.0  # seconds that workers wait for a wrong clock to be set
FURTHEST = 10 * MINUTE  # that a job of a clock that was ahead is planned ahead
NOTHING = Rows()


class Timekeeper:
    """Compares the wall clock with the steady one. `before`: what earlier runs wrote. `patience`: ms of a deadline."""

    def __init__(self, store: Store, clock: Clock, patience: int, before: Rows = NOTHING) -> None:
        self._store = store
        self._clock = clock
        self._patience = patience
        self._before = before
        self._known_offset = self._offset()
        self._looked_at = clock.monotonic()

    def _offset(self) -> int:
        return self._clock.now() - milliseconds(self._clock)

    async def look(self) -> bool:
        """Whether the wall clock was set; what waits has followed it. Raises StorageUnavailableError: look again."""
        step = self._offset() - self._known_offset
        now, elapsed = self._clock.now(), int((self._clock.monotonic() - self._looked_at) * SECOND)
        jump = Jump(step, now - elapsed - SECOND, self._before, self._patience)
        self._known_offset += step  # before the write: two may look at once
        if abs(step) > JUMP:
            try:
                await self._store.write(lambda tx: _follow(tx, jump))
            except StorageUnavailableError:
                self._known_offset -= step
                raise
        self._looked_at = self._clock.monotonic()
        return abs(step) > JUMP

    async def wait(self, alive: Callable[[], None]) -> None:
        """Until the clock reaches what the database knows, else all jobs fall due late. `alive`: called meanwhile."""
        latest = await self._store.read(latest_time)
        give_up = self._clock.monotonic() + PATIENCE
        while self._clock.now() < latest:
            alive()
            if self._clock.monotonic() > give_up:
                await self._store.write(_give_up)
                return
            await self._clock.sleep(1.0)


def latest_time(tx: Tx) -> int:
    """That any clock has shown so far (ms UTC)."""
    return max(BUILT_AT, tx.times.last_written())


def _follow(tx: Tx, jump: Jump) -> None:
    tx.times.follow(jump)
    tx.box.put(Fact.CLOCK_SET_AT, tx.now)
    tx.box.remove(Fact.CLOCK_AHEAD)  # what was read before it was set tells nothing now


def _give_up(tx: Tx) -> None:
    tx.times.predate(tx.now - 24 * HOUR)
    tx.times.plan_by(tx.now + FURTHEST)


def compared(tx: Tx, offset: int) -> None:
    """Twilio's log was read. `offset`: Twilio's clock minus ours, milliseconds."""
    tx.box.put(Fact.CLOCK_AHEAD, -offset)


def begin(tx: Tx) -> None:
    """At start: attempts of a clock that was ahead were made earlier than they say.

    The clock may be right by now, and then nothing else tells: Twilio's log would be searched from too late on.
    """
    ahead = tx.box.number(Fact.CLOCK_AHEAD) or 0
    if ahead > MINUTE:
        tx.times.shift_outbox(-ahead, tx.now, tx.times.rows().outbox)
        tx.box.put(Fact.CLOCK_SET_AT, tx.now)
    tx.box.remove(Fact.CLOCK_AHEAD)  # moved once, also where the next run ends before it reads the log
