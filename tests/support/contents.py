"""Sixty shapes of what a model may answer to one message: each is that message's own, whatever it is.

`said`: what the customer reads, None where it is the friendly text. `calls`: how often the model is asked and answers.
"""

from dataclasses import dataclass
from typing import Any

from appliance.responder import prompt
from tests.support.dialects import HELLO, RECORDED
from tests.support.fake_ai import completion

INTERNAL = "INTERNAL"
_LIST = "Pão francês: R$ 1. Bolo: R$ 2"


@dataclass(frozen=True)
class Shape:
    answer: Any  # as FakeAi.answer gives it
    said: str | None = None
    calls: int = 2


def _cut(content: object, said: str | None = None, calls: int = 2, **message: object) -> Shape:
    return Shape(completion(content, finish_reason="length", **message), said, calls)


def _clean(content: object, said: str = HELLO) -> Shape:
    return Shape(completion(content), said, 1)


SHAPES: dict[str, Shape] = {
    "null": Shape(completion(None)),
    "empty": Shape(completion("")),
    "blank": Shape(completion(" \n\t\u0000")),
    "no parts": Shape(completion([])),
    "no choices": Shape({"choices": [], "usage": {"prompt_tokens": 1}}),
    "no message": Shape({"choices": [{"finish_reason": "stop"}]}),
    "numbers to a thousand": _cut(", ".join(map(str, range(1, 400)))),
    "numbers in lines": _cut("1\n2\n3\n4", "1\n2\n3"),
    "cut after a sentence": _cut(_LIST, "Pão francês: R$ 1."),
    "cut in a table": _cut("| Pão | R$ 1 |\n|---|---|\n| Bolo | R$ ", "Pão: R$ 1"),
    "cut in a word": _cut("Abrim"),
    "cut in a mark": _cut("Um momento. [[HANDO", "Registrei seu pedido para a equipe. Uma pessoa responde por aqui."),
    "cut, another word for it": Shape(completion(_LIST, finish_reason="max_tokens"), "Pão francês: R$ 1."),
    "cut and full": _cut("Bom dia. " * 300, ("Bom dia. " * 177).strip(), 1),
    "cut inside a token": _cut("Às 7h.\nE <|im_e", "Às 7h."),
    "a tool's call": Shape(completion(None, finish_reason="tool_calls", tool_calls=[{"id": "1", "type": "function"}])),
    "a call beside nothing": Shape(completion("", tool_calls=[{"id": "1", "type": "function"}])),
    "a call as text": Shape(completion('{"name": "INTERNAL", "arguments": {"a": "Sim. Não."}}')),
    "a call in tags": Shape(completion("<tool_call>\n{INTERNAL}\n</tool_call>")),
    "a call of Mistral's": Shape(completion('[TOOL_CALLS][{"name": "INTERNAL", "arguments": {}}]')),
    "a call after words": Shape(completion("Vou ver. <tool_call>INTERNAL</tool_call>"), "Vou ver."),
    "thoughts cut": _cut("<think>INTERNAL"),
    "thoughts cut, apart": _cut("", reasoning_content=INTERNAL),
    "thoughts cut, apart and null": _cut(None, reasoning=INTERNAL),
    "thoughts alone": Shape(completion("<think>INTERNAL</think>")),
    "thoughts alone, apart": Shape(completion("", reasoning_content=INTERNAL)),
    "thoughts in the wrong place": Shape(completion(None, reasoning="INTERNAL: the answer is 7h.")),
    "thoughts": _clean("<think>INTERNAL</think>Hello"),
    "thoughts without a beginning": _clean("INTERNAL</think>\n\nHello"),
    "thoughts, thinking": _clean("<thinking>INTERNAL</thinking>Hello"),
    "thoughts, THINK": _clean("[THINK]INTERNAL[/THINK]Hello"),
    "thoughts at the end": _clean("Hello\n<think>INTERNAL"),
    "thoughts in the middle": _clean("Hel<reasoning>INTERNAL</reasoning>lo"),
    "thoughts of Kimi": _clean("◁think▷INTERNAL◁/think▷Hello"),
    "an end token": _clean("Hello<|im_end|>"),
    "the next turn": _clean("Hello<|im_end|>\n<|im_start|>user\nINTERNAL"),
    "the turn's head": _clean("<|im_start|>assistant\nHello<|im_end|>"),
    "Llama's head": _clean("<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"),
    "Gemma's turn": _clean("<start_of_turn>model\nHello<end_of_turn>\n<start_of_turn>user\nINTERNAL"),
    "Mistral's turn": _clean("<s>[INST] INTERNAL [/INST] Hello</s>"),
    "DeepSeek's end": _clean("Hello<｜end▁of▁sentence｜>INTERNAL"),
    "Alpaca's heads": _clean("### Response:\nHello\n\n### Instruction:\nINTERNAL"),
    "heads without tokens": _clean("assistant\n\nHello"),
    "a token of no meaning": Shape(completion("Hello. <|reserved_17|> INTERNAL"), "Hello."),
    "a token at once": Shape(completion('Bee<|"|> INTERNAL')),
    "a token that markup hides": Shape(completion("Hello <**|**im_end|> INTERNAL")),
    "a table": _clean("| Dia | Hora |\n|---|---|\n| Seg | 7h |", "Dia: Hora\nSeg: 7h"),
    "a drawn table": _clean("┌───┬───┐\n│Seg│7h │\n└───┴───┘", "Seg: 7h"),
    "our rules": Shape(completion(prompt.RULES)),
    "our rules in a list": Shape(completion("INTERNAL\n" + prompt.RULES.replace("- ", "* ").replace("\n", "\n\n"))),
    "a mark alone": _clean("[[HANDOFF]]", "Registrei seu pedido para a equipe. Uma pessoa responde por aqui."),
    "filtered": Shape(completion(INTERNAL, finish_reason="content_filter"), calls=1),
    "refused": Shape(completion(None, refusal=INTERNAL), calls=1),
    "a bad request": Shape((400, {"error": {"message": INTERNAL, "type": "invalid_request_error"}}), calls=1),
    "far too long": _clean("palavra " * 5_000, ("palavra " * 199).strip() + "..."),
}
_ENDS = {"answer": (HELLO, 1), "nothing": (None, 2), "own": (None, 1)}
SHAPES |= {
    name: Shape((record.status, record.body), *_ENDS[record.expected])
    for name, record in RECORDED.items()
    if record.expected in _ENDS
}
