"""Opens the store whatever state the box is in: full, damaged, or well.

While it cannot be opened every webhook hears 503, so that Twilio keeps the message and catch-up fetches it later; the
process stays up instead of being started again and again.
"""

import asyncio
import contextlib
import errno
from pathlib import Path

import structlog

from appliance import restoration, systemd
from appliance.config import Config
from appliance.errors import ApplianceError, CorruptError, StorageFullError
from appliance.ports import Clock
from appliance.store import Store, Tx, backup
from appliance.store.box import Fact
from appliance.store.lock import Lock
from appliance.store.news import Audience
from appliance.store.reserve import Reserve
from appliance.store.restoration import put_back
from appliance.store.store import OnFault, ignore
from appliance.web import applications
from appliance.web.listeners import Listeners

AGAIN = 2.0  # seconds between two tries
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
log = structlog.get_logger()


async def open_store(
    config: Config, clock: Clock, stopping: asyncio.Event, on_fault: OnFault, audience: Audience
) -> Store:
    """The open store, as soon as there is one. Raises ApplianceError where only an operator can help, or at a stop."""
    try:
        return await _try(config, clock, on_fault, audience)
    except (CorruptError, StorageFullError) as error:
        fault: ApplianceError = error
    reason = str(fault)

    async def faults() -> list[str]:
        return [reason]

    async with Listeners() as listeners:
        await listeners.tcp(applications.refusing(faults), config.server.listen, "server.listen")
        systemd.notify(f"READY=1\nSTATUS={reason}")
        log.error("cannot store anything, every webhook gets 503", reason=reason)
        while not stopping.is_set():
            systemd.notify("WATCHDOG=1")
            await asyncio.sleep(AGAIN)
            try:
                store = await _try(config, clock, on_fault, audience)
            except (CorruptError, StorageFullError) as error:
                fault = error
            else:
                systemd.notify("STATUS=")  # else `systemctl status` would tell of the fault for ever
                return store
    raise fault


async def close_store(store: Store) -> None:
    """And tell since when it is closed, where the disk takes that."""
    with contextlib.suppress(ApplianceError):
        await store.write(lambda tx: tx.box.put(Fact.STOPPED_AT, tx.now))
    await store.close()


async def _try(config: Config, clock: Clock, on_fault: OnFault, audience: Audience) -> Store:
    directory = config.storage.directory
    try:
        return await _writable(directory, clock, on_fault, audience)
    except StorageFullError:
        Reserve(directory).release()
        return await _writable(directory, clock, on_fault, audience)
    except CorruptError as error:
        log.error("the database is damaged", reason=str(error))
        Reserve(directory).release()  # the copy needs space
        copy = await asyncio.to_thread(backup.newest, directory)
        if copy is None:
            raise CorruptError(f"{error} There is no usable backup: move it away or restore one.") from error
        return await restore(config, clock, copy, on_fault, audience)


async def _writable(directory: Path, clock: Clock, on_fault: OnFault, audience: Audience) -> Store:
    """Opening an existing database writes nothing, so a full disk shows only now."""
    store = await Store.open(directory, clock, on_fault, audience)

    def opened(tx: Tx) -> None:
        tx.box.put(Fact.OPENED_AT, tx.now)
        tx.box.remove(Fact.STOPPED_AT)

    try:
        await store.write(opened)
    except BaseException:
        await store.close()
        raise
    return store


async def restore(
    config: Config, clock: Clock, copy: Path, on_fault: OnFault = ignore, audience: Audience | None = None
) -> Store:
    """Put a verified copy in place and open it. What it calls unsent is in doubt from its first moment."""
    directory = config.storage.directory
    lock = Lock(directory)
    lock.take()
    try:
        aside = await asyncio.to_thread(put_back, copy, directory, clock.now, restoration.distrust)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise StorageFullError(f"The disk of {directory} is full; free some space.") from error
        raise
    finally:
        lock.release()
    log.warning("restored from a backup", backup=str(copy), set_aside=str(aside))
    return await Store.open(directory, clock, on_fault, audience)
