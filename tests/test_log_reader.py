"""The log's reader stops reading: the work goes on, and where lines are missing the log says so."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from appliance.store.lock import Lock
from tests.support.box import Box
from tests.support.world import API_KEY, SMS

WEBHOOKS = 500


class Reader:
    """The other end of standard error; nothing is read before all() is called."""

    def __init__(self) -> None:
        self._end, self.given = os.pipe()

    def close(self) -> None:
        os.close(self._end)

    async def all(self) -> list[str]:
        """Every line, until the process has ended."""

        def read() -> bytes:
            with os.fdopen(os.dup(self._end), "rb") as file:
                return file.read()

        return (await asyncio.to_thread(read)).decode().splitlines()


@asynccontextmanager
async def unread(directory: Path) -> AsyncIterator[tuple[Box, Reader]]:
    """The process runs, logs everything, and nobody reads it."""
    async with Box(directory) as box:
        text = box.config.read_text().replace('level = "warning"', 'level = "debug"')
        box.config.write_text(text.replace("server = {", f'server = {{ api_key = "{API_KEY}",'))
        reader = Reader()
        box.stderr = reader.given
        await box.start()
        os.close(reader.given)
        try:
            yield box, reader
        finally:
            reader.close()


async def flood(box: Box) -> None:
    """Each customer's message must hear 200 in time."""
    for start in range(0, WEBHOOKS, 25):
        async with asyncio.timeout(10):
            customers = [f"+55119{number:08d}" for number in range(start, start + 25)]
            heard = await asyncio.gather(*(box.twilio.receive(each, SMS, "Qual o horário?") for each in customers))
        assert {status for _, status in heard} == {200}


async def page(box: Box, path: str) -> str:
    timeout = aiohttp.ClientTimeout(total=5)
    headers = {"X-API-Key": API_KEY}
    async with (
        aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
        session.get(f"{box.url}/{path}") as got,
    ):
        assert got.status == 200
        return await got.text()


async def test_a_reader_that_stops_reading_stops_nothing(tmp_path: Path) -> None:
    """500 webhooks hear 200 and are answered, /healthz answers; what was lost is a metric and a line in its place."""
    async with unread(tmp_path) as (box, reader):
        await flood(box)
        await box.until_sent(WEBHOOKS)
        assert "true" in await page(box, "healthz")
        dropped = re.findall(r"^appliance_log_lines_dropped_total (.+)$", await page(box, "metrics"), re.MULTILINE)
        assert float(dropped[0]) > 0

        reading = asyncio.create_task(reader.all())
        await asyncio.sleep(0.5)
        assert await box.stop() == 0
        lines = await reading

        (told,) = re.findall(r'"(\d+) lines of the log were dropped"', "\n".join(lines))
        assert int(told) >= float(dropped[0])
        assert '"event":"starting"' in lines[0].replace(": ", ":")
        assert '"event":"stopped"' in lines[-1].replace(": ", ":")


async def test_a_stop_waits_for_no_reader(tmp_path: Path) -> None:
    """Nobody ever reads: SIGTERM still ends the process, cleanly, about a second later than otherwise."""
    async with unread(tmp_path) as (box, _):
        await flood(box)
        await box.until_sent(WEBHOOKS)
        began = time.monotonic()

        assert await box.stop() == 0
        assert time.monotonic() - began < 6


async def test_what_keeps_it_from_starting_is_told_in_full(tmp_path: Path) -> None:
    """After the log was set up, too: first what waits in memory, then the one sentence."""
    async with Box(tmp_path) as box:
        lock, reader = Lock(tmp_path / "data"), Reader()
        lock.take()
        box.stderr = reader.given
        with pytest.raises(AssertionError, match="serve ended with 1"):
            await box.start()
        lock.release()
        os.close(reader.given)

        assert re.fullmatch(r"Another appliance .* stop it first\.", (await reader.all())[-1])
        reader.close()
