"""What one model's server takes: how its parameters are called, how long prompt and answer may be.

It begins as configured. What the server refuses is learned and kept for as long as the process lives.
"""

import msgspec
import structlog

from appliance.ports import Dialogue
from appliance.responder import prompt
from appliance.responder.refusal import Refusal

_NAMES = ("max_tokens", "max_completion_tokens")

log = structlog.get_logger()


class Request(msgspec.Struct, omit_defaults=True):
    model: str
    messages: list[prompt.Message]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    reasoning_effort: str | None = None


class Dialect:
    """`room`: tokens that an answer may have, thoughts among them."""

    def __init__(
        self,
        model: str,
        max_output_tokens: int,
        context_tokens: int,
        reasoning_effort: str | None = None,
        *,
        is_openai: bool = False,
    ) -> None:
        """`is_openai`: its newer models refuse max_tokens; most other servers know no other name."""
        self._model = model
        self._budget = prompt.TokenBudget(max(context_tokens - max_output_tokens, context_tokens // 2))
        self._limit = _NAMES[is_openai]
        self._was_renamed = False
        self._effort = reasoning_effort
        self.room = max_output_tokens

    def request(self, dialogue: Dialogue, room: int) -> Request:
        request = Request(self._model, prompt.compose(dialogue, self._budget.room()), reasoning_effort=self._effort)
        setattr(request, self._limit, room)
        return request

    def counted(self, request: Request, tokens: float | None) -> None:
        """The server told how many tokens the prompt was."""
        self._budget.learn(request.messages, tokens)

    def adapt(self, refusal: Refusal, request: Request) -> bool:
        """Whether the next request is another one, so that asking again may help. A refusal costs nothing."""
        if refusal.is_about_context:
            if refusal.limit is not None:
                self.room = max(min(self.room, refusal.limit // 2), 1)
            limit = None if refusal.limit is None else refusal.limit - self.room
            log.info("the model's server takes shorter prompts", tokens=limit)
            return self._budget.shrink(request.messages, limit, refusal.counted)
        if request.reasoning_effort is not None and refusal.is_about("reasoning", "think"):
            log.warning("the model's server does not take ai.reasoning_effort as set; asked without it")
            self._effort = None
            return True
        sent = _NAMES[request.max_tokens is None]
        if not refusal.is_unknown(sent):
            return False
        if sent == self._limit and not self._was_renamed:
            self._limit, self._was_renamed = _NAMES[sent == _NAMES[0]], True
        return sent != self._limit
