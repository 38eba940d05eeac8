"""What a model makes of one message is that message's own: the next twenty customers are answered as ever."""

import asyncio
import random
import re
from pathlib import Path
from typing import Any

import pytest

from appliance.queue.circuit import AI, AI_LIMIT
from appliance.simulator.faults import Fault
from tests.support.contents import INTERNAL, SHAPES, Shape
from tests.support.fake_ai import FakeAi, completion, echo, questions
from tests.support.world import ManualClock, World

SORRY = "Desculpe, estou indisponível no momento. Sua mensagem foi recebida."
ODD = "Escreva os números de 1 a 1000"
OTHERS = 20
UNREPORTED = Fault("callback", "lost", times=None)  # reports of delivery are another theme, and most of the time
NAMES = sorted(SHAPES)
GROUPS = [NAMES[start::8] for start in range(8)]  # each in one world, one shape after the other
CONTROL = re.compile(
    r"<[|｜]|[|｜]>|</?think|\[/?THINK|\[/?INST|<(?:start|end)_of_turn|</?s>|^\s*\|", re.IGNORECASE | re.MULTILINE
)


class Crowd:
    """A world whose model has one shape for the odd customer's message, and repeats everybody else's."""

    def __init__(self, directory: Path) -> None:
        self.model = FakeAi()
        self.model.answer = self._answer
        self.shape: Any = None
        self.clock = ManualClock()
        self.world = World(directory, clock=self.clock, model=self.model, conversations={"max_replies_per_hour": 0})
        self._number = 10_000_000

    def _answer(self, asked: dict[str, Any]) -> Any:
        return self.shape if ODD in questions(asked) else echo(asked)

    def customer(self) -> str:
        self._number += 1
        return f"+55119{self._number}"

    async def one(self, shape: object) -> str:
        """The only text that the odd customer got."""
        self.shape, odd = shape, self.customer()
        await self.world.say(ODD, odd)
        await self.world.settle()
        while not self.world.sent(odd):  # were it the provider's fault, it would be asked for until the deadline
            await self.clock.advance(5, self.world.settle)
        (said,) = self.world.sent(odd)
        return said

    async def others(self) -> list[str]:
        """What the ordinary customers got, all at once."""
        crowd = [self.customer() for _ in range(OTHERS)]
        await asyncio.gather(*(self.world.say("Oi", customer) for customer in crowd))
        await self.world.settle()
        return [said for customer in crowd for said in self.world.sent(customer)]


async def harms_nobody(directory: Path, shapes: dict[str, Shape]) -> None:
    """Each shape, then twenty others; the calls that were paid for are counted."""
    crowd = Crowd(directory)
    async with crowd.world as world:
        world.twilio.faults.add(UNREPORTED)
        for name, shape in shapes.items():
            before = len(crowd.model.requests)

            said = await crowd.one(shape.answer)
            calls = len(crowd.model.requests) - before

            assert await crowd.others() == ["You asked: Oi"] * OTHERS, name
            assert (said, calls) == (shape.said or SORRY, shape.calls), name
            assert len(crowd.model.requests) - before == calls + OTHERS, name
        everything = [entry.body for entry in world.twilio.ledger if entry.direction == "outbound-api"]
        assert not [body for body in everything if INTERNAL in body or CONTROL.search(body)]
        circuits = world.appliance.engine.circuits
        assert [circuits.get(name)._failures for name in (AI, AI_LIMIT)] == [0, 0]
        failed = sum(shape.said is None for shape in shapes.values())
        assert await world.column("SELECT count(*) FROM message_queue WHERE status = 'dead'") == [failed]
        assert (await world.cards()).count("could_not_answer") == failed


def test_there_are_sixty() -> None:
    """Recorded ones among them, and every end."""
    assert len(SHAPES) >= 60
    assert sum(": " in name for name in SHAPES) >= 10
    assert {shape.calls for shape in SHAPES.values()} == {1, 2}


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: f"{names[0]} and {len(names) - 1} more")
async def test_no_shape_harms_anybody_else(tmp_path: Path, names: list[str]) -> None:
    """One customer's odd answer, then twenty real answers; at most two calls for it; nothing of the model inside."""
    await harms_nobody(tmp_path, {name: SHAPES[name] for name in names})


async def test_one_list_of_numbers_harms_nobody(tmp_path: Path) -> None:
    """One message whose answer is cut twice over, and nobody else hears the friendly text."""
    await harms_nobody(tmp_path, {"numbers": SHAPES["numbers to a thousand"]})


PIECES = (
    *(
        "Abrimos às 7h. ",
        "R$ 10,00 ",
        "palavra ",
        "\n",
        "\n\n",
        "😀",
        "é" * 90,
        "**",
        "__",
        "# ",
        "- ",
        "[a](http://b.c)",
    ),
    *("<|im_end|>", "<|im_start|>", "<|", "|>", "<｜end▁of▁sentence｜>", "<|channel|>final<|message|>", "<|eot_id|>"),
    *("<think>", "</think>", "<thinking>", "[THINK]", "[/THINK]", "[INST]", "[/INST]", "<s>", "</s>", "<end_of_turn>"),
    *("| a | b |\n", "|---|---|\n", "| ", "\x00", "\u202e", "\u200b", "<", ">", "|", "[[NO_REPLY]]", "user\n", "```\n"),
    *("<tool_call>", '{"name": "x", "arguments": {}}', "### Instruction:\n", "assistant\n", "x" * 1_700, "1, 2, 3, "),
)


async def is_nobody_left(world: World) -> bool:
    """Every message was answered, or apologised for."""
    return await world.column("SELECT count(*) FROM dispositions WHERE disposition IN ('live', 'dead')") == [0]


async def test_a_fuzz_of_2000_answers_sends_nothing_wrong(tmp_path: Path) -> None:
    """Whatever pieces an answer is made of: one text each, at most 1,600 characters, no control token in it."""
    dice = random.Random(7)
    model = FakeAi()

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        content = "".join(dice.choices(PIECES, k=dice.randint(0, 30)))
        return completion(content, finish_reason=dice.choice(["stop", "stop", "length"]))

    model.answer = answer
    async with World(tmp_path, model=model, queue={"concurrency": 64}) as world:
        world.twilio.faults.add(UNREPORTED)
        crowd = [f"+55119{number}" for number in range(10_000_000, 10_002_000)]
        for start in range(0, len(crowd), 100):
            await asyncio.gather(*(world.say("Oi", customer) for customer in crowd[start : start + 100]))
        await world.until(lambda: len(model.requests) >= len(crowd), 60)
        await world.until(lambda: is_nobody_left(world))  # some are asked for once more, a moment later
        await world.settle()

        said = [entry.body for entry in world.twilio.ledger if entry.direction == "outbound-api"]
        wrong = [
            body for body in said if len(body.encode("utf-16-le")) > 3_200 or CONTROL.search(body) or not body.strip()
        ]
        assert wrong == []
        assert len(model.requests) <= 2 * len(crowd)
        assert len(said) > len(crowd) // 2
        assert len(set(said)) > 200  # not all of them the friendly text
        assert await is_nobody_left(world)
