"""A quiet organization beside a flooded one: it is answered as if it were alone. The real process, and the real clock."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from appliance.simulator import Fault
from tests.support.box import Box
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, SMS, WHATSAPP, World

OTHER_SMS = "+551140000002"  # of the second organization
RATE = 45  # messages a second that the flood brings; Twilio's 250 ms allow 8 places 32
BEFORE = 2.0  # seconds of flood before the quiet one writes
LIMIT = 4.0  # seconds until it must be answered
SLOW = Fault("create", "slow", seconds=0.25, times=None)


@asynccontextmanager
async def two_organizations(directory: Path, model_seconds: float | None) -> AsyncIterator[Box]:
    """The process runs; without a model the FAQ answers, or says that it does not know."""
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(Box(directory))
        box.twilio.owned = [SMS, WHATSAPP, OTHER_SMS]
        await box.command("org", "register", "Oficina", "--channel", OTHER_SMS, "--user", "b@example.com")
        if model_seconds is not None:
            model = FakeAi()
            model.delay = model_seconds
            runner = web.AppRunner(model.app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            with box.config.open("a") as file:
                file.write(f'ai = {{ provider = "llm", base_url = "{url}", model = "fake" }}\n')
        box.twilio.faults.add(SLOW)
        await box.start()
        yield box


async def flood(box: Box, channel: str) -> None:
    """A new customer every 1/45 s, for ever."""
    began, writing = time.monotonic(), set()
    number = 0
    while True:
        number += 1
        writing.add(asyncio.create_task(box.twilio.receive(f"+55119{number:08d}", channel, "Qual o horário?")))
        await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))


@pytest.mark.parametrize("model_seconds", [None, 1.0], ids=["fast", "slow model"])
@pytest.mark.parametrize(("flooded", "quiet"), [(SMS, OTHER_SMS), (OTHER_SMS, SMS)], ids=["first", "second"])
async def test_a_quiet_organization_beside_a_flood(
    tmp_path: Path, flooded: str, quiet: str, model_seconds: float | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """One organization's channel gets more than can be sent; the other's one message is answered within 4 s."""
    async with two_organizations(tmp_path, model_seconds) as box:
        load = asyncio.create_task(flood(box, flooded))
        await asyncio.sleep(BEFORE)
        began, behind = time.monotonic(), len(list(box.twilio.ledger)) - 2 * box.sent().total()
        await box.twilio.receive(CUSTOMER, quiet, "Qual o horário?")
        while CUSTOMER not in box.sent() and time.monotonic() < began + LIMIT:
            await asyncio.sleep(0.01)
        took = time.monotonic() - began
        load.cancel()
        with capsys.disabled():
            print(f"\nquiet beside a flood: answered in {took:.2f} s, with {behind} of the flood waiting", end="")

        assert behind > 15  # else it was no flood
        assert CUSTOMER in box.sent()


async def test_a_flooded_channel_leaves_places(world: World) -> None:
    """Sixty answers wait for the first channel; the second channel's only one does not stand behind all of them."""
    world.twilio.faults.add(Fault("create", "slow", seconds=0.4, times=None))
    for number in range(60):
        await world.say("Oi", f"+55119{number:08d}")
    await world.say("Oi", f"whatsapp:{CUSTOMER}", WHATSAPP)
    await world.until(lambda: len(_receivers(world)) == 61)

    assert _receivers(world).index(f"whatsapp:{CUSTOMER}") < 40


async def test_jobs_of_an_older_file_are_claimed(tmp_path: Path) -> None:
    """Their resource has no organization yet: it is one more resource, and its customer is answered."""
    soon = {"reply_delay": 300, "reply_delay_max": 300}
    async with World(tmp_path, conversations=soon) as world:
        await world.say("Oi")
        older = "UPDATE message_queue SET resource = 'ai' WHERE resource = 'ai:1'"
        assert await world.appliance.store.write(lambda tx: tx.sql.run(older)) == 1
        await world.until(world.sent)


def _receivers(world: World) -> list[str]:
    """To whom Twilio was given a message, in that order."""
    return [entry.recipient for entry in world.twilio.ledger if entry.direction == "outbound-api"]
