"""`appliance backup` and `appliance restore`: a checked copy, and putting one back."""

import asyncio
from pathlib import Path

import click

from appliance.cli.client import talk
from appliance.cli.owner import become_owner
from appliance.cli.session import Command, Session, pass_session
from appliance.clock import SystemClock
from appliance.config import Config
from appliance.errors import ApplianceError
from appliance.store import backup as copies
from appliance.store.database import prepare_directory


@click.command(cls=Command)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@pass_session
def backup(session: Session, file: Path | None) -> None:
    """Take a copy of the database, check it, and say where it is. FILE: put another copy there."""
    config = session.config()
    if file is not None and file.resolve().parent == config.storage.directory.resolve():
        raise click.UsageError(f"{file} is in the appliance's own directory; name another place.")
    made = Path(talk(config, lambda api: api.post("backups"), makes=False)["file"])
    if file is not None:
        copies.hand_out(made, file)
    click.echo(file or made)


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@pass_session
def restore(session: Session, file: Path) -> None:
    """Make a backup the database; the appliance must be stopped.

    The present database is set aside. At the next start nobody is answered before Twilio's log was read: what was sent
    since the copy was taken is not sent again.
    """
    config = session.config()
    become_owner(config)
    prepare_directory(config.storage.directory)
    asyncio.run(_restore(config, file.absolute()))
    click.echo(f"Restored {file}. Start the appliance; it first asks Twilio what was sent meanwhile.")


async def _restore(config: Config, file: Path) -> None:
    from appliance.opening import restore as put_back  # noqa: PLC0415 - the whole product

    try:
        store = await put_back(config, SystemClock(), file)
    except OSError as error:
        raise ApplianceError(f"{file} cannot be restored: {error.strerror}.") from error
    await store.close()
