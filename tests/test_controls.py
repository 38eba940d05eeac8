"""Every reliability scenario fails on a build that is broken on purpose."""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import SystemClock
from appliance.store import Store
from tests.lab.figures import kept, record
from tests.outbox import scene
from tests.support.controls import CONTROLS, Control
from tests.support.world import World

__all__ = ["kept"]  # pytest finds the fixture here


@pytest.fixture(scope="module")
def tried() -> list[str]:
    """The names of the controls that were tried so far."""
    return []


@pytest.fixture(scope="module")
def caught() -> list[str]:
    """The names of the controls that were caught so far."""
    return []


@asynccontextmanager
async def fixtures(control: Control, directory: Path) -> AsyncIterator[dict[str, Any]]:
    """What the scenario asks for by name, made on the broken build."""
    wanted = inspect.signature(control.scenario).parameters
    if "world" in wanted:
        kind: type[World] = wanted["world"].annotation
        async with kind(directory) as world:
            yield {"world": world}
    elif "store" in wanted:
        store = await Store.open(directory, SystemClock())
        try:
            yield {"store": store}
        finally:
            await store.close()
    elif unheard := {"doubtful", "quiet"} & wanted.keys():
        async with scene.unheard(directory) as world:
            yield dict.fromkeys(unheard, world)
    else:
        yield {"tmp_path": directory}


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
async def test_a_broken_build_is_caught(
    control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: list[str], caught: list[str]
) -> None:
    """The scenario that passes on the product raises AssertionError under the control, for its reason."""
    tried.append(control.name)
    control.apply(monkeypatch)

    async with fixtures(control, tmp_path) as given:
        with pytest.raises(AssertionError, match=control.because):
            await control.scenario(**given, **control.arguments)

    caught.append(control.name)


def test_all_that_were_tried_were_caught(
    tried: list[str], caught: list[str], record_property: Callable[[str, object], None]
) -> None:
    """The last test here: how many there are is told at the end of the run, and goes to the laboratory's page."""
    record_property("told", f"controls caught: {len(caught)}/{len(CONTROLS)}")
    record("controls of the tests", caught=f"{len(caught)}/{len(CONTROLS)}")

    assert caught == tried
