"""`appliance backup` and `appliance restore`: a checked copy, and putting one back.

FILE is the caller's: root may put it and find it where the owner of the storage directory may not.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import click

from appliance.cli.client import talk
from appliance.cli.owner import as_owner, become_owner, unreadable
from appliance.cli.session import Command, Session, pass_session
from appliance.clock import SystemClock
from appliance.config import Config
from appliance.errors import ApplianceError, DatabaseError
from appliance.store import backup as copies
from appliance.store.database import prepare_directory

PARTS = ("", "-wal")  # the database, and the log beside one that was copied as it stood


@click.command(cls=Command)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@pass_session
def backup(session: Session, file: Path | None) -> None:
    """Take a copy of the database, check it, and say where it is. FILE: put another copy there."""
    config = session.config()
    place = None
    if file is not None:
        place = Path(os.path.realpath(file))  # what stands there is replaced, a link to it is not
        if place.parent == Path(os.path.realpath(config.storage.directory)):
            raise click.UsageError(f"{file} is in the appliance's own directory; name another place.")
        if os.path.lexists(place) and not place.is_file():
            raise click.UsageError(f"{file} is no regular file; name another place.")
    with as_owner(config):
        made = Path(talk(config, lambda api: api.post("backups"), makes=False)["file"])
        copy = made.open("rb")
    with copy:
        if place is not None:
            try:
                copies.hand_out(copy, place)
            except (OSError, DatabaseError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                raise ApplianceError(
                    f"{place} cannot be written ({why}); the copy that was taken is {made}."
                ) from error
    click.echo(file or made)


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, readable=False))
@pass_session
def restore(session: Session, file: Path) -> None:
    """Make a backup the database; the appliance must be stopped.

    The present database is set aside. At the next start nobody is answered before Twilio's log was read: what was sent
    since the copy was taken is not sent again.
    """
    config = session.config()
    with ExitStack() as stack:
        parts: dict[str, BinaryIO] = {}
        try:
            if not file.is_file():
                raise click.UsageError(f"{file} {'is no regular file' if file.exists() else 'does not exist'}.")
            for part in PARTS:
                path = Path(f"{file}{part}")
                if path == file or path.exists():
                    parts[part] = stack.enter_context(path.open("rb"))
        except PermissionError as error:
            raise ApplianceError(unreadable(Path(error.filename), config.source)) from None
        become_owner(config)
        prepare_directory(config.storage.directory)
        try:
            copy = stack.enter_context(_within_reach(file.absolute(), parts, config.storage.directory))
            asyncio.run(_restore(config, copy, file))
        except OSError as error:
            raise ApplianceError(f"{file} cannot be restored: {error.strerror}.") from error
    click.echo(f"Restored {file}. Start the appliance; it first asks Twilio what was sent meanwhile.")


@contextmanager
def _within_reach(file: Path, parts: dict[str, BinaryIO], directory: Path) -> Iterator[Path]:
    """The file itself where its path is readable for the owner, else a private copy of what root has opened."""
    if all(os.access(f"{file}{part}", os.R_OK) for part in parts):
        yield file
        return
    with TemporaryDirectory(dir=directory, prefix="restore-") as folder:
        copy = Path(folder) / file.name
        for part, content in parts.items():
            with Path(f"{copy}{part}").open("xb") as target:
                shutil.copyfileobj(content, target)
        yield copy


async def _restore(config: Config, copy: Path, file: Path) -> None:
    """Faults name the file as the caller named it."""
    from appliance.opening import restore as put_back  # noqa: PLC0415 - the whole product

    try:
        store = await put_back(config, SystemClock(), copy)
    except DatabaseError as error:
        raise type(error)(str(error).replace(str(copy), str(file))) from error
    await store.close()
