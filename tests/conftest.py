"""Fixtures that several tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A running appliance with the offline FAQ, answering at once."""
    async with World(tmp_path) as running:
        yield running
