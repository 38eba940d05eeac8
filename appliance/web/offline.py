"""The same API while no appliance runs: this process holds the storage's lock and serves the control socket."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from appliance.config import Config
from appliance.config.keys import CONTROL_SOCKET
from appliance.diagnosis.finding import Finding
from appliance.links.link import Links
from appliance.metrics import Metrics
from appliance.operations.knowledge import Offline
from appliance.ports import Clock, Missed, Responder
from appliance.queue.bell import Bell
from appliance.reply.shelf import Shelves
from appliance.store import Store
from appliance.web import applications
from appliance.web.desk import Desk
from appliance.web.listeners import Listeners


@asynccontextmanager
async def control(
    config: Config, clock: Clock, offline: Offline, responder: Responder, missed: Callable[[Store], Missed]
) -> AsyncIterator[None]:
    """Listens until the context ends; what is sent, or was missed, waits for the next start.

    Raises AlreadyRunningError where an appliance runs, or DatabaseError.
    """

    async def not_running() -> list[str]:
        return ["the appliance is not running"]

    async def nobody_asks() -> list[Finding]:
        return []  # there are no pages

    store = await Store.open(config.storage.directory, clock)
    try:
        desk = Desk(
            store,
            config,
            Bell(),
            offline,
            responder,
            Shelves(),
            missed(store),
            Links(),
            list,
            not_running,
            None,
            nobody_asks,
        )  # no worker hears the bell, no link was asked, no watch looks
        app = applications.control(desk, Metrics().registry, not_running)
        async with Listeners() as listeners:
            await listeners.unix(app, store.directory / CONTROL_SOCKET)
            yield
    finally:
        await responder.close()
        await store.close()
