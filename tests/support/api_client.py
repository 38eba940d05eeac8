"""The JSON API as a caller sees it, over HTTP with the key or over the control socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from appliance.config.keys import CONTROL_SOCKET
from tests.support.world import API_KEY, World


class ApiClient:
    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Status and JSON of one request below /api/v1."""
        if body is not None:
            options["json"] = body
        async with self.session.request(method, f"{self.base}/api/v1/{path}", **options) as response:
            assert response.content_type == "application/json"
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        status, answer = await self.call("GET", path)
        assert status == 200, answer
        return answer

    async def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        return await self.call("POST", path, body)


@asynccontextmanager
async def api_of(world: World, headers: dict[str, str] | None = None) -> AsyncIterator[ApiClient]:
    """A client with the API key, or with other headers."""
    async with aiohttp.ClientSession(headers={"X-API-Key": API_KEY} if headers is None else headers) as session:
        yield ApiClient(session, world.address)


@asynccontextmanager
async def control_of(world: World) -> AsyncIterator[ApiClient]:
    """A client of the control socket, without a key."""
    async with socket_of(world.directory / "data") as client:
        yield client


@asynccontextmanager
async def socket_of(storage: Path) -> AsyncIterator[ApiClient]:
    connector = aiohttp.UnixConnector(str(storage / CONTROL_SOCKET))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield ApiClient(session, "http://appliance")
