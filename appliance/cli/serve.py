"""`appliance serve`: run until a signal says stop."""

import asyncio
import faulthandler
import signal
from collections.abc import Awaitable, Callable

import click
import structlog

from appliance import __version__, logs
from appliance.app import Appliance
from appliance.cli.owner import become_owner
from appliance.cli.session import Command, Session, pass_session
from appliance.config import Config
from appliance.config.sections import KEYS, value_of
from appliance.errors import ApplianceError

SIGNALS = (signal.SIGTERM, signal.SIGINT)
log = structlog.get_logger()


@click.command(cls=Command)
@pass_session
def serve(session: Session) -> None:
    """Run the appliance.

    Ends cleanly on SIGTERM and SIGINT, at once on a second one.
    """
    faulthandler.enable()  # the watchdog's SIGABRT then leaves a trace of where it hung
    config = session.config(serving=True)
    become_owner(config)
    logs.configure(config.log.level, config.log.format, _secrets(config))
    asyncio.run(run(Appliance(config)))
    log.info("stopped")


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


def _secrets(config: Config) -> list[str]:
    values = [value_of(config, name) for name, key in KEYS.items() if key.secret]
    return [secret for value in values if value for secret in ([value] if isinstance(value, str) else value)]
