"""Runs an appliance until a signal says stop: what `appliance serve` and the demo have in common."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog

from appliance import __version__
from appliance.app import Appliance
from appliance.errors import ApplianceError

SIGNALS = (signal.SIGTERM, signal.SIGINT)
log = structlog.get_logger()


async def run(appliance: Appliance, when_ready: Callable[[], Awaitable[None]] | None = None) -> None:
    """Start, wait for the end, stop. Raises ApplianceError where it cannot start or a part of it failed."""
    _stop_on_signals(appliance)
    config = appliance.config
    log.info("starting", version=__version__, config=config.source, storage=str(config.storage.directory))
    try:
        await appliance.start()
        if when_ready is not None:
            await when_ready()
        await appliance.stopping.wait()
    except ApplianceError:
        if not appliance.stopping.is_set():  # else it was told to stop while it could not start
            raise
    finally:
        await appliance.stop()
    if appliance.fault is not None:
        reason = appliance.fault if isinstance(appliance.fault, ApplianceError) else type(appliance.fault).__name__
        raise ApplianceError(f"Stopped because a part failed: {reason}") from appliance.fault


def _stop_on_signals(appliance: Appliance) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        appliance.stopping.set()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)  # the next one ends the process at once

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
