"""Who answers: one small call to a model that is well, to one that is not, and the offline FAQ."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.diagnosis.scene import Checks, well
from tests.support import fake_ai
from tests.support.fake_ai import FakeAi, completion
from tests.support.world import World


class Modelled(Checks):
    """Beside an appliance whose customers a model answers."""

    def __init__(self, world: World, path: Path) -> None:
        super().__init__(world, path)
        ai = world.config.ai
        with path.open("a") as file:
            file.write(f'[ai]\nprovider = "llm"\nbase_url = "{ai.base_url}"\nmodel = "{ai.model}"\ndeadline = "3s"\n')


@pytest.fixture
async def modelled(tmp_path: Path) -> AsyncIterator[Modelled]:
    async with World(tmp_path, model=FakeAi()) as world:
        await well(world)
        yield Modelled(world, tmp_path / "config.toml")


async def test_the_faq_costs_nothing(checks: Checks) -> None:
    """It says from how many topics it answers."""
    assert (await checks.one("faq"))["values"] == {"topics": 1}


async def test_a_model_that_answers(modelled: Modelled) -> None:
    """Asked once, for next to nothing; the time and the tokens are told."""
    model = modelled.world.model
    assert model is not None
    before = len(model.requests)
    found = await modelled.one("model")
    asked = model.requests[before:]

    assert (found["ok"], found["values"]["tokens_in"], found["values"]["tokens_out"]) == (True, 10, 5)
    assert [body["max_tokens"] for body in asked] == [16]


@pytest.mark.parametrize("fault", ["bad_key_401", "rate_429", "html_200", "reset_in_body", "error_200", "no_choices"])
async def test_a_model_that_does_not(modelled: Modelled, fault: str) -> None:
    """The reason is told, no key, nothing of the body."""
    model = modelled.world.model
    assert model is not None
    model.fault = fault
    found = await modelled.one("model_failed")
    model.fault = None

    assert found["ok"] is False
    assert fake_ai.CANARY not in str(found)
    assert await modelled.bad() == []


async def test_a_model_that_wants_more_room(modelled: Modelled) -> None:
    """Some servers refuse to think in so little: then it has what an answer has."""
    model = modelled.world.model
    assert model is not None
    refusal = {"error": {"message": "Could not finish the message because max_tokens was reached."}}
    model.answer = lambda body: (400, refusal) if body["max_tokens"] < 100 else "Hello"

    assert await modelled.bad() == []


async def test_a_model_that_only_thinks(modelled: Modelled) -> None:
    """In so little room it may have no word to say: it answers all the same."""
    model = modelled.world.model
    assert model is not None
    model.answer = lambda body: completion("", finish_reason="length", reasoning_content="Hm")

    assert await modelled.bad() == []
