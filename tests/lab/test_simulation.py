"""The promise in virtual time: whatever Twilio, the model and the network do, and wherever the process dies.

`LAB_CRASH_POINTS=1000000 LAB_SEED=1000 pytest tests/lab/test_simulation.py` is the long form.
"""

import os
import re
from collections import Counter
from itertools import product

import aiohttp
import pytest
from twilio.http.response import Response

from appliance.config import Twilio
from appliance.model import MINUTE, SECOND
from appliance.twilio.client import last_answer
from appliance.twilio.sender import TwilioSender
from appliance.wire import OutboundMessage
from tests.lab.figures import record
from tests.lab.simulation.campaign import Report, explore, run_on
from tests.lab.simulation.controls import CONTROLS, Control
from tests.lab.simulation.coverage import REACHABLE
from tests.lab.simulation.persons import DAYS as PERSON_DAYS
from tests.lab.simulation.persons import STEPS, joined
from tests.lab.simulation.ports import RESULTS
from tests.lab.simulation.residual import CELLS, GRACES, TRAFFIC
from tests.lab.simulation.scenario import (
    DAYS,
    JOINED_AT_ONCE,
    TABLE,
    TRACES,
    TROUBLED,
    TROUBLED_DAYS,
    lagging,
    scenario,
)
from tests.lab.simulation.simulation import Simulation
from tests.lab.simulation.terms import LAGS, SHAPES, Scenario
from tests.lab.simulation.waiting import Residue, compared

PROCESSES = 2
POINTS = int(os.environ.get("LAB_CRASH_POINTS", "1000"))
LONG = POINTS > 100_000
PERSONS = int(os.environ.get("LAB_PERSONS", "600"))  # crash points
SECONDS = (0, 30, 60, 90, 120, 150)  # until Twilio's list shows a message, within the grace
BORNE = 2.0  # graces: a later list doubles something


def test_a_crash_anywhere_loses_nothing_and_repeats_nothing() -> None:
    """Every scenario of the table with a crash at each of its points: lost 0, twice 0, unexpected 0, all triples met."""
    report = run_on(PROCESSES, range(len(TABLE)), every=1 if LONG else 16)
    _record("simulation", report, triples=f"{len(report.triples & REACHABLE)}/{len(REACHABLE)}")
    assert not report.failures, "\n".join(map(str, report.failures[:10]))
    assert report.crashes >= 8_000  # the other tests of this file make it ten thousand
    assert report.triples - REACHABLE == set(), "the table of coverage says that these cannot be met"
    assert REACHABLE - report.triples == set(), "these were not met"


def test_crashes_of_recoveries_by_chance() -> None:
    """Scenarios that no table foresaw, with up to three crashes each; LAB_CRASH_POINTS says how many."""
    first = max(int(os.environ.get("LAB_SEED", TROUBLED)), len(TABLE))
    report = run_on(PROCESSES, range(first, DAYS), POINTS)
    _record("simulation by chance", report, seeds_from=first)
    record("doubt, every fault", **report.doubts.figures())
    assert not report.failures, "\n".join(map(str, report.failures[:10]))
    assert report.crashes >= POINTS


def test_doubt_is_settled_soon_and_seldom_by_a_person() -> None:
    """Days of a hundred messages with one crash each, one ambiguous POST of a thousand, one lost callback of fifty."""
    report = run_on(PROCESSES, range(DAYS, DAYS + (200 if LONG else 5)))
    doubts = report.doubts
    record("doubt, a crash a day", crash_points=report.crashes, **doubts.figures())
    assert not report.failures, "\n".join(map(str, report.failures[:10]))
    assert doubts.within(0.99) * SECOND <= 4 * Twilio().doubt_grace + MINUTE
    assert not LONG or doubts.parked < doubts.answers / 1000


def test_a_list_that_is_late_within_the_grace_doubles_nothing() -> None:
    """Each shape of a send with a crash at each step, the callback arriving or lost, and the list up to 150 s behind."""
    chosen = [
        lagging(shape, callback, lag)
        for shape, callback, lag in product(SHAPES, ("normal", "lost"), SECONDS)
        if LONG or (callback == "lost" and lag == max(SECONDS))
    ]
    report = run_on(PROCESSES, chosen)
    for shape in SHAPES:
        met = Counter({seed: met for seed, met in report.points.items() if scenario(seed).shapes == (shape,)})
        failures = [failure for failure in report.failures if failure.seed in met]
        _record(f"ambiguous {shape}", Report(met, failures=failures))
    assert not report.failures, "\n".join(map(str, report.failures[:10]))


def test_a_list_that_is_later_than_the_grace_doubles_some() -> None:
    """Up to two graces nothing; beyond, the promise ends, and less is doubled than by the rule of before."""
    few = [cell for cell in CELLS if cell.callbacks == "lost" and cell.graces in (BORNE, max(GRACES))]
    cells = CELLS if LONG else few
    measured = list(zip(cells, compared(PROCESSES, cells, 1 if LONG else 5), strict=True))
    for kind in LAGS:
        before, now = Residue(), Residue()
        for cell, (old, new) in measured:
            if cell.kind == kind:
                before.add(old)
                now.add(new)
        _record_residue(f"residual, {kind}", before, now)
    assert [said for _, both in measured for each in both for said in each.others] == []
    assert [cell for cell, (_, now) in measured if now.doubled and cell.graces <= BORNE] == []
    assert [cell for cell, (before, _) in measured if not before.doubled and cell in few] == []
    assert any(now.doubled for _, (_, now) in measured)


def _record_residue(name: str, before: Residue, now: Residue) -> None:
    waits: dict[str, float | str] = {
        f"{traffic}_ms_{when}": f"{each.median(traffic):,} to {each.worst(traffic):,}"
        for traffic in TRAFFIC
        for when, each in (("before", before), ("now", now))
    }
    record(name, crash_points=now.crash_points, doubled_before=before.doubled, doubled_now=now.doubled, **waits)


def test_one_person_with_two_addresses() -> None:
    """Days of a customer who writes by two addresses, of which it becomes known at any step that they are one person's:
    before, between and after their jobs, drafts and doubts, with a crash at each step; then days by chance.
    """
    days = len(PERSON_DAYS)
    steps = [number * 37 % STEPS for number in range(STEPS)]  # each of them once, the nearest ones far apart
    known = [joined(day, (step + day * 7) % STEPS) for step in steps for day in range(days)]
    report = run_on(PROCESSES, known, PERSONS // 2, every=8)
    by_chance = [joined(days + number, steps[number % STEPS] // 4) for number in range(PERSONS)]
    report.add(run_on(PROCESSES, by_chance, PERSONS // 2, every=8))
    _record("one person, two addresses", report)
    assert not report.failures, "\n".join(map(str, report.failures[:10]))
    assert report.crashes >= PERSONS


def test_days_with_an_incident() -> None:
    """Every POST gets a 5xx for 16 seconds to two hours, and Twilio takes none of them, half of them or all."""
    report = run_on(PROCESSES, range(TROUBLED_DAYS, TROUBLED_DAYS + (200 if LONG else 4)))
    _record("days with an incident", report)
    record("doubt, an incident a day", **report.doubts.figures())
    assert not report.failures, "\n".join(map(str, report.failures[:10]))


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.name)
def test_what_still_helps_beyond_the_lag_that_is_borne(trace: Scenario) -> None:
    """The same answer is not sent again, by the one rule that is left for it."""
    simulation = Simulation()
    with simulation.installed():
        simulation.replay(trace, ())
    assert not simulation.found
    assert len(simulation.world.ours()) == len(trace.written)


def _record(name: str, report: Report, **more: float | str) -> None:
    kinds = Counter(problem.partition(":")[0] for failure in report.failures for problem in failure.problems)
    broken = {kind: kinds[kind] for kind in ("lost", "twice", "unexpected", "consent", "conservation", "order")}
    if report.seconds:
        more["per_core_second"] = round(report.crashes / report.seconds)
    record(name, crash_points=report.crashes, **broken, **more)


def test_each_broken_product_is_noticed() -> None:
    """With one guard taken away the same scenarios find the promise that it breaks, whichever guard it is."""
    caught = [control.name for control in CONTROLS if _notices(control)]
    record("controls", caught=f"{len(caught)}/{len(CONTROLS)}")
    assert caught == [control.name for control in CONTROLS]


def _notices(control: Control) -> bool:
    simulation = Simulation(control.schema)
    seeds = [chosen.seed for chosen in (*TABLE, *TRACES, *JOINED_AT_ONCE) if chosen.name.startswith(control.scenarios)]
    with simulation.installed(), pytest.MonkeyPatch.context() as patch:
        control.apply(patch)
        found = (problem for seed in seeds for failure in explore(simulation, seed) for problem in failure.problems)
        return any(re.match(control.because, problem) for problem in found)


# A suspect behind another answer of a parked channel was never claimed, and nothing else either.
SUSPECTS = [(900201, (24, 9)), (900266, (26, 16)), (900214, (4, 23, 12)), (900267, (27, 16, 12))]
# Of equal answers in doubt one sid came to two rows; or the verdict took one reading of whose they are for the only one.
EQUALS = [(1001754, (68,)), (1002442, (78,)), (1001482, (62, 12)), (1000133, (82, 3)), (1002567, (66, 26, 0))]
# A webhook came again to a restored box, for a message that the lost one had answered.
AGAIN = [(1003637, (50,)), (1003637, (52, 12))]
# A restored box gave up a job that the copy had as running, and apologised for what the lost one had answered.
GIVEN_UP: list[tuple[int, tuple[int, ...]]] = [(1000784, (50, 13, 37))]
# What the lost box had sent looked like a restored row's own in doubt, and its question was answered again.
LOST_BOX: list[tuple[int, tuple[int, ...]]] = [(9000827, (116,)), (9000559, (54,))]
# The laboratory's own: a webhook that was stored and never heard 200; a missed message with an earlier one's words.
MISJUDGED: list[tuple[int, tuple[int, ...]]] = [(9000546, (81, 2)), (20000697, (18,))]


@pytest.mark.parametrize(("seed", "crashes"), SUSPECTS + EQUALS + AGAIN + GIVEN_UP + LOST_BOX + MISJUDGED)
def test_what_once_failed(seed: int, crashes: tuple[int, ...]) -> None:
    """Seeds that found something, with their crashes."""
    simulation = Simulation()
    with simulation.installed():
        simulation.replay(scenario(seed), crashes)
    assert not simulation.found


@pytest.mark.parametrize("seed", [0, 40, 220, 1001, 1017])
def test_a_seed_replays(seed: int) -> None:
    """A run from the beginning ends with the same rows and the same ledger as the one that went on from a snapshot."""
    simulation = Simulation()
    with simulation.installed():
        snapshots = simulation.base(scenario(seed))
        for point in range(0, len(snapshots), 7):
            simulation.crash(snapshots[point])
            image, entries = simulation.database.image(), simulation.world.entries
            simulation.replay(scenario(seed), [point])
            assert (simulation.database.image(), simulation.world.entries) == (image, entries)


WIRE: dict[str, Response | Exception] = {
    "refused": Response(400, '{"code": 21211, "message": "no", "status": 400}'),
    "rate_limit": Response(429, '{"code": 20429, "message": "no", "status": 429}', {"Retry-After": "2"}),
    "daily_limit": Response(429, '{"code": 63038, "message": "no", "status": 429}'),
    "contact_limit": Response(429, '{"code": 63018, "message": "no", "status": 429}'),
    "no_connection": aiohttp.ConnectionTimeoutError(),
    "error": Response(500, "<html>"),
    "timeout": aiohttp.ServerTimeoutError(),
    "late": aiohttp.ServerTimeoutError(),
    "reset": aiohttp.ServerDisconnectedError(),
    "half_json": Response(201, '{"sid": "SM1", "sta'),
    "no_sid": Response(201, '{"sid": null, "status": "queued"}'),
    "bare_429": Response(429, "slow down"),
    "created": Response(201, '{"sid": "", "status": "queued"}'.replace('""', '"SM1"')),
}


@pytest.mark.parametrize("answer", RESULTS)
async def test_the_table_of_results_is_what_the_real_sender_says(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulation leaves Twilio's client out; what it would have made of each answer is asked here."""
    sender = TwilioSender(
        account_sid="AC" + "0" * 32, credentials=[("AC", "token")], api_url="http://x", status_url="http://y", timeout=1
    )

    async def request(*_args: object, **_options: object) -> Response:
        last_answer.set(None)
        said = WIRE[answer]
        if isinstance(said, Exception):
            raise said
        last_answer.set(said)
        return said

    monkeypatch.setattr(sender._http, "request", request)
    try:
        result = await sender.send(OutboundMessage("+1", "+2", "body", "1.1.x"))
    finally:
        await sender.close()
    expected = RESULTS[answer]
    assert (result.outcome, result.code, result.blame, result.retry_after, result.detail, result.trouble) == (
        expected.outcome,
        expected.code,
        expected.blame,
        expected.retry_after,
        expected.detail,
        expected.trouble,
    )
