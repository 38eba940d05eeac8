"""A server that speaks the OpenAI-compatible protocol on loopback and can fail in every way we know of.

In a test: `fake = FakeAi(); server = await aiohttp_server(fake.app)`, base URL `str(server.make_url("/v1"))`.
As a process: `python tests/fake_ai.py --port 9000`; `GET /control` shows what it saw, `POST /control` with
`{"fault": name | null, "delay": seconds, "answer": text | null}` steers it.
"""

import argparse
import asyncio
import gzip
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

Expected = Literal["permanent", "retryable", "unreachable", "parked", "content", "for_all"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CANARY = "body-canary-7f3a"  # in every faulty body: must never be in an error's reason
WORDS = "words for the owner"  # in every error's message: on a card where the owner must act, and nowhere else
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True)
class Fault:
    """How the server fails, and what a caller should make of it. Without a handler the fault is in the address."""

    expected: Expected
    handler: Handler | None = None


def completion(
    content: object, *, finish_reason: str = "stop", prompt_tokens: object = 10, **message: object
) -> dict[str, Any]:
    """The protocol's answer around what the model said."""
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "model": "fake",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, **message},
                "finish_reason": finish_reason,
            }
        ],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": 5, "total_tokens": 15},
    }


def questions(body: dict[str, Any]) -> list[str]:
    """The user turns after the assistant's last one: what this reply must answer."""
    found: list[str] = []
    for message in body["messages"]:
        found = [*found, *message["content"].split("\n")] if message["role"] == "user" else []
    return found


def echo(body: dict[str, Any]) -> str:
    """The default answer: every question it saw."""
    return "You asked: " + " | ".join(questions(body))


def status(code: int, **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": WORDS, "type": CANARY}}, status=code, headers=named)

    return handler


def body(content: bytes, content_type: str = "application/json", charset: str | None = None, **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Content-Type"] = content_type if charset is None else f"{content_type}; charset={charset}"
        return web.Response(body=content, headers=named)

    return handler


def says(content: object, **options: Any) -> Handler:
    return body(json.dumps(completion(content, **options)).encode())


def raw(*pieces: bytes, reset: bool = False) -> Handler:
    """Write bytes past the server's HTTP and hang up, politely or with a reset."""

    async def handler(request: web.Request) -> web.Response:
        transport = request.transport
        assert transport is not None
        for piece in pieces:
            transport.write(piece)
        await asyncio.sleep(0.02)
        if reset:
            # Linger 0 makes the kernel send RST in place of FIN.
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()
        await connection_end(request)
        return web.Response()

    return handler


def drip(start: bytes, drop: bytes) -> Handler:
    """Begin to answer, then one drop a second for as long as somebody listens."""

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.write(start)
        while not await connection_end(request, 1.0):
            request.transport.write(drop)
        return web.Response()

    return handler


async def silence(request: web.Request) -> web.Response:
    await connection_end(request)
    return web.Response()


async def connection_end(request: web.Request, seconds: float = 60.0) -> bool:
    """Wait until the caller hangs up or the server stops; False when neither happened in time."""
    stopping = request.app[STOPPING]
    for _ in range(int(seconds / 0.02)):
        if stopping.is_set() or request.transport is None or request.transport.is_closing():
            return True
        await asyncio.sleep(0.02)
    return False


async def huge(request: web.Request) -> web.StreamResponse:
    """Ten megabytes of well-formed JSON, as long as the caller takes them."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with suppress(ConnectionError):
        await response.write(b'{"choices": [{"message": {"content": "')
        for _ in range(160):
            await response.write(b"x" * 65_536)
        await response.write(b'"}}]}')
    return response


async def bomb(request: web.Request) -> web.Response:
    """Twenty megabytes in twenty kilobytes."""
    packed = gzip.compress(json.dumps(completion("x" * 20_000_000)).encode(), 1)
    return web.Response(body=packed, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})


STOPPING = web.AppKey("stopping", asyncio.Event)

FAULTS: dict[str, Fault] = {
    # The address leads nowhere: use fault_url().
    "refused": Fault("unreachable"),
    "dns": Fault("unreachable"),
    "tls": Fault("unreachable"),
    # Status codes
    "redirect_302": Fault("for_all", status(302, Location="http://redirected.invalid/v1/chat/completions")),
    "redirect_308": Fault("for_all", status(308, Location="/v1/chat/completions")),
    "bad_request_400": Fault("permanent", status(400)),
    "bad_key_401": Fault("for_all", status(401, WWW_Authenticate="Bearer")),
    "no_credit_402": Fault("for_all", status(402)),
    "forbidden_403": Fault("for_all", status(403)),
    "no_model_404": Fault("for_all", status(404)),
    "method_405": Fault("for_all", status(405)),
    "timeout_408": Fault("retryable", status(408)),
    "conflict_409": Fault("retryable", status(409)),
    "too_large_413": Fault("permanent", status(413)),
    "teapot_418": Fault("permanent", status(418)),
    "unprocessable_422": Fault("permanent", status(422)),
    "too_early_425": Fault("retryable", status(425)),
    "rate_429": Fault("parked", status(429)),
    "rate_429_seconds": Fault("parked", status(429, Retry_After="7")),
    "rate_429_date": Fault(
        "parked", status(429, Date="Sat, 01 Jan 2000 00:00:00 GMT", Retry_After="Sat, 01 Jan 2000 00:00:30 GMT")
    ),
    "rate_429_garbage": Fault("parked", status(429, Retry_After=f"soon {CANARY}")),
    "error_500": Fault("retryable", status(500)),
    "bad_gateway_502": Fault("retryable", status(502)),
    "unavailable_503": Fault("retryable", status(503)),
    "unavailable_503_seconds": Fault("parked", status(503, Retry_After="5")),
    "gateway_timeout_504": Fault("retryable", status(504)),
    "overloaded_529": Fault("retryable", status(529)),
    # Time
    "silence": Fault("unreachable", silence),
    "drip_headers": Fault("unreachable", drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a")),
    "drip_body": Fault("unreachable", drip(HEAD + b"Content-Length: 5000\r\n\r\n", b" ")),
    # The connection
    "reset_before_headers": Fault("unreachable", raw(reset=True)),
    "close_before_headers": Fault("unreachable", raw()),
    "reset_in_headers": Fault("unreachable", raw(HEAD, reset=True)),
    "reset_in_body": Fault("unreachable", raw(HEAD + b'Content-Length: 500\r\n\r\n{"choices":', reset=True)),
    "short_body": Fault("unreachable", raw(HEAD + b'Content-Length: 500\r\n\r\n{"choices":')),
    "bad_chunk": Fault("unreachable", raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + CANARY.encode())),
    "not_http": Fault("unreachable", raw(CANARY.encode() + b"\r\n\r\n")),
    "long_header": Fault("unreachable", raw(HEAD + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n{}")),
    # The body
    "html_200": Fault("retryable", body(f"<html>{CANARY}</html>".encode(), "text/html")),
    "odd_type_200": Fault("retryable", body(CANARY.encode(), f"text/{CANARY}")),
    "empty_200": Fault("retryable", body(b"")),
    "no_content_204": Fault("retryable", status(204)),
    "broken_json": Fault("retryable", body(b'{"choices": [{"message": {"content": "' + CANARY.encode())),
    "deep_json": Fault("retryable", body(b'{"other": ' + b"[" * 100_000)),
    "nul_filled": Fault("retryable", body(b"\0" * 4_096)),
    "wrong_charset": Fault(
        "retryable", body(json.dumps(completion("olá"), ensure_ascii=False).encode("latin-1"), charset="utf-8")
    ),
    "utf_16": Fault("retryable", body(json.dumps(completion("hi")).encode("utf-16"), charset="utf-16")),
    "huge": Fault("retryable", huge),
    "gzip_bomb": Fault("retryable", bomb),
    "bad_gzip": Fault("unreachable", body(b"not gzip", Content_Encoding="gzip")),
    # Well-formed, and no answer
    "error_200": Fault("retryable", body(json.dumps({"error": {"message": CANARY, "code": 500}}).encode())),
    "array": Fault("retryable", body(b"[]")),
    "no_choices": Fault("retryable", body(b"{}")),
    "empty_choices": Fault("content", body(b'{"choices": []}')),
    "no_message": Fault("content", body(b'{"choices": [{}]}')),
    "content_number": Fault("retryable", says(7)),
    "content_null": Fault("content", says(None)),
    "content_empty": Fault("content", says("")),
    "content_blank": Fault("content", says(" \n\t\u0000 ")),
    "content_no_parts": Fault("content", says([])),
    "only_thoughts": Fault("content", says(f"<think>{CANARY}", finish_reason="length")),
    "tool_calls": Fault(
        "content", says(None, finish_reason="tool_calls", tool_calls=[{"id": "1", "type": "function"}])
    ),
    "content_filter": Fault("permanent", says(CANARY, finish_reason="content_filter")),
    "refusal": Fault("permanent", says(None, refusal=CANARY)),
}


def fault_url(fault: str, base_url: str) -> str:
    """Where to send the client for a fault that is in the address itself; `base_url` for all others."""
    if fault == "refused":
        return "http://127.0.0.1:1/v1"
    if fault == "dns":
        return "http://ai.invalid/v1"
    return base_url.replace("http:", "https:") if fault == "tls" else base_url


class FakeAi:
    """The server's state: what it saw, what it says, how it fails."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []  # parsed bodies, in order of arrival
        self.headers: list[dict[str, str]] = []  # of the same requests, names in lower case
        # A dictionary is the whole JSON answer, a pair its status as well.
        self.answer: str | Callable[[dict[str, Any]], str | dict[str, Any] | tuple[int, Any]] = echo
        self.delay = 0.0  # seconds before anything is answered
        self.fault: str | None = None  # a name of FAULTS
        self.app = web.Application(client_max_size=8 * 1024 * 1024)
        self.app.router.add_post("/v1/chat/completions", self._complete)
        self.app.router.add_route("*", "/control", self._control)
        self.app[STOPPING] = asyncio.Event()
        self.app.on_shutdown.append(self._stop)

    async def _stop(self, app: web.Application) -> None:
        app[STOPPING].set()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.requests.append(asked)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if self.delay:
            await connection_end(request, self.delay)
        handler = FAULTS[self.fault].handler if self.fault else None
        if handler is not None:
            return await handler(request)
        answer = self.answer if isinstance(self.answer, str) else self.answer(asked)
        code, shape = answer if isinstance(answer, tuple) else (200, answer)
        return web.json_response(completion(shape) if isinstance(shape, str) else shape, status=code)

    async def _control(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            wanted = await request.json()
            self.fault = wanted.get("fault", self.fault)
            self.delay = wanted.get("delay", self.delay)
            self.answer = wanted.get("answer", self.answer) or echo
        return web.json_response({"requests": self.requests, "fault": self.fault, "delay": self.delay})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9000)
    web.run_app(FakeAi().app, host="127.0.0.1", port=parser.parse_args().port, access_log=None)


if __name__ == "__main__":
    main()
