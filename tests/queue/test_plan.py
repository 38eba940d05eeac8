"""Which jobs start: tables of what is ready, what runs and what the gate allows, without a loop or a database."""

from collections.abc import Sequence

import pytest

from appliance.model import NOTHING, Job, JobKind, Resource, ai_resource, channel_resource
from appliance.queue.gate import Pass
from appliance.queue.plan import Offer, plan

ONE, TWO, THREE = channel_resource(1), channel_resource(2), channel_resource(3)
ABROAD = channel_resource(2, "another_account")
AI, AI_TWO, AI_OLD = ai_resource(1), ai_resource(2), Resource("ai")
PROBE, SHUT = Pass(1, is_probe=True), Pass(0)
PLACES = 4


def job(number: int, resource: Resource = AI, crashes: int = 0, kind: JobKind | None = None) -> Job:
    usual = JobKind.IDLE if resource == NOTHING else JobKind.REPLY if resource.startswith("ai") else JobKind.SEND
    return Job(number, kind or usual, f"lane {number}", resource, {}, 1, crashes, 1, number, 0, None)


def offer(resource: Resource, *jobs: Job, allowed: Pass = Pass(), next_due: int | None = None) -> Offer:  # noqa: B008
    return Offer(resource, jobs, next_due, allowed)


def jobs(resource: Resource, *numbers: int) -> list[Job]:
    return [job(number, resource) for number in numbers]


def flood(resource: Resource, first: int = 1) -> Offer:
    return offer(resource, *jobs(resource, *range(first, first + 9)))


SUSPECT = job(9, ONE, crashes=2)
BACKUP, SETTLE = job(70, NOTHING, kind=JobKind.BACKUP), job(71, NOTHING, kind=JobKind.SETTLE)
CRASHED_BACKUP = job(70, NOTHING, crashes=1, kind=JobKind.BACKUP)
SUSPECT_BACKUP = job(70, NOTHING, crashes=2, kind=JobKind.BACKUP)
TABLE: dict[str, tuple[list[Offer], Sequence[Job], list[int]]] = {
    "nothing is ready": ([], [], []),
    "a flood alone has all places but one": ([flood(AI)], [], [1, 2, 3]),
    "and no more later": ([flood(AI, 11)], jobs(AI, 1, 2, 3), []),
    "the last place is for who has none": ([flood(ONE, 11), offer(TWO, *jobs(TWO, 30))], jobs(ONE, 1, 2, 3), [30]),
    "also where that comes first by name": ([offer(ONE, *jobs(ONE, 30)), flood(TWO, 11)], jobs(TWO, 1, 2, 3), [30]),
    "two floods share": ([flood(ONE), flood(TWO, 11)], [], [1, 11, 2]),
    "three floods share": ([flood(ONE), flood(TWO, 11), flood(THREE, 21)], [], [1, 11, 21]),
    "a place goes to who has fewest": ([flood(ONE, 11), flood(TWO, 21)], jobs(ONE, 1) + jobs(TWO, 2, 3)[:1], [11]),
    "not to who came first": ([flood(ONE, 11), flood(TWO, 21)], jobs(ONE, 1, 2), [21]),
    "organizations share the model": ([flood(AI), flood(AI_TWO, 11)], [], [1, 11, 2]),
    "jobs of an older file are one more": ([flood(AI_OLD), flood(AI, 11)], [], [1, 11, 2]),
    "replies keep no send waiting": ([offer(AI, *jobs(AI, 5)), offer(ONE, *jobs(ONE, 6))], jobs(AI, 1, 2, 3, 4), [6]),
    "sends keep no reply waiting": ([offer(AI, *jobs(AI, 5)), offer(ONE, *jobs(ONE, 6))], jobs(ONE, 1, 2, 3, 4), [5]),
    "ticks take no place": ([offer(NOTHING, BACKUP, SETTLE), flood(ONE)], [], [1, 2, 3, 70, 71]),
    "ticks need no place": ([offer(NOTHING, BACKUP)], jobs(ONE, 1, 2, 3, 4), [70]),
    "one tick of a kind": ([offer(NOTHING, *jobs(NOTHING, 1, 2), SETTLE)], [SETTLE], [1]),
    "a gate that is shut lets nobody pass": ([offer(ONE, *jobs(ONE, 1), allowed=SHUT)], [], []),
    "and leaves the places to others": ([offer(ONE, *jobs(ONE, 1), allowed=SHUT), flood(TWO, 11)], [], [11, 12, 13]),
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
    "one probe of each account": (
        [offer(ONE, *jobs(ONE, 1), allowed=PROBE), offer(ABROAD, *jobs(ABROAD, 2), allowed=PROBE)],
        [],
        [1, 2],
    ),
    "a probe without a place leaves its turn": (
        [offer(ONE, allowed=PROBE), offer(TWO, *jobs(TWO, 2), allowed=PROBE)],
        [],
        [2],
    ),
    "a suspect runs alone": ([offer(AI, *jobs(AI, 1)), offer(ONE, SUSPECT, *jobs(ONE, 2))], [], [9]),
    "a suspect waits until no other answer runs": ([offer(ONE, SUSPECT)], jobs(AI, 1), []),
    "nobody starts while a suspect waits": ([offer(AI, *jobs(AI, 2)), offer(ONE, SUSPECT)], jobs(AI, 1), []),
    "nobody starts beside a suspect": ([offer(AI, *jobs(AI, 1))], [SUSPECT], []),
    "a suspect behind a shut gate keeps nobody": (
        [offer(AI, *jobs(AI, 1)), offer(ONE, SUSPECT, allowed=SHUT)],
        [],
        [1],
    ),
    "a suspect waits for no backup": ([offer(ONE, SUSPECT)], [BACKUP], [9]),
    "a tick starts beside a suspect": ([offer(NOTHING, BACKUP)], [SUSPECT], [70]),
    "and while one waits": ([offer(NOTHING, BACKUP), offer(ONE, SUSPECT)], jobs(AI, 1), [70]),
    "not one that was in a crash": ([offer(NOTHING, CRASHED_BACKUP, SETTLE)], [SUSPECT], [71]),
    "a tick under suspicion keeps nobody": ([offer(NOTHING, SUSPECT_BACKUP), offer(AI, *jobs(AI, 1))], [], [1, 70]),
    "nor does it when it runs": ([offer(AI, *jobs(AI, 1))], [SUSPECT_BACKUP], [1]),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_starts(name: str) -> None:
    """With four places for replies and four for sends, and nobody served before."""
    offers, running, expected = TABLE[name]

    assert [started.id for started in plan(offers, running, PLACES, {}).start] == expected


@pytest.mark.parametrize(
    ("turns", "expected"), [({}, 1), ({ONE: 5}, 30), ({ONE: 5, TWO: 3}, 30), ({TWO: 9, ONE: 5}, 1)]
)
def test_the_only_place_goes_around(turns: dict[Resource, int], expected: int) -> None:
    """`queue.concurrency = 1`: whoever was served longest ago is next, however long the other's queue is."""
    planned = plan([flood(ONE), offer(TWO, *jobs(TWO, 30))], [], 1, turns)

    assert [started.id for started in planned.start] == [expected]


@pytest.mark.parametrize("places", range(1, 10))
def test_whoever_comes_new_waits_for_few(places: int) -> None:
    """Three floods: a fourth is started after one end at most where there are places for all, else after one each."""
    floods = [flood(channel_resource(number), 100 * number) for number in range(1, 4)]
    quiet = offer(channel_resource(4), job(5_000, channel_resource(4)))
    running: list[Job] = []
    turns: dict[Resource, int] = {}

    def look(*offers: Offer) -> list[int]:
        started = plan(offers, running, places, turns).start
        for each in started:
            turns[each.resource] = max(turns.values(), default=0) + 1
        running.extend(started)
        return [each.id for each in started]

    for _ in range(20):
        look(*floods)
        running.pop(0)
    ends = 0
    while 5_000 not in look(*floods, quiet):
        running.pop(0)
        ends += 1

    assert ends <= (1 if places > 3 else 3)


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
    assert plan(offers, [], PLACES, {}).again == again
