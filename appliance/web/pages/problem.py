"""A refusal that a browser gets is a page in words; whatever else asks gets it as JSON."""

import sqlite3
from collections.abc import Mapping

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from appliance.errors import ApplianceError
from appliance.web.desk import Desk
from appliance.web.pages import hosts
from appliance.web.pages.guard import Guard, first_organization
from appliance.web.pages.page import rendered
from appliance.web.pages.words import Words

TOLD = web.ResponseKey("told", tuple[str, Mapping[str, str | int]])  # of a refusal: why, and what fills its gaps
_MACHINES = ("/api/", "/twilio/", "/metrics", "/healthz", "/readyz")  # who asks there reads no pages
_KEPT = (hdrs.ALLOW, hdrs.RETRY_AFTER)


def hidden(desk: Desk) -> Middleware:
    """A middleware: under another name than the pages' a path of theirs is as unknown as any, whatever the method."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_wrong_method = isinstance(request.match_info.http_exception, web.HTTPMethodNotAllowed)
        if is_wrong_method and not _is_of_machines(request) and not hosts.is_for_pages(request, desk.config.server):
            raise web.HTTPNotFound
        return await handler(request)

    return middleware


def in_words(desk: Desk) -> Middleware:
    """A middleware around the one that makes refusals of errors."""
    guard = Guard(desk)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = await handler(request)
        if TOLD not in refusal or _is_of_machines(request) or "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
            return refusal
        if not hosts.is_for_pages(request, desk.config.server):
            return refusal
        words = await _words(desk, guard, request)
        title, text = _told(words, refusal.status, *refusal[TOLD])
        page = rendered("problem.html", words, refusal.status, title=title, text=text)
        page.headers.update({name: refusal.headers[name] for name in _KEPT if name in refusal.headers})
        return page

    return middleware


def _is_of_machines(request: web.Request) -> bool:
    return request.path.startswith(_MACHINES)


async def _words(desk: Desk, guard: Guard, request: web.Request) -> Words:
    """As whoever asks reads; where even that cannot be found out, as the box does."""
    try:
        visit = await guard.visit(request)
        now, language, timezone = await desk.store.read(first_organization)
    except (ApplianceError, sqlite3.DatabaseError):
        return Words(desk.config.server.language or "en", "UTC", 0)
    if visit is None:
        return Words(language, timezone, now)
    return Words(visit.user.language or visit.organization.language, visit.organization.timezone, now)


def _told(words: Words, status: int, why: str, values: Mapping[str, str | int]) -> tuple[str, str]:
    match status:
        case 404:
            return words.t("There is nothing here."), words.t("It may have been removed, or the address has a slip.")
        case 500:
            return words.t("Something went wrong here."), words.t("Whoever looks after the box finds more in its log.")
        case 503:
            return words.t("The box cannot do this just now."), words.t(why, **values)
    return words.t("That did not work."), words.t(why, **values)
