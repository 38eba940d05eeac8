"""The two shops in which people are forgotten: one in real time, one whose time is moved by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.privacy.scene import open_clockwork, open_shop
from tests.support.world import World


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[World]:
    async with open_shop(tmp_path) as world:
        yield world


@pytest.fixture
async def clockwork(tmp_path: Path) -> AsyncIterator[World]:
    async with open_clockwork(tmp_path) as world:
        yield world
