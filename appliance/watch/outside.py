"""A request to an address that the owner named, which has nothing to say but that it took it."""

from contextlib import AbstractAsyncContextManager

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=10.0)  # seconds


def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=TIMEOUT, trust_env=False)


async def fault_of(request: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> str | None:
    """What went wrong, None where it was taken; without the address, which is a secret."""
    try:
        async with request as response:
            return None if response.status < 300 else f"HTTP {response.status}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return type(error).__name__
