"""The world that all tests of the simulator start in."""

from collections.abc import AsyncIterator

import pytest

from tests.simulator.simulated_world import World, simulated_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with simulated_world() as world:
        yield world
