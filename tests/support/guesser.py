"""Somebody who guesses passwords from many addresses, in a process of its own: prints how often each status came."""

import asyncio
import os
import sys
from collections import Counter

import aiohttp

EMAIL = "a@example.com"
CONNECTIONS = 20


async def guess(url: str, times: int, addresses: int) -> Counter[int]:
    """Through a proxy that is trusted and says whose request it is."""
    numbers = iter(range(times))
    found: Counter[int] = Counter()

    async def one(http: aiohttp.ClientSession) -> None:
        for number in numbers:
            at = number % addresses
            headers = {"Origin": url, "X-Forwarded-For": f"198.18.{at // 250}.{at % 250}"}
            form = {"email": EMAIL, "password": f"guess number {number}"}
            async with http.post(f"{url}/sign-in", data=form, headers=headers, allow_redirects=False) as response:
                await response.read()
                found[response.status] += 1

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(one(http) for _ in range(CONNECTIONS)))
    return found


if __name__ == "__main__":
    os.nice(19)  # it is not on the box in reality
    for status, count in asyncio.run(guess(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))).items():
        print(status, count)
