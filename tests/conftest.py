"""Fixtures that several tests share, who runs which tests, and what a skipped test means."""

import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support import shifts
from tests.support.world import World

settings.register_profile("unhurried", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("unhurried")
PACKAGES = Path(__file__).parents[1] / ".ci" / "packages"  # of Debian, that the full suite wants


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A running appliance with the offline FAQ, answering at once."""
    async with World(tmp_path) as running:
        yield running


class Shifts(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Each worker takes the next shift; by itself xdist would begin with the files that have most tests."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return shifts.shift(nodeid)


@pytest.hookimpl(optionalhook=True)  # as with `-p no:xdist`
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shifts:
    return Shifts(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Side by side the longest shifts come first; one after the other it would only hide where one is."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: shifts.rank(item.nodeid))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With FAIL_ON_SKIP a run with a skipped test has failed."""
    if os.environ.get("FAIL_ON_SKIP") and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What tests told, wherever they ran; and what the skipped ones would have needed."""
    for report in terminalreporter.stats.get("passed", []):
        for name, words in report.user_properties:
            if name == "told":
                terminalreporter.write_line(str(words))
    if not _skipped(config):
        return
    if missing := [name for name in PACKAGES.read_text().split() if not _installed(name)]:
        terminalreporter.write_line(f"For the skipped tests: sudo apt install -y {' '.join(missing)}")
    if os.environ.get("FAIL_ON_SKIP"):
        terminalreporter.write_line("Skipped tests count as failed here (FAIL_ON_SKIP).", red=True)


def _skipped(config: pytest.Config) -> bool:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return bool(reporter and reporter.stats.get("skipped"))


def _installed(package: str) -> bool:
    """Elsewhere than on Debian nothing is known, and nothing to be said."""
    try:
        done = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Status}", package], check=False, capture_output=True
        )
    except FileNotFoundError:
        return True
    return done.stdout.endswith(b" installed")
