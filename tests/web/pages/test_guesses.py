"""Thousands of guesses from a thousand addresses, at the real process: customers wait no longer for it."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.model import SECOND
from appliance.web.pages.tries import BURST, PACE
from appliance.web.pages.turnstile import MOST, PAUSE, Turnstile
from tests.support.box import Box
from tests.support.world import SMS

ADDRESSES = 1_000
FEW = 400  # webhooks in a measurement
TRIES = 3  # of the measurement: the machine is shared
ROOT = Path(__file__).parents[3]


class Guessed(Box):
    """Behind a proxy on the same machine that is trusted, and under a name that is listed."""

    @property
    def environ(self) -> dict[str, str]:
        hosts = {"APPLIANCE_SERVER__TRUSTED_PROXIES": '["127.0.0.1"]', "APPLIANCE_SERVER__PAGE_HOSTS": '["127.0.0.1"]'}
        return super().environ | hosts


async def webhooks(box: Box, more: Callable[[int], bool]) -> float:
    """The 99th percentile of what Twilio waits for, in ms."""
    waited: list[float] = []
    while more(len(waited)):
        began = time.perf_counter()
        _, status = await box.twilio.receive(f"+55119{len(waited):08}", SMS, "Qual o horário?")
        waited.append((time.perf_counter() - began) * SECOND)
        assert status == 200
        await asyncio.sleep(0.005)
    return sorted(waited)[int(len(waited) * 0.99)]


async def measured(box: Box, guesses: int) -> tuple[float, float, dict[int, int], float]:
    """Webhooks before and meanwhile (ms), what the guesser got, and how long it guessed (s)."""
    before = await webhooks(box, lambda count: count < FEW)
    command = [sys.executable, "-m", "tests.support.guesser", box.url, str(guesses), str(ADDRESSES)]
    guesser = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    began = time.perf_counter()
    ended = asyncio.create_task(guesser.communicate())
    meanwhile = await webhooks(box, lambda count: not ended.done() or count < FEW)
    out, _ = await ended
    found = {int(line.split()[0]): int(line.split()[1]) for line in out.decode().splitlines()}
    return before, meanwhile, found, time.perf_counter() - began


async def test_a_thousand_guesses_are_hardly_heard(tmp_path: Path) -> None:
    """One by one, and two strangers a second in the long run; each webhook is taken meanwhile."""
    async with Guessed(tmp_path, reply_delay="1h") as box:
        await box.start()
        before, meanwhile, found, seconds = await measured(box, 1_000)
    told = f"p99 {before:.1f} ms before, {meanwhile:.1f} ms during 1,000 guesses in {seconds:.0f} s: {found}"
    print(told)
    assert sum(found.values()) == 1_000 and set(found) <= {403, 429}, told
    assert found.get(403, 0) <= BURST + (seconds + 2) * SECOND / PACE
    assert seconds > 1_000 * PAUSE


@pytest.mark.slow
async def test_customers_wait_no_longer(tmp_path: Path) -> None:
    """Ten thousand: the 99th percentile of the webhooks is within 1.5 times of before."""
    told = []
    async with Guessed(tmp_path, reply_delay="1h") as box:
        for _ in range(TRIES):
            await box.start()
            before, meanwhile, found, seconds = await measured(box, 10_000)
            await box.stop()
            told.append(
                f"p99 {before:.1f} ms before, {meanwhile:.1f} ms during 10,000 guesses in {seconds:.0f} s: {found}"
            )
            if meanwhile <= 1.5 * before:
                break
    print(*told, sep="\n")
    assert meanwhile <= 1.5 * before, told


async def test_more_than_can_wait_are_sent_away() -> None:
    """At once; who waits has the turn in order."""
    turnstile = Turnstile()
    passed = await asyncio.gather(*(turnstile.passed() for _ in range(MOST + 20)))
    assert passed == [True] * MOST + [False] * 20
    assert await turnstile.passed()
