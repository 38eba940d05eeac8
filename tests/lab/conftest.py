"""How long each test of the laboratory takes goes with its figures."""

import pytest

from lab import figures


def pytest_runtest_setup(item: pytest.Item) -> None:
    figures.begin(item.nodeid)
