"""What a page costs, with a thousand messages and with a million: server time, and memory with twenty pages open.

`python -m tests.bench.pages` prints two tables; the pages are asked in turn, the figures are medians.
"""

import argparse
import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from appliance.clock import SystemClock
from tests.support.visitor import Visitor
from tests.support.world import World
from tests.support.years import fill

PAGES = ("/", "/conversations", "/conversations?q=Cliente", "/conversations?show=waiting", "/conversations/{last}",
         "/topics", "/topics?q=Qual+o+hor%C3%A1rio%3F", "/engine", "/settings", "/go-live")  # fmt: skip
ROUNDS = 15
OPEN = 20


@contextlib.asynccontextmanager
async def shop(directory: Path, count: int) -> AsyncIterator[Visitor]:
    """The owner of a shop with so many messages, and the topic that answers them."""
    async with World(directory) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await world.say("Qual o horário?")
        await world.settle()
        await world.stop()
        await asyncio.to_thread(fill, world.appliance.store.path, count, SystemClock().now())
        await world.start()
        async with Visitor(world) as visitor:
            yield visitor


async def times(counts: Sequence[int]) -> dict[int, dict[str, float]]:
    """Count → page → median ms; the shops stand side by side and are asked in turn."""
    found: dict[int, dict[str, list[float]]] = {count: {page: [] for page in PAGES} for count in counts}
    async with contextlib.AsyncExitStack() as stack:
        shops = {}
        for count in counts:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            visitor = await stack.enter_async_context(shop(directory, count))
            (last,) = await visitor.world.column("SELECT max(id) FROM conversations WHERE session_key LIKE 'filled%'")
            shops[count] = visitor, last
        for _ in range(ROUNDS):
            for page in PAGES:
                for count, (visitor, last) in shops.items():
                    began = time.perf_counter()
                    await visitor.get(page.format(last=last))
                    found[count][page].append((time.perf_counter() - began) * 1_000)
    return {count: {page: statistics.median(each) for page, each in pages.items()} for count, pages in found.items()}


async def memory(count: int) -> tuple[int, int]:
    """Resident kB before and with OPEN live pages, which have heard of ten messages."""
    with tempfile.TemporaryDirectory() as directory:
        async with shop(Path(directory), count) as visitor, contextlib.AsyncExitStack() as stack:
            for page in PAGES[:2]:
                await visitor.get(page)
            before = resident()
            for _ in range(OPEN):
                response = await stack.enter_async_context(visitor.http.get(f"{visitor.address}/events"))
                assert response.status == 200
            for number in range(10):
                await visitor.world.say(f"oi {number}")
                await asyncio.sleep(0.2)
            return before, resident()


def resident() -> int:
    """kB"""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


async def tables(counts: Sequence[int]) -> list[str]:
    """In Markdown."""
    heads = " | ".join(f"{count:,} messages" for count in counts)
    timed, resident_kb = await times(counts), {count: await memory(count) for count in counts}
    lines = [f"| page | {heads} | ratio |", "|---|" + "--:|" * (len(counts) + 1)]
    for page in PAGES:
        each = [timed[count][page] for count in counts]
        lines.append(f"| `{page}` | {' | '.join(f'{ms:.1f} ms' for ms in each)} | {each[-1] / each[0]:.1f} |")
    lines += ["", f"| memory | {heads} |", "|---|" + "--:|" * len(counts)]
    for row, what in enumerate(("no page open", f"{OPEN} live pages open")):
        lines.append(f"| {what} | {' | '.join(f'{resident_kb[count][row] / 1_000:.1f} MB' for count in counts)} |")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("counts", nargs="*", type=int, default=[1_000, 1_000_000])
    print("\n".join(asyncio.run(tables(parser.parse_args().counts))))
