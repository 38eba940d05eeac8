"""`appliance check`: are the configuration and the database fit to serve?"""

import os
from pathlib import Path
from typing import Any

import click

from appliance.cli.client import talk
from appliance.cli.owner import become_owner
from appliance.cli.render import one_line
from appliance.cli.session import Command, Session, pass_session
from appliance.config import Config
from appliance.errors import ApplianceError, DatabaseError, ForeignError
from appliance.store.database import FILE_NAME, refuse_shared
from appliance.store.restoration import is_present


@click.command(cls=Command)
@click.pass_context
@pass_session
def check(session: Session, ctx: click.Context) -> None:
    """Check the configuration and the database.

    Exit status 0: fit to serve; 1: the database is not; 78: the configuration is not.
    """
    config = session.config(serving=True)
    become_owner(config)
    refuse_shared(config.storage.directory)
    click.echo(f"Configuration  ok     {config.source}")
    database = config.storage.directory / FILE_NAME
    if not is_present(config.storage.directory):
        _check_writable(config.storage.directory)
        click.echo(f"Database       none   {database} (made at the first start)")
        return
    problems = _problems(config)
    click.echo(f"Database       {'faulty' if problems else 'ok    '} {database}")
    for problem in problems:
        click.echo(f"  {one_line(problem)}")
    ctx.exit(1 if problems else 0)


def _problems(config: Config) -> list[Any]:
    try:
        report = talk(config, lambda api: api.get("verify"))
    except ForeignError as error:
        raise DatabaseError(str(error)) from error  # 78 would say that the configuration is not fit
    return [] if report["ok"] else report["problems"]


def _check_writable(directory: Path) -> None:
    """Raises ApplianceError where the first start could not make the database."""
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ApplianceError(f"{directory} cannot be made: {nearest} is not writable for this user.")
