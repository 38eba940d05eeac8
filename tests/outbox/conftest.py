"""Fixtures of the tests of doubt."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.outbox.scene import unheard
from tests.support.world import World


@pytest.fixture
async def doubtful(tmp_path: Path) -> AsyncIterator[World]:
    async with unheard(tmp_path) as world:
        yield world
