"""How many jobs of a resource may be claimed now: parked channels and outages hold them back, a probe goes first."""

import sys
from dataclasses import dataclass

from appliance.clock import milliseconds
from appliance.model import Job, Resource, account_of
from appliance.ports import Clock
from appliance.queue.circuit import Circuits, access_of, doubt_of
from appliance.queue.outage import Outage
from appliance.restoration import Hold

UNLIMITED = sys.maxsize


@dataclass(frozen=True, slots=True)
class Pass:
    """What a gate allows: how many jobs, when to ask again (ms UTC, None if an event will tell), and whether the one
    job is a probe: of all resources of an account one is let through at a time.
    """

    jobs: int = UNLIMITED
    again: int | None = None
    is_probe: bool = False


class Gate:
    def __init__(self, circuits: Circuits, outage: Outage, hold: Hold, clock: Clock) -> None:
        self._circuits = circuits
        self._outage = outage
        self._hold = hold
        self._clock = clock
        self._probes: dict[int, tuple[str, list[str]]] = {}  # by job: its account, and the circuits it probes

    def allows(self, resource: Resource) -> Pass:
        if not resource:
            return Pass()
        if self._outage.active or self._hold.keeps(account_of(resource)):
            return Pass(0)
        now = milliseconds(self._clock)
        found = (self._circuits.get(name).open_until(now) for name in _circuits_of(resource))
        waits = [opens - now for opens in found if opens is not None]
        if not waits:
            return Pass()
        if any(account == account_of(resource) for account, _ in self._probes.values()):
            return Pass(0)
        return Pass(1, is_probe=True) if max(waits) <= 0 else Pass(0, self._clock.now() + max(waits))

    def entered(self, job: Job) -> None:
        """A job was claimed; where a circuit is open and due, it is the probe."""
        now = milliseconds(self._clock)
        names = [name for name in _circuits_of(job.resource) if self._circuits.get(name).open_until(now) is not None]
        for name in names:
            self._circuits.get(name).try_enter(now)
        if names:
            self._probes[job.id] = account_of(job.resource), names

    def left(self, job_id: int) -> None:
        """A job ended; a probe that said nothing about its circuit makes room for the next."""
        for name in self._probes.pop(job_id, ("", []))[1]:
            self._circuits.get(name).abandon()


def _circuits_of(resource: Resource) -> list[str]:
    """The AI's circuits are asked by its handler: while they are open its customers get the friendly text."""
    if not resource.startswith("channel:"):
        return []
    account = account_of(resource)
    return [access_of(account), doubt_of(account), resource]
