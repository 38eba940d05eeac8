"""`appliance serve`: run until a signal says stop."""

import asyncio
import faulthandler
import sys
from functools import partial

import click
import structlog

from appliance import logs
from appliance.app import Appliance, run
from appliance.cli.client import beside
from appliance.cli.owner import become_owner
from appliance.cli.render import one_line
from appliance.cli.session import Command, Session, pass_session
from appliance.config import Config
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
        asyncio.run(run(Appliance(config), partial(_invite, config)))
        log.info("stopped")


async def _invite(config: Config) -> None:
    """Where nobody can sign in yet: a link is a secret, so only a terminal gets one, and never the log."""
    async with beside(config) as api:
        users = (await api.get("users"))["users"] if api else []
        if not users or any(user["has_password"] for user in users):
            return
        log.info("nobody can sign in yet", todo="appliance user list, then appliance user link EMAIL")
        if api and sys.stdout.isatty():
            link = (await api.post("users/link", email=users[0]["email"]))["url"]
            click.echo(f"Sign in as {one_line(users[0]['email'])} (once, within an hour): {link}")
