"""A model behind the OpenAI-compatible protocol: a hosted provider or a server in the same house.

Everything the server sends is hostile: its size, its time, its shape and its words are bounded here. Nothing of it,
nor of the request, gets into an error's reason, and no error is chained to aiohttp's, whose text holds headers.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec

from appliance.ports import Dialogue, Permanent, Reply, Retryable
from appliance.responder import prompt

MAX_BODY = 256 * 1024  # bytes, after decompression
MAX_RETRY_AFTER = 3_600.0  # seconds
_CONNECT = 10.0  # seconds for name, TCP and TLS together
_RETRYABLE = frozenset({408, 409, 425, 429})
_KNOWN_TYPES = frozenset({"application/json", "text/html", "text/plain", "text/event-stream", "application/xml"})


class _Request(msgspec.Struct, omit_defaults=True):
    model: str
    messages: list[prompt.Message]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Answer(msgspec.Struct):
    content: str | list[_Part] | None = None
    refusal: str | None = None

    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content if part.type == "text")
        return self.content or ""


class _Choice(msgspec.Struct):
    message: _Answer
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: float | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_completion = msgspec.json.Decoder(_Completion)


class Llm:
    """Responder that asks a model. One pooled session, opened at the first call."""

    def __init__(
        self, base_url: str, api_key: str | None, model: str, max_output_tokens: int, context_tokens: int = 6_000
    ) -> None:
        """`base_url` is what `/chat/completions` hangs below; `context_tokens` bounds the prompt, not the answer."""
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "appliance"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._model = model
        self._max_output_tokens = max_output_tokens
        self._budget = prompt.TokenBudget(context_tokens)
        self._session: aiohttp.ClientSession | None = None

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        """Ask once, within `timeout` seconds in all. Raises Retryable or Permanent."""
        messages = prompt.compose(dialogue, self._budget.room())
        completion = await self._ask(self._request(messages), timeout)
        if completion.usage is not None:
            self._budget.learn(messages, completion.usage.prompt_tokens)
        if not completion.choices:
            raise Retryable("an error in place of an answer" if completion.error else "an answer without choices")
        choice = completion.choices[0]
        # The same words would be refused again, and each try is paid for.
        if choice.finish_reason == "content_filter":
            raise Permanent("the provider's filter withheld the answer")
        if choice.message.refusal:
            raise Permanent("the model refused to answer")
        return prompt.read(choice.message.text(), self._model, is_cut=choice.finish_reason == "length")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _request(self, messages: list[prompt.Message]) -> _Request:
        # OpenAI's newer models refuse max_tokens; most other servers know no other name.
        if self._url.startswith("https://api.openai.com/"):
            return _Request(self._model, messages, max_completion_tokens=self._max_output_tokens)
        return _Request(self._model, messages, max_tokens=self._max_output_tokens)

    async def _ask(self, request: _Request, timeout: float) -> _Completion:
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(msgspec.json.encode(request), timeout)
        # These two first: they are subclasses of what follows.
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Retryable(f"no connection ({type(error).__name__})", unreachable=True) from None
        except TimeoutError:
            raise Retryable(f"no answer within {timeout:g} s", unreachable=True) from None
        except (ValueError, aiohttp.NonHttpUrlClientError):  # among them InvalidURL, IDNA errors, a newline in the key
            raise Permanent("ai.base_url or ai.api_key is not usable") from None
        except aiohttp.ClientError as error:
            raise Retryable(f"the connection broke ({type(error).__name__})", unreachable=True) from None

    async def _exchange(self, body: bytes, timeout: float) -> _Completion:
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
            status = response.status
            if status >= 500 or status in _RETRYABLE:
                raise Retryable(f"HTTP {status}", retry_after=_retry_after(status, response.headers))
            if not 200 <= status < 300:
                raise Permanent(f"HTTP {status}")
            answer = bytearray()
            async for chunk in response.content.iter_any():
                answer += chunk
                if len(answer) > MAX_BODY:
                    raise Retryable("answer too large")
            return _decode(bytes(answer), response.content_type)
        finally:
            response.close()  # a fully read answer has already given its connection back to the pool


def _retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to be left alone (RFC 9110, 10.2.3). A 429 always asks, if only for a second."""
    if status not in {429, 503}:
        return None
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        wanted = float(value)
    elif (until := _timestamp(value)) is not None:
        sent = _timestamp(headers.get("Date", ""))  # the server's own clock: ours may be wrong
        wanted = until - (time.time() if sent is None else sent)
    else:
        return 1.0 if status == 429 else None
    return min(max(wanted, 1.0), MAX_RETRY_AFTER)


def _timestamp(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None


def _decode(body: bytes, content_type: str) -> _Completion:
    named = content_type if content_type in _KNOWN_TYPES else "another type"
    if not body.strip():
        raise Retryable("the body was empty")
    try:
        return _completion.decode(body)
    except msgspec.ValidationError:
        raise Retryable("answer was JSON of another shape") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Retryable(f"answer was not JSON ({named})") from None
