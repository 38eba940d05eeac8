"""Who may see a page: its host, the sender of a form, the session; and what is shown instead."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.errors import ApplianceError, RequestError
from appliance.model import HOUR, SECOND
from appliance.operations import users
from appliance.operations.users import Visit
from appliance.store import Tx
from appliance.store.users import KEEP
from appliance.web.desk import Desk
from appliance.web.pages import hosts
from appliance.web.pages.page import MINE, Page
from appliance.web.pages.words import Words

SIGN_IN = "/sign-in"
LOOKING_AT = "organization"  # cookie: which one an admin looks at
SEEN_EVERY = HOUR  # a session's last use is written so often
PATIENCE = 10.0  # seconds for a form
_FORM, _CHARSET = "application/x-www-form-urlencoded", "utf-8"  # as our pages send
_ELSEWHERE = "Meanwhile you look at another organization. Nothing was changed."
_UNREADABLE = "The form is not readable."

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
            now, visit = await self._visit(request)
            if visit is None:
                raise web.HTTPSeeOther(SIGN_IN)
            if box and not visit.sees_box:
                raise web.HTTPNotFound
            language = visit.user.language or visit.organization.language
            words = Words(language, visit.organization.timezone, now)
            page = Page(request, self._desk, visit, words, await read_form(request))
            if page.form.get(MINE, own := str(visit.organization.id)) != own:
                raise RequestError("elsewhere", _ELSEWHERE, status=409)
            try:
                response = await handler(page)
            except web.HTTPSeeOther as redirection:
                await self._renew(page, redirection)
                raise
            except RequestError as error:
                if shows is None or error.status == 404:
                    raise
                page.refusal, page.status = words.t(error.words, **error.values), error.status
                response = await shows(page)
            await self._renew(page, response)
            return response

        return self.open(guarded)

    async def visit(self, request: web.Request) -> Visit | None:
        """Whose session the request has."""
        return (await self._visit(request))[1]

    async def _visit(self, request: web.Request) -> tuple[int, Visit | None]:
        cookie = request.cookies.get(cookie_name(request))
        if not cookie:
            return 0, None
        session, chosen = users.hashed(cookie), request.cookies.get(cookie_name(request, LOOKING_AT), "")
        wanted = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 18 else None
        return await self._desk.store.read(lambda tx: (tx.now, users.visit(tx, session, wanted)))

    async def _renew(self, page: Page, response: web.StreamResponse) -> None:
        """The session's days begin anew, here and in the browser; not where it has just ended, and a disk that takes
        nothing keeps nobody from looking.
        """
        visit, name = page.visit, cookie_name(page.request)
        if response.prepared or name in response.cookies or page.words.now - visit.seen_at < SEEN_EVERY:
            return
        user, session = visit.user.id, visit.session
        with suppress(ApplianceError):
            await self._desk.store.write(lambda tx: tx.users.seen(user, session))
            begin_session(page.request, response, page.request.cookies[name])


async def read_form(request: web.Request) -> dict[str, str]:
    """What was filled in; raises RequestError."""
    if request.method != "POST" or not request.can_read_body:
        return {}
    if request.content_type != _FORM:
        raise RequestError("unsupported_media_type", f"The body must be {_FORM}.", status=415)
    if (request.charset or _CHARSET).lower() != _CHARSET:  # others have characters that are none
        raise RequestError("bad_form", _UNREADABLE)
    try:
        async with asyncio.timeout(PATIENCE):
            found = await request.post()
    except (ValueError, web.RequestPayloadError):
        raise RequestError("bad_form", _UNREADABLE) from None
    except TimeoutError:
        raise RequestError("slow_form", "The form took too long.", status=408) from None
    return {name: value for name, value in found.items() if isinstance(value, str)}


def cookie_name(request: web.Request, name: str = "session") -> str:
    """With its prefix a browser takes it only over TLS, for this host and no other."""
    return f"__Host-{name}" if hosts.is_secure(request) else name


def begin_session(request: web.Request, response: web.StreamResponse, cookie: str) -> None:
    keep(request, response, cookie_name(request), cookie, KEEP)


def end_session(request: web.Request, response: web.StreamResponse) -> None:
    for name in (cookie_name(request), cookie_name(request, LOOKING_AT)):
        response.del_cookie(name, path="/", secure=hosts.is_secure(request), httponly=True, samesite="Lax")


def keep(request: web.Request, response: web.StreamResponse, name: str, value: str, lasts: int) -> None:
    """A cookie that no script and no other site's form has. `lasts`: ms."""
    response.set_cookie(
        name,
        value,
        max_age=lasts // SECOND,
        path="/",
        secure=hosts.is_secure(request),
        httponly=True,
        samesite="Lax",
    )


def first_organization(tx: Tx) -> tuple[int, str, str]:
    """Now, and the language and time zone of whoever is not known yet."""
    first = next(iter(tx.organizations.page_of_the_box(limit=1)), None)
    return tx.now, first.language if first else "en", first.timezone if first else "UTC"
