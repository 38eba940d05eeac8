"""What a page costs, with a thousand messages and with a million: server time, and memory with twenty pages open.

`python -m tests.bench.pages` prints two tables; the pages are asked in turn, the figures are medians.
"""

import argparse
import asyncio
import contextlib
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from appliance.clock import SystemClock
from tests.support.visitor import Visitor
from tests.support.world import World
from tests.support.years import fill

PAGES = ("/", "/conversations", "/conversations?q=Cliente", "/conversations?show=waiting", "/conversations/{last}",
         "/topics", "/topics?q=Qual+o+hor%C3%A1rio%3F", "/engine", "/settings", "/go-live")  # fmt: skip
ROUNDS = 15
OPEN = 20


async def measure(directory: Path, count: int) -> tuple[dict[str, float], tuple[int, int]]:
    """Page → median ms; and resident kB before and with OPEN live pages."""
    async with World(directory) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await world.say("Qual o horário?")
        await world.settle()
        await world.stop()
        await asyncio.to_thread(fill, world.appliance.store.path, count, SystemClock().now())
        await world.start()
        async with Visitor(world) as visitor:
            (last,) = await world.column("SELECT max(id) FROM conversations WHERE session_key LIKE 'filled%'")
            found: dict[str, list[float]] = {page: [] for page in PAGES}
            for _ in range(ROUNDS):
                for page in PAGES:
                    began = time.perf_counter()
                    await visitor.get(page.format(last=last))
                    found[page].append((time.perf_counter() - began) * 1_000)
            before = resident()
            async with contextlib.AsyncExitStack() as stack:
                for _ in range(OPEN):
                    response = await stack.enter_async_context(visitor.http.get(f"{visitor.address}/events"))
                    assert response.status == 200
                for number in range(10):
                    await world.say(f"oi {number}")
                    await asyncio.sleep(0.2)
                memory = before, resident()
            await visitor.http.close()
        return {page: statistics.median(times) for page, times in found.items()}, memory


def resident() -> int:
    """kB"""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


async def main(counts: list[int]) -> None:
    tables, memories = {}, {}
    for count in counts:
        with tempfile.TemporaryDirectory() as directory:
            tables[count], memories[count] = await measure(Path(directory), count)
    print("| page | " + " | ".join(f"{count:,} messages" for count in counts) + " | ratio |")
    print("|---|" + "---|" * (len(counts) + 1))
    for page in PAGES:
        times = [tables[count][page] for count in counts]
        print(f"| `{page}` | " + " | ".join(f"{each:.1f} ms" for each in times) + f" | {times[-1] / times[0]:.2f} |")
    for count, (before, after) in memories.items():
        print(f"\n{count:,} messages: {before / 1_000:.1f} MB, with {OPEN} live pages {after / 1_000:.1f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("counts", nargs="*", type=int, default=[1_000, 1_000_000])
    with contextlib.suppress(aiohttp.ClientError):
        asyncio.run(main(parser.parse_args().counts))
