"""Which jobs start: tables of what is ready, what runs and what the gate allows, without a loop or a database."""

from collections.abc import Sequence

import pytest

from appliance.model import AI, NOTHING, Job, JobKind, Resource, channel_resource
from appliance.queue.gate import Pass
from appliance.queue.plan import Offer, plan

ONE, TWO = channel_resource(1), channel_resource(2)
PROBE, SHUT = Pass(1, is_probe=True), Pass(0)
KINDS = {AI: JobKind.REPLY, NOTHING: JobKind.IDLE}


def job(number: int, resource: Resource = AI, crashes: int = 0) -> Job:
    kind = KINDS.get(resource, JobKind.SEND)
    return Job(number, kind, f"lane {number}", {}, 1, crashes, 1, 0, 0, None)


def offer(resource: Resource, *jobs: Job, allowed: Pass = Pass(), next_due: int | None = None) -> Offer:  # noqa: B008
    return Offer(resource, jobs, next_due, allowed)


def jobs(resource: Resource, *numbers: int) -> list[Job]:
    return [job(number, resource) for number in numbers]


SUSPECT = job(9, ONE, crashes=2)
TABLE: dict[str, tuple[list[Offer], Sequence[Job], list[int]]] = {
    "nothing is ready": ([], [], []),
    "as many as there are places": ([offer(AI, *jobs(AI, 1, 2, 3))], [], [1, 2]),
    "a reply that runs has one of them": ([offer(AI, *jobs(AI, 2, 3))], jobs(AI, 1), [2]),
    "replies keep no send waiting": ([offer(AI, *jobs(AI, 3)), offer(ONE, *jobs(ONE, 4))], jobs(AI, 1, 2), [4]),
    "sends keep no reply waiting": ([offer(AI, *jobs(AI, 3)), offer(ONE, *jobs(ONE, 4))], jobs(ONE, 1, 2), [3]),
    "sends and ticks share places": ([offer(NOTHING, *jobs(NOTHING, 1)), offer(ONE, *jobs(ONE, 2, 3))], [], [1, 2]),
    "a gate that is shut lets nobody pass": ([offer(ONE, *jobs(ONE, 1), allowed=SHUT)], [], []),
    "what needs nothing passes a shut gate": (
        [offer(NOTHING, *jobs(NOTHING, 1)), offer(ONE, *jobs(ONE, 2), allowed=SHUT)],
        [],
        [1],
    ),
    "one probe": ([offer(ONE, *jobs(ONE, 1, 2), allowed=PROBE)], [], [1]),
    "one probe of all channels together": (
        [offer(ONE, *jobs(ONE, 1), allowed=PROBE), offer(TWO, *jobs(TWO, 2), allowed=PROBE)],
        [],
        [1],
    ),
    "a probe without a place leaves its turn": (
        [offer(ONE, allowed=PROBE), offer(TWO, *jobs(TWO, 2), allowed=PROBE)],
        [],
        [2],
    ),
    "a suspect runs alone": ([offer(AI, *jobs(AI, 1)), offer(ONE, SUSPECT, *jobs(ONE, 2))], [], [9]),
    "a suspect waits until nothing runs": ([offer(ONE, SUSPECT)], jobs(AI, 1), []),
    "nobody starts while a suspect waits": ([offer(AI, *jobs(AI, 2)), offer(ONE, SUSPECT)], jobs(AI, 1), []),
    "nobody starts beside a suspect": ([offer(AI, *jobs(AI, 1))], [SUSPECT], []),
    "a suspect behind a shut gate keeps nobody": (
        [offer(AI, *jobs(AI, 1)), offer(ONE, SUSPECT, allowed=SHUT)],
        [],
        [1],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_starts(name: str) -> None:
    """With two places for replies and two for all else."""
    offers, running, expected = TABLE[name]

    assert [started.id for started, _ in plan(offers, running, 2).start] == expected


def test_each_job_starts_with_its_resource() -> None:
    """The gate wants to know what the job takes."""
    planned = plan([offer(AI, *jobs(AI, 1)), offer(TWO, *jobs(TWO, 2))], [], 2)

    assert [(started.id, resource) for started, resource in planned.start] == [(1, AI), (2, TWO)]


@pytest.mark.parametrize(
    ("offers", "again"),
    [
        ([], None),
        ([offer(AI, next_due=70), offer(ONE, next_due=50)], 50),
        ([offer(ONE, *jobs(ONE, 1), allowed=Pass(0, 30), next_due=50)], 30),
        ([offer(ONE, allowed=Pass(0, 30), next_due=50)], 50),  # nobody waits at that gate
        ([offer(ONE, *jobs(ONE, 1), allowed=Pass(0))], None),  # an event will tell
        ([offer(ONE, SUSPECT, next_due=40)], 40),
    ],
)
def test_when_to_look_again(offers: list[Offer], again: int | None) -> None:
    """At the next time that falls due or a gate opens, whichever comes first."""
    assert plan(offers, [], 2).again == again
