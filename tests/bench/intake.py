"""How much group commit gains: webhooks through the real intake, side by side with one commit for each message.

`make bench` prints ratios: machines differ, the relation between two runs on one machine does so less.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from appliance.clock import SystemClock
from appliance.config import Config, Twilio
from appliance.inbox.intake import Intake
from appliance.model import MAIN
from appliance.operations.organizations import Registration, register_organization
from appliance.queue.bell import Bell
from appliance.store import Store, writer
from appliance.wire import InboundMessage

ACCOUNT = "AC" + "0" * 32
CHANNEL = "+551140000000"
MESSAGES = 2_000
AT_ONCE = 32
ROUNDS = 5


async def intake(directory: Path, batch: int) -> tuple[float, float]:
    """(messages a second, commits a message) with so many units in a batch at most."""
    writer.BATCH_LIMIT = batch
    store = await Store.open(directory, SystemClock())
    try:
        await store.write(lambda tx: register_organization(tx, Registration("Bench", [CHANNEL], "a@example.com")))
        receiving = Intake(store, Config(twilio=Twilio(account_sid=ACCOUNT)), Bell())
        batches = store.batches
        began = time.perf_counter()
        await _feed(receiving)
        seconds = time.perf_counter() - began
        return MESSAGES / seconds, (store.batches - batches) / MESSAGES
    finally:
        await store.close()


async def _feed(receiving: Intake) -> None:
    numbers = iter(range(MESSAGES))

    async def connection() -> None:
        for number in numbers:
            await receiving.receive(
                InboundMessage(
                    f"SM{number:032x}", ACCOUNT, f"+55119{number:08}", CHANNEL, "Qual o horário?", account=MAIN
                )
            )

    await asyncio.gather(*(connection() for _ in range(AT_ONCE)))


def main() -> None:
    ratios = []
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory() as place:
            grouped, commits = asyncio.run(intake(Path(place, "grouped"), 256))
            single, _ = asyncio.run(intake(Path(place, "single"), 1))
        ratios.append(grouped / single)
        print(
            f"round {number + 1}: grouped {grouped:,.0f}/s ({commits:.3f} commits a message), "
            f"one commit each {single:,.0f}/s, ratio {ratios[-1]:.1f}"
        )
    print(f"group commit against one commit each, {AT_ONCE} at once: median ratio {statistics.median(ratios):.1f}")


if __name__ == "__main__":
    main()
