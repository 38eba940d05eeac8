"""Two accounts in one box, one of which is hurt, in virtual time and with crashes: nothing lost, doubled or crossed.

`LAB_ACCOUNTS=50000 pytest tests/lab/test_accounts.py` is the long form.
"""

import os

import pytest

from appliance.store.organizations import Channels
from tests.lab.figures import record
from tests.lab.simulation.campaign import run_on
from tests.lab.simulation.scenario import ACCOUNT_DAYS, ACCOUNTS, scenario
from tests.lab.simulation.simulation import Simulation

PROCESSES = 2
POINTS = int(os.environ.get("LAB_ACCOUNTS", "1000"))
DAYS = max(POINTS // 2_000, 4)  # each has one crash


def test_a_crash_anywhere_with_two_accounts() -> None:
    """Whatever befalls one account and wherever the process dies; a restored copy is compared with each account's log."""
    report = run_on(PROCESSES, range(ACCOUNTS, ACCOUNT_DAYS), POINTS)
    record("two accounts", crash_points=report.crashes, seeds_from=ACCOUNTS, failures=len(report.failures))
    assert not report.failures, "\n".join(map(str, report.failures[:10]))
    assert report.crashes >= POINTS


def test_days_with_two_accounts() -> None:
    """A hundred messages a day, an incident at one of the accounts, and one crash."""
    report = run_on(PROCESSES, range(ACCOUNT_DAYS, ACCOUNT_DAYS + DAYS))
    record("days with two accounts", days=DAYS, failures=len(report.failures), **report.doubts.figures())
    assert not report.failures, "\n".join(map(str, report.failures[:10]))


def test_accounts_that_are_mixed_up_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel found by its address alone: what one account's customers write is taken for the other's."""
    monkeypatch.setattr(Channels, "at", lambda self, _account, address: self.with_address(address)[0])
    simulation = Simulation()
    with simulation.installed():
        simulation.replay(scenario(ACCOUNT_DAYS), ())

    assert any(problem.startswith("crossing") for problem in simulation.found), simulation.found
