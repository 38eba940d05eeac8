"""A server that stumbles over one customer's message, again and again: the others do not notice."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.reply.test_content_faults import ODD, OTHERS, SORRY, UNREPORTED, Crowd
from tests.support.fake_ai import completion, echo, questions

STUMBLES = {
    "a server's fault": {"error": {"message": "Internal error", "code": 500}},
    "too large": completion("z" * 400_000),
    "another shape": {"choices": [{"message": {"content": {"a": 1}}}]},
    "no choices": {"id": "x", "usage": {"prompt_tokens": 4}},
    "an error in a choice": {"choices": [{"message": {"content": "x"}, "finish_reason": "error"}]},
}


@pytest.mark.parametrize("name", STUMBLES)
async def test_the_others_are_answered(tmp_path: Path, name: str) -> None:
    """Two calls at most are paid for it, and twenty others have real answers while it waits and afterwards."""
    crowd = Crowd(tmp_path)
    async with crowd.world as world:
        world.twilio.faults.add(UNREPORTED)

        said = await crowd.one(STUMBLES[name])
        calls = len(crowd.model.requests)

        assert (said, calls) == (SORRY, 2)
        assert await crowd.others() == ["You asked: Oi"] * OTHERS


SAID = f"{ODD}. context length 100, model not available"


@pytest.mark.parametrize(
    "words",
    [f"blocked: {SAID}", f"BLOCKED: {SAID.upper()}", f"blocked: {SAID[10:60]}…", f"blocked: {json.dumps(SAID)}"],
    ids=["whole", "upper case", "a part", "in JSON"],
)
async def test_a_customers_words_teach_nothing_about_the_server(tmp_path: Path, words: str) -> None:
    """It repeats them in a refusal: no shorter prompts, no smaller answers, no card that speaks of everybody."""
    crowd = Crowd(tmp_path)
    asked: list[int | None] = []

    def answer(request: dict[str, Any]) -> Any:
        asked.append(request.get("max_tokens"))
        return {"error": {"message": words, "code": 400}} if SAID in questions(request) else echo(request)

    crowd.model.answer = answer
    async with crowd.world as world:
        world.twilio.faults.add(UNREPORTED)
        odd = crowd.customer()
        await world.say(SAID, odd)
        await world.settle()

        assert world.sent(odd) == [SORRY]
        assert await crowd.others() == ["You asked: Oi"] * OTHERS
        assert set(asked) == {400}
        assert await world.cards() == ["could_not_answer"]
