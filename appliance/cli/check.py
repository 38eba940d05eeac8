"""`appliance check`: are the configuration and the database fit to serve?"""

import os
from typing import Any

import click

from appliance.cli.client import Api, talk
from appliance.cli.owner import become_owner
from appliance.cli.render import one_line
from appliance.cli.session import Command, Session, pass_session
from appliance.config.accounts import strays
from appliance.errors import ApplianceError, ConfigurationError, DatabaseError, ForeignError
from appliance.model import masked
from appliance.store.database import FILE_NAME, refuse_shared
from appliance.store.restoration import is_present


async def _look(api: Api) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return await api.get("verify"), (await api.get("channels"))["channels"]


@click.command(cls=Command)
@click.pass_context
@pass_session
def check(session: Session, ctx: click.Context) -> None:
    """Check the configuration and the database.

    Exit status 0: fit to serve; 1: the database is not; 78: the configuration is not.
    """
    config = session.config(serving=True)
    become_owner(config)
    directory = config.storage.directory
    refuse_shared(directory)
    click.echo(f"Configuration  ok     {config.source}")
    for account in config.accounts:
        click.echo(f"Account        ok     {account.name}, {masked(account.account_sid)}")
    database = directory / FILE_NAME
    if not is_present(directory):
        nearest = next(path for path in (directory, *directory.parents) if path.exists())
        if not os.access(nearest, os.W_OK | os.X_OK):  # the first start could not make the database
            raise ApplianceError(f"{directory} cannot be made: {nearest} is not writable for this user.")
        click.echo(f"Database       none   {database} (made at the first start)")
        return
    try:
        report, channels = talk(config, _look)
    except ForeignError as error:
        raise DatabaseError(str(error)) from error  # 78 would say that the configuration is not fit
    if faults := strays(config, [(each["address"], each["account"]) for each in channels]):
        raise ConfigurationError(faults)
    problems = [] if report["ok"] else report["problems"]
    click.echo(f"Database       {'faulty' if problems else 'ok    '} {database}")
    for problem in problems:
        click.echo(f"  {one_line(problem)}")
    ctx.exit(1 if problems else 0)
