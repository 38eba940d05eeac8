"""/events: that something changed of what a user sees, never what; the page then reads itself again."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from appliance.errors import RequestError
from appliance.operations import users
from appliance.operations.users import Visit
from appliance.store.stir import BOX
from appliance.web.desk import Desk
from appliance.web.pages.page import Page
from appliance.web.pages.site import Site

MOST = 100  # open pages of one organization's users: each reads again at every change
FOLD = 0.5  # seconds between two events
STILL_HERE = 15.0  # seconds without one: proxies close what says nothing, and a session may have ended


class Events:
    """One for all open pages: the store is listened to while there is any."""

    def __init__(self, desk: Desk) -> None:
        self._store = desk.store
        self._waiting: dict[asyncio.Event, Visit] = {}
        self._stopping = False

    def add_to(self, site: Site) -> None:
        site.get("/events", self.stream, head=False)
        site.at_stop(self.stop)

    async def stop(self, _app: web.Application) -> None:
        """No stop waits for a page that is open."""
        self._stopping = True
        for bell in self._waiting:
            bell.set()

    async def stream(self, page: Page) -> web.StreamResponse:
        own = page.visit.user.organization_id
        if sum(visit.user.organization_id == own for visit in self._waiting.values()) >= MOST:
            raise RequestError("too_many_pages", "Too many pages are open.", status=429)
        bell = asyncio.Event()
        self._waiting[bell] = page.visit
        try:
            if len(self._waiting) == 1:
                await self._store.listen(self._heard)
            if page.request.transport is None:
                raise ConnectionResetError  # the browser has left
            async with sse_response(page.request, headers={"X-Accel-Buffering": "no"}) as response:
                with suppress(ConnectionResetError):
                    await self._tell(response, bell)
            return response
        finally:
            del self._waiting[bell]
            if not self._waiting:
                await self._store.leave(self._heard)

    async def _tell(self, response: EventSourceResponse, bell: asyncio.Event) -> None:
        """As long as the session lasts, of what the user may see by then; at its end once more: the page then finds the
        door.
        """
        visit: Visit | None = self._waiting[bell]
        while visit is not None and not self._stopping and response.is_connected():
            await _rung(bell)
            visit = await self._visit(visit)
            self._waiting[bell] = visit or self._waiting[bell]
            if (bell.is_set() or visit is None) and not self._stopping:
                bell.clear()
                await response.send("", event="changed")
                await asyncio.sleep(FOLD)

    def tell_the_box(self) -> None:
        """Something of the box itself changed that is not in the store."""
        self._heard([BOX])

    def _heard(self, changed: Iterable[int]) -> None:
        organizations = set(changed)
        for bell, visit in self._waiting.items():
            if visit.organization.id in organizations or (visit.sees_box and BOX in organizations):
                bell.set()

    async def _visit(self, visit: Visit) -> Visit | None:
        return await self._store.read(lambda tx: users.visit(tx, visit.session, visit.organization.id))


async def _rung(bell: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(STILL_HERE):
            await bell.wait()
    except TimeoutError:
        pass
