"""`appliance serve`: run until a signal says stop."""

import asyncio
import faulthandler

import click
import structlog

from appliance import logs
from appliance.app import Appliance, run
from appliance.cli.owner import become_owner
from appliance.cli.session import Command, Session, pass_session
from appliance.config.sections import secrets_of

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
    logs.configure(config.log.level, config.log.format, secrets_of(config))
    with logs.unblocked():
        asyncio.run(run(Appliance(config)))
        log.info("stopped")
