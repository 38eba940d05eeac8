"""Who may see a page: its host, the sender of a form, the session; and what is shown instead."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.errors import RequestError
from appliance.model import HOUR
from appliance.operations import users
from appliance.operations.users import Visit
from appliance.store import Tx
from appliance.store.users import KEEP
from appliance.web.desk import Desk
from appliance.web.pages import hosts
from appliance.web.pages.page import Page
from appliance.web.pages.words import Words

SIGN_IN = "/sign-in"
LOOKING_AT = "organization"  # cookie: which one an admin looks at
SEEN_EVERY = HOUR  # a session's last use is written so often
_FORM = "application/x-www-form-urlencoded"

Shown = Callable[[Page], Awaitable[web.StreamResponse]]


class Guard:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open(self, handler: Handler) -> Handler:
        """For whoever asks under one of the pages' names."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if not hosts.is_for_pages(request, self._desk.config.server):
                raise web.HTTPNotFound
            if request.method == "POST" and not hosts.is_from_here(request):
                raise RequestError("forged", "This form was not sent from a page of this appliance.", status=403)
            return await handler(request)

        return guarded

    def signed_in(self, handler: Shown, *, box: bool = False, shows: Shown | None = None) -> Handler:
        """For a user. `box`: only one who sees the box's own parts. `shows`: the page on which a refusal is told."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            visit = await self.visit(request)
            if visit is None:
                raise web.HTTPSeeOther(SIGN_IN)
            if box and not visit.sees_box:
                raise web.HTTPNotFound
            page = await self._page(request, visit)
            try:
                return await handler(page)
            except RequestError as error:
                if shows is None or error.status == 404:
                    raise
                page.refusal, page.status = page.words.t(error.words, **error.values), error.status
                return await shows(page)

        return self.open(guarded)

    async def visit(self, request: web.Request) -> Visit | None:
        """Whose session the request has; at most once an hour it is noted that it was used."""
        cookie = request.cookies.get(cookie_name(request))
        if not cookie:
            return None
        session, chosen = users.hashed(cookie), request.cookies.get(LOOKING_AT, "")
        wanted = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 18 else None
        now, visit = await self._desk.store.read(lambda tx: (tx.now, users.visit(tx, session, wanted)))
        if visit is not None and now - visit.seen_at >= SEEN_EVERY:
            user = visit.user.id
            await self._desk.store.write(lambda tx: tx.users.seen(user, session))
        return visit

    async def _page(self, request: web.Request, visit: Visit) -> Page:
        organization = visit.organization
        now = await self._desk.store.read(lambda tx: tx.now)
        words = Words(visit.user.language or organization.language, organization.timezone, now)
        form = await read_form(request) if request.method == "POST" else {}
        return Page(request, self._desk, visit, words, form)


async def read_form(request: web.Request) -> dict[str, str]:
    """What was filled in; raises RequestError."""
    if not request.can_read_body:
        return {}
    if request.content_type != _FORM:
        raise RequestError("unsupported_media_type", f"The body must be {_FORM}.", status=415)
    try:
        found = await request.post()
    except (UnicodeDecodeError, ValueError):
        raise RequestError("bad_form", "The form is not readable.") from None
    return {name: value for name, value in found.items() if isinstance(value, str)}


def cookie_name(request: web.Request) -> str:
    """With its prefix a browser takes it only over TLS, for this host and no other."""
    return "__Host-session" if hosts.is_secure(request) else "session"


def begin_session(request: web.Request, response: web.StreamResponse, cookie: str) -> None:
    response.set_cookie(
        cookie_name(request),
        cookie,
        max_age=KEEP // 1_000,
        path="/",
        secure=hosts.is_secure(request),
        httponly=True,
        samesite="Lax",
    )


def end_session(request: web.Request, response: web.StreamResponse) -> None:
    name = cookie_name(request)
    response.del_cookie(name, path="/", secure=hosts.is_secure(request), httponly=True, samesite="Lax")


def first_organization(tx: Tx) -> tuple[int, str, str]:
    """Now, and the language and time zone of whoever is not known yet."""
    first = next(iter(tx.organizations.page_of_the_box(limit=1)), None)
    return tx.now, first.language if first else "en", first.timezone if first else "UTC"
