"""All pages together, each under its guard; and what goes with them: styles, script, live events."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from appliance.web.desk import Desk
from appliance.web.pages.guard import Guard, Shown
from appliance.web.pages.page import STATIC

ID = "{id:[0-9]{1,18}}"
_YEAR = 365 * 24 * 3_600
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Site:
    """How a part adds its pages."""

    def __init__(self, app: web.Application, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    def open(self, method: str, path: str, handler: Handler) -> None:
        """For whoever asks."""
        add = self._app.router.add_get if method == "GET" else self._app.router.add_post
        add(path, self._guard.open(handler))

    def get(self, path: str, handler: Shown, *, box: bool = False, head: bool = True) -> None:
        """For a user; `box`: for one who sees the box's own parts. `head`: there is an end that HEAD can wait for."""
        self._app.router.add_get(path, self._guard.signed_in(handler, box=box), allow_head=head)

    def post(self, path: str, handler: Shown, *, shows: Shown | None = None, box: bool = False) -> None:
        """An action. `shows`: the page on which a refusal is told."""
        self._app.router.add_post(path, self._guard.signed_in(handler, box=box, shows=shows))

    def at_stop(self, end: Callable[[web.Application], Awaitable[None]]) -> None:
        self._app.on_shutdown.append(end)


class Rooms(Protocol):
    """Pages of one concern."""

    def add_to(self, site: Site) -> None: ...


class Pages:
    def __init__(self, desk: Desk, *rooms: Rooms) -> None:
        self._guard = Guard(desk)
        self._rooms = rooms
        self._files = {each.name: each.read_bytes() for each in STATIC.iterdir()}

    def add_to(self, app: web.Application) -> None:
        site = Site(app, self._guard)
        site.open("GET", "/static/{name}", self.file)
        for each in self._rooms:
            each.add_to(site)

    async def file(self, request: web.Request) -> web.Response:
        """By its version in the address it never changes."""
        name = request.match_info["name"]
        if name not in self._files:
            raise web.HTTPNotFound
        kind = _TYPES[name[name.rindex(".") :]]
        kept = {hdrs.CACHE_CONTROL: f"public, max-age={_YEAR}, immutable"}
        return web.Response(body=self._files[name], content_type=kind, charset="utf-8", headers=kept)
