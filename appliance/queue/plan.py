"""Which jobs start now, and when to look again: of what is ready, what runs and what the gate allows. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from appliance.model import NOTHING, Job, JobKind, Resource, account_of
from appliance.queue.gate import Pass
from appliance.store.jobs import ALONE_AFTER


@dataclass(frozen=True, slots=True)
class Offer:
    """The ready jobs of one resource: those due now (no more than could run), and when the next one falls due."""

    resource: Resource
    due: Sequence[Job]
    next_due: int | None
    allowed: Pass


@dataclass(frozen=True, slots=True)
class Plan:
    """`again`: when to look (ms UTC), None if an event will tell."""

    start: list[Job]
    again: int | None


Turns = Mapping[Resource, int]  # when each resource was served last; only their order counts


def is_suspect(job: Job) -> bool:
    """A conversation's job that was running in two crashes. No other one runs beside it, to know who is to blame."""
    return job.crashes >= ALONE_AFTER and job.resource != NOTHING


def is_alone(job: Job, running: Collection[Job]) -> bool:
    """Whether a crash from now on has this one name. A tick that was in no crash so far is above suspicion."""
    return is_suspect(job) and not any(other.crashes for other in running)


def plan(offers: Sequence[Offer], running: Collection[Job], places: int, turns: Turns) -> Plan:
    """`places`: for replies, and as many for sends, so that a slow model never keeps a send waiting.

    A tick takes no place: there is one for each kind, so that neither a backup nor a slow log keeps anybody waiting.
    """
    times = [time for offer in offers for time in (offer.allowed.again if offer.due else None, offer.next_due)]
    again = min((time for time in times if time is not None), default=None)
    ticks = [job for offer in offers if offer.resource == NOTHING for job in offer.due]
    answering = [job for job in running if job.resource != NOTHING]
    suspects = [job for offer in offers if offer.allowed.jobs for job in offer.due if is_suspect(job)]
    # While a suspect waits or runs no other conversation's job is started: under load its turn would never come. Nor is
    # a tick that was in a crash itself: with both running, the next crash would have two names.
    if suspects or any(map(is_suspect, answering)):
        start = [] if answering else suspects[:1]
        return Plan(start + _one_of_each_kind([job for job in ticks if not job.crashes], running), again)
    return Plan(_in_turn(offers, answering, places, turns) + _one_of_each_kind(ticks, running), again)


def _one_of_each_kind(ticks: Sequence[Job], running: Collection[Job]) -> list[Job]:
    oldest = {job.kind: job for job in reversed(ticks)}
    return [job for job in ticks if job == oldest[job.kind] and job.kind not in {other.kind for other in running}]


def _in_turn(offers: Sequence[Offer], answering: Collection[Job], places: int, turns: Turns) -> list[Job]:
    """Place after place to the resource that holds the fewest; of those, to the one that was served longest ago.

    The last place for replies, and the last for sends, is for a resource that holds none: a flood has all others, and
    who comes new need not wait until something of the flood ends.
    """
    held = Counter(job.resource for job in answering)
    replies = sum(job.kind == JobKind.REPLY for job in answering)
    free = {True: places - replies, False: places - (len(answering) - replies)}
    served = dict(turns)
    waiting = {offer.resource: list(offer.due[: offer.allowed.jobs]) for offer in offers if offer.resource != NOTHING}
    probes = [offer.resource for offer in offers if offer.allowed.is_probe]

    def fits(job: Job) -> bool:
        return free[job.kind == JobKind.REPLY] > bool(held[job.resource])

    start: list[Job] = []
    while heads := [jobs[0] for jobs in waiting.values() if jobs and fits(jobs[0])]:
        job = min(heads, key=lambda job: (held[job.resource], served.get(job.resource, 0), job.run_at, job.id))
        start.append(waiting[job.resource].pop(0))
        held[job.resource] += 1
        free[job.kind == JobKind.REPLY] -= 1
        served[job.resource] = max(served.values(), default=0) + 1
        if job.resource in probes:  # one probe of all resources of an account
            waiting |= {resource: [] for resource in probes if account_of(resource) == account_of(job.resource)}
    return start
