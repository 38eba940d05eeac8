"""Which jobs start now, and when to look again: of what is ready, what runs and what the gate allows. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from appliance.model import AI, Job, JobKind, Resource
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

    start: list[tuple[Job, Resource]]
    again: int | None


def is_suspect(job: Job) -> bool:
    """It was running in two crashes. It runs alone, to know who is to blame for a third."""
    return job.crashes >= ALONE_AFTER


def plan(offers: Sequence[Offer], running: Collection[Job], places: int) -> Plan:
    """As many due jobs as there are places and the gate lets pass.

    `places`: for replies, and as many for all else, so that a slow model never keeps a send waiting.
    """
    times = [time for offer in offers for time in (offer.allowed.again if offer.due else None, offer.next_due)]
    again = min((time for time in times if time is not None), default=None)
    suspects = [(job, offer.resource) for offer in offers if offer.allowed.jobs for job in offer.due if is_suspect(job)]
    # While a suspect waits or runs nothing else is started: under load its turn would never come.
    if suspects or any(map(is_suspect, running)):
        return Plan([] if running else suspects[:1], again)
    replies = sum(job.kind == JobKind.REPLY for job in running)
    free = {True: places - replies, False: places - (len(running) - replies)}
    start: list[tuple[Job, Resource]] = []
    probed = False
    for offer in offers:
        is_reply = offer.resource == AI
        jobs = offer.due[: min(0 if probed and offer.allowed.is_probe else offer.allowed.jobs, free[is_reply])]
        start += [(job, offer.resource) for job in jobs]
        free[is_reply] -= len(jobs)
        probed = probed or (offer.allowed.is_probe and bool(jobs))
    return Plan(start, again)
