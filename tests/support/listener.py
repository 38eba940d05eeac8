"""A server on loopback that takes what the owner is told, as ntfy does, and what asks for it, as Healthchecks does."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.header import decode_header, make_header
from typing import Self

from aiohttp import web

from tests.support.world import Line

PATH = "/a-topic-nobody-guesses"


@dataclass(frozen=True)
class Heard:
    method: str
    title: str
    priority: str
    tags: str
    content_type: str
    body: str


class Listener:
    """`async with Listener() as listener`: what came in, whatever it was answered; `line` can be cut and mended."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.elsewhere = 0  # requests of another address, to which a redirect leads
        self.status = 200
        self.most = 1_000_000  # characters that it takes
        self._stack = AsyncExitStack()
        self.line: Line

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", PATH, self._hear)
        app.router.add_route("*", "/elsewhere", self._never)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.line = Line(runner)
        self._stack.callback(self.line.release)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.line.port}{PATH}"

    async def _hear(self, request: web.Request) -> web.Response:
        told = {name: request.headers.get(name, "") for name in ("Title", "Priority", "Tags", "Content-Type")}
        title = str(make_header(decode_header(told["Title"])))
        body = await request.text()
        self.heard.append(Heard(request.method, title, told["Priority"], told["Tags"], told["Content-Type"], body))
        if len(body) > self.most:
            return web.Response(status=413)
        return web.Response(status=self.status, headers={"Location": "/elsewhere"} if self.status == 302 else {})

    async def _never(self, _request: web.Request) -> web.Response:
        self.elsewhere += 1
        return web.Response()
