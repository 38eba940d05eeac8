"""Talks to the appliance over its control socket. Where none runs, this process serves the same API for a moment.

So there is one way to see and change things, whether the appliance runs or not.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec

from appliance import logs
from appliance.cli.owner import become_owner
from appliance.config import Config, places
from appliance.config.keys import CONTROL_SOCKET
from appliance.config.sections import NO_FILE
from appliance.errors import AlreadyRunningError, ApplianceError, ConfigurationError, NothingThereError, RequestError

T = TypeVar("T")
LIMIT = aiohttp.ClientTimeout(total=3_600)  # a copy or a check of a large file takes its time
PATIENCE = 5.0  # seconds, for an appliance that holds the lock and does not listen yet
PAUSE = 0.25


class Api:
    """The API's answers as plain data. Raises RequestError for what it refuses."""

    def __init__(self, session: aiohttp.ClientSession, *, running: bool) -> None:
        self._session = session
        self.running = running

    async def get(self, path: str, **query: str | int | None) -> Any:
        return await self._request("GET", path, params=_given(query))

    async def post(self, path: str, **body: object) -> Any:
        return await self._request("POST", path, json=_given(body))

    async def put(self, path: str, **body: object) -> Any:
        return await self._request("PUT", path, json=_given(body))

    async def patch(self, path: str, **body: object) -> Any:
        return await self._request("PATCH", path, json=_given(body))

    async def delete(self, path: str, **query: str | int | None) -> Any:
        return await self._request("DELETE", path, params=_given(query))

    async def _request(self, method: str, path: str, **content: Any) -> Any:
        try:
            async with self._session.request(method, f"http://appliance/api/v1/{path}", **content) as response:
                status, told = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApplianceError(f"The appliance does not answer ({type(error).__name__}).") from error
        try:
            answer = msgspec.json.decode(told) if told else None
        except msgspec.DecodeError:
            answer = None
        if status < 400:
            return answer
        fault = answer.get("error", {}) if isinstance(answer, dict) else {}
        message = fault.get("message") or f"The appliance answered with status {status}."
        options = {
            "which_organization": "--org",
            "which_account": "--from" if fault.get("field") == "from" else "--account",
        }
        if option := options.get(fault.get("code", "")):
            message += f" Use {option} NAME."
        raise RequestError(fault.get("code", ""), message, fault.get("field"), status)


def _given(values: Mapping[str, T | None]) -> dict[str, T]:
    """An empty name is a name too, and no organization's: a script's unset variable must not mean all of them."""
    return {name: value for name, value in values.items() if value is not None}


def talk(config: Config, conversation: Callable[[Api], Awaitable[T]], *, makes: bool = True) -> T:
    """Run a conversation with the appliance that uses this storage directory. Raises ApplianceError.

    `makes`: where there is no database yet, this makes one.
    """
    become_owner(config)
    return asyncio.run(_talk(config, conversation, makes))


@asynccontextmanager
async def beside(config: Config) -> AsyncIterator[Api | None]:
    """The appliance that runs with this storage directory, to look on; None where none does, or not for this user."""
    path = config.storage.directory / CONTROL_SOCKET
    try:
        is_there = await _listens(path)
    except OSError:
        is_there = False
    if not is_there:
        yield None
        return
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=LIMIT) as session:
        yield Api(session, running=True)


async def _talk(config: Config, conversation: Callable[[Api], Awaitable[T]], makes: bool) -> T:
    path = config.storage.directory / CONTROL_SOCKET
    async with AsyncExitStack() as stack:
        running = await _reach(config, path, stack, makes)
        connector = aiohttp.UnixConnector(str(path))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=LIMIT))
        return await conversation(Api(session, running=running))


async def _reach(config: Config, path: Path, stack: AsyncExitStack, makes: bool) -> bool:
    """True: an appliance answers at the socket. False: none runs, this process stands in for it."""
    clock = asyncio.get_running_loop().time
    give_up = clock() + PATIENCE
    while not await _listens(path):
        from appliance.store.database import refuse_shared  # noqa: PLC0415 - as below
        from appliance.store.restoration import is_present  # noqa: PLC0415 - as below

        if not makes and not is_present(path.parent):
            refuse_shared(path.parent)
            raise NothingThereError(f"There is no database in {path.parent} yet.")
        from appliance.engine import offline_control  # noqa: PLC0415 - the whole product; a running one needs it not

        logs.configure("error", "console")
        try:
            await stack.enter_async_context(offline_control(config))
        except AlreadyRunningError:
            if clock() > give_up:
                raise
            await asyncio.sleep(PAUSE)
        except PermissionError as error:
            if config.source != NO_FILE:
                raise
            raise nowhere(f"{error.filename or path.parent} is not for this user") from None
        else:
            return False
    return True


def nowhere(reason: str) -> ConfigurationError:
    """There is no configuration, and without one it does not work for a reason: where it was looked for."""
    todo = "Name the file with --config, or make one of config.example.toml."
    return ConfigurationError([f"None was found, and {reason}. It was looked for here:", *places(), todo])


async def _listens(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    writer.close()
    await writer.wait_closed()
    return True
