"""A model behind the OpenAI-compatible protocol: a hosted provider or a server in the same house.

Everything the server sends is hostile: its size, its time, its shape and its words are bounded here. Nothing of the
request, of an answer or of a secret gets into an error's reason, and no error is chained to aiohttp's, whose text holds
headers. What the owner must act on is told in the server's own words (`refusal`).
"""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from appliance.links.trouble import trouble_of
from appliance.model import Organization
from appliance.ports import Dialogue, Permanent, Reply, ResponderError, Retryable, Trial
from appliance.responder import screening
from appliance.responder.dialect import Dialect, Request
from appliance.responder.refusal import Refusal, refusal, retry_after, told
from appliance.responder.screening import Flaw
from appliance.texts import MAX_LENGTH
from appliance.wire import Fault, Trouble

MAX_BODY = 256 * 1024  # bytes, after decompression
MORE = 4  # times ai.max_output_tokens, at most, for the second try: thoughts are ten times as long as an answer
MAX_TOKENS = 10_000_000  # of one call; what a server counts beyond is nonsense
DIALECTS = 6  # ways to ask until one is taken
HELLO = Dialogue(Organization(0, "a shop", "en", "UTC"), ("Hello",))
TINY = 16  # tokens that suffice to see that it answers
Tokens = tuple[int, int]  # in, out
_CONNECT = 10.0  # seconds for name, TCP and TLS together
_WORDS = 2.0  # seconds that an error's words may take to arrive
_CUT = frozenset({"length", "max_tokens", "model_length", "max_output_tokens"})
_KNOWN_TYPES = frozenset({"application/json", "text/html", "text/plain", "text/event-stream", "application/xml"})


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Answer(msgspec.Struct):
    content: str | list[_Part] | None = None
    refusal: str | None = None
    tool_calls: Any = None
    # Thoughts, told apart by the server; never read for words.
    reasoning_content: Any = None
    reasoning: Any = None

    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content if part.type == "text")
        return self.content or ""

    def why_empty(self) -> str:
        if self.tool_calls:
            return "a tool call in place of an answer"
        return "thoughts without an answer" if self.reasoning_content or self.reasoning else "the answer was empty"


class _Choice(msgspec.Struct):
    message: _Answer = msgspec.field(default_factory=_Answer)
    finish_reason: str | None = None
    error: Any = None


class _Usage(msgspec.Struct):
    prompt_tokens: float | None = None
    completion_tokens: Any = None

    def counted(self) -> Tokens | None:
        """In and out, where the server counts both, in numbers that can be."""
        counts = (self.prompt_tokens, self.completion_tokens)
        found = [int(each) for each in counts if isinstance(each, int | float) and 0 <= each <= MAX_TOKENS]
        return (found[0], found[1]) if len(found) == len(counts) else None


class _Completion(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_completion = msgspec.json.Decoder(_Completion)


class Llm:
    """Responder that asks a model. One pooled session, opened at the first call."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        model: str,
        max_output_tokens: int,
        context_tokens: int = 6_000,
        reasoning_effort: str | None = None,
        heard: Callable[[str, Tokens | None], None] = lambda _outcome, _tokens: None,
    ) -> None:
        """`base_url` is what `/chat/completions` hangs below; `context_tokens` are prompt and answer together. `heard`:
        of each request what came back, and what the server counted.
        """
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "appliance"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._api_key = api_key or ""
        self._model = model
        self._heard = heard
        self._most = max_output_tokens * MORE
        is_openai = self._url.startswith("https://api.openai.com/")
        self._dialect = Dialect(model, max_output_tokens, context_tokens, reasoning_effort, is_openai=is_openai)
        self._session: aiohttp.ClientSession | None = None

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        """Ask, and once more where the answer cannot be sent, within `timeout` seconds in all.

        Raises Retryable or Permanent. An answer that cannot be sent is the message's own fault: then what of it can,
        else Permanent.
        """
        spent: list[Tokens] = []
        reply = await self._best(dialogue, timeout, spent)
        return replace(
            reply, tokens=(sum(each[0] for each in spent), sum(each[1] for each in spent)) if spent else None
        )

    async def _best(self, dialogue: Dialogue, timeout: float, spent: list[Tokens]) -> Reply:
        until = time.monotonic() + timeout
        room = self._dialect.room
        first = await self._try(dialogue, room, until, spent)
        if isinstance(first, Reply):
            return first
        fits, reason, left = first.fits, first.reason, until - time.monotonic()
        is_full = fits is not None and len(fits.text) >= MAX_LENGTH
        if left >= timeout / 2 and not is_full:  # else more would not come in time, or not be sent
            most = max(self._most, room)
            more = most if first.is_wordless else min(room * 2, most) if first.is_cut else room
            # Whatever becomes of it is no news of the provider: it may just have been too long for what was left.
            with suppress(ResponderError):
                second = await self._try(dialogue, more, until, spent)
                if isinstance(second, Reply):
                    if first.is_wordless:  # thoughts ate the room, and would for the next one too
                        self._dialect.room = more
                    return second
                fits, reason = second.fits or fits, second.reason
        if fits is None:
            raise Permanent(reason)
        return fits

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _try(self, dialogue: Dialogue, room: int, until: float, spent: list[Tokens]) -> Reply | Flaw:
        request, completion = await self._answered(dialogue, room, until)
        if tokens := (completion.usage or _Usage()).counted():
            spent.append(tokens)
        return self._read(request, completion)

    async def trial(self, timeout: float) -> Trial:
        """Implements ports.Model. What it says does not matter; one that thinks may have no room to say it."""
        began = time.monotonic()
        until = began + timeout
        try:
            _, completion = await self._answered(HELLO, TINY, until)
        except Permanent as error:
            if error.for_all:
                raise
            _, completion = await self._answered(HELLO, self._dialect.room, until)  # some refuse so little room
        _choice(completion)
        usage = completion.usage or _Usage()
        counts = (usage.prompt_tokens, usage.completion_tokens)
        whole = (int(each) if isinstance(each, int | float) and math.isfinite(each) else None for each in counts)
        return Trial(self._model, time.monotonic() - began, *whole)

    async def _answered(self, dialogue: Dialogue, room: int, until: float) -> tuple[Request, _Completion]:
        """Asked in a dialect that the server takes; what it refuses is not paid for."""
        for _ in range(DIALECTS):
            request = self._dialect.request(dialogue, room)
            try:
                answer = await self._ask(request, max(until - time.monotonic(), 0.0))
            except ResponderError as error:
                is_unreachable = isinstance(error, Retryable) and error.unreachable
                self._heard("unreachable" if is_unreachable else "unusable", None)
                raise
            if isinstance(answer, _Completion):
                self._heard("answered", (answer.usage or _Usage()).counted())
                return request, answer
            self._heard("limited" if answer.status == HTTPStatus.TOO_MANY_REQUESTS else "refused", None)
            # What a server repeats of a customer's words must teach nothing about the server.
            said = [line for message in request.messages[1:] for line in message.content.split("\n")]
            answer = answer.without(said)
            if not self._dialect.adapt(answer, request):
                break
            room = min(room, self._dialect.room)
        raise answer.error([self._api_key])

    def _read(self, request: Request, completion: _Completion) -> Reply | Flaw:
        if completion.usage is not None:
            self._dialect.counted(request, completion.usage.prompt_tokens)
        choice = _choice(completion)
        finish = (choice.finish_reason or "").lower()
        # The same words would be refused again, and each try is paid for.
        if finish.startswith("content_filter"):
            raise Permanent("the provider's filter withheld the answer")
        if choice.message.refusal:
            raise Permanent("the model refused to answer")
        answer = choice.message
        return screening.read(answer.text(), self._model, is_cut=finish in _CUT, empty=answer.why_empty())

    async def _ask(self, request: Request, timeout: float) -> _Completion | Refusal:
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(msgspec.json.encode(request), timeout)
        # These two first: they are subclasses of what follows.
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise _unreachable(error) from None
        except TimeoutError:
            late = Trouble(Fault.TIMEOUT, f"{timeout:.3g} s")
            raise Retryable(str(late), unreachable=True, trouble=late) from None
        except (ValueError, aiohttp.NonHttpUrlClientError):  # among them InvalidURL, IDNA errors, a newline in the key
            raise Permanent("ai.base_url or ai.api_key is not usable", for_all=True) from None
        except aiohttp.ClientError as error:
            raise _unreachable(error) from None

    async def _exchange(self, body: bytes, timeout: float) -> _Completion | Refusal:
        if self._session is None:
            # The workers bound concurrency; a call that waited for a free connection would look unreachable.
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        # Half the budget, so that an unreachable server is told from a slow one before the time is up.
        limits = aiohttp.ClientTimeout(total=None, connect=min(_CONNECT, timeout / 2))
        response = await self._session.post(
            self._url, data=body, headers=self._headers, timeout=limits, allow_redirects=False
        )
        try:
            if not 200 <= response.status < 300:
                words = b""
                with suppress(TimeoutError, aiohttp.ClientError, Retryable):  # the status says enough
                    async with asyncio.timeout(min(_WORDS, timeout / 2)):
                        words = await _body(response)
                return refusal(response.status, words, retry_after(response.status, response.headers))
            completion = _decode(await _body(response), response.content_type)
            if completion.error and not completion.choices:
                return told(response.status, {"error": completion.error})
            return completion
        finally:
            response.close()  # a fully read answer has already given its connection back to the pool


def _choice(completion: _Completion) -> _Choice:
    if completion.choices is None:
        raise Retryable("an answer without choices", is_paid=True)
    choice = completion.choices[0] if completion.choices else _Choice()
    if choice.error or (choice.finish_reason or "").lower() == "error":
        raise Retryable("an error in place of an answer", is_paid=True)
    return choice


def _unreachable(error: aiohttp.ClientError) -> Retryable:
    found = trouble_of(error) or Trouble(Fault.BROKEN, type(error).__name__)
    return Retryable(str(found), unreachable=True, trouble=found)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    answer = bytearray()
    async for chunk in response.content.iter_any():
        answer += chunk
        if len(answer) > MAX_BODY:
            raise Retryable("the answer was too large", is_paid=True)
    return bytes(answer)


def _decode(body: bytes, content_type: str) -> _Completion:
    named = content_type if content_type in _KNOWN_TYPES else "another type"
    if not body.strip():
        raise Retryable("the answer was empty")
    try:
        return _completion.decode(body)
    except msgspec.ValidationError:
        raise Retryable("the answer was JSON of another shape", is_paid=True) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Retryable(f"the answer was not JSON ({named})") from None
