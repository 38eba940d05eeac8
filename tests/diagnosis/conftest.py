"""Fixtures of this room's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.diagnosis.scene import Checks, plain, well
from tests.support.world import World


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from plain(monkeypatch)


@pytest.fixture
async def checks(world: World, tmp_path: Path) -> Checks:
    """Beside an appliance that runs and is well."""
    await well(world)
    return Checks(world, tmp_path / "config.toml")
