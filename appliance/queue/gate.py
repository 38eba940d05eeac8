"""How many jobs of a resource may be claimed now: parked channels and outages hold them back, a probe goes first."""

import sys

from appliance.clock import milliseconds
from appliance.model import Job
from appliance.ports import Clock
from appliance.queue.circuit import Circuits
from appliance.queue.outage import Outage

AI = "ai"
_UNLIMITED = sys.maxsize


class Gate:
    def __init__(self, circuits: Circuits, outage: Outage, clock: Clock) -> None:
        self._circuits = circuits
        self._outage = outage
        self._clock = clock
        self._probes: dict[int, list[str]] = {}
        self.held = False  # a restored box answers nobody before Twilio's log was read

    def allows(self, resource: str) -> tuple[int, int | None]:
        """(how many, when to ask again in ms UTC or None if an event will tell)."""
        if not resource:
            return _UNLIMITED, None
        if self._outage.active or self.held:
            return 0, None
        times = [time for name in _circuits_of(resource) if (time := self._opens_at(name)) is not None]
        if not times:
            return _UNLIMITED, None
        if self._probes:
            return 0, None
        opens = max(times)
        return (1, None) if opens <= self._clock.now() else (0, opens)

    def entered(self, job: Job, resource: str) -> None:
        """A job was claimed; where a circuit is open and due, it is the probe."""
        now = milliseconds(self._clock)
        names = [name for name in _circuits_of(resource) if self._circuits.get(name).open_until(now) is not None]
        for name in names:
            self._circuits.get(name).try_enter(now)
        if names:
            self._probes[job.id] = names

    def left(self, job_id: int) -> None:
        """A job ended; a probe that said nothing about its circuit makes room for the next."""
        for name in self._probes.pop(job_id, []):
            self._circuits.get(name).abandon()

    def _opens_at(self, name: str) -> int | None:
        monotonic = milliseconds(self._clock)
        until = self._circuits.get(name).open_until(monotonic)
        return None if until is None else self._clock.now() + until - monotonic


def _circuits_of(resource: str) -> list[str]:
    """The AI's circuits are asked by its handler: while they are open its customers get the friendly text."""
    return ["account", resource] if resource.startswith("channel:") else []
