"""Every refusal as JSON `{"error": {"code", "message", "field"}}`; never a traceback, no header that tells too much."""

import asyncio
import sqlite3
from collections.abc import Sequence

import msgspec
import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from appliance.errors import ApplianceError, RequestError, StorageFullError, StorageUnavailableError
from appliance.web.pages.problem import TOLD

_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_MESSAGES = {
    404: "There is nothing here.",
    405: "This method does not work here.",
    413: "The request is larger than allowed.",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
PART = 64 * 1024
log = structlog.get_logger()


def json_response(value: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


async def in_parts(request: web.Request, parts: Sequence[bytes | bytearray]) -> web.StreamResponse:
    """JSON that may be very large: others are served while it goes out."""
    response = web.StreamResponse()
    response.content_type, response.content_length = "application/json", sum(map(len, parts))
    await response.prepare(request)
    for each in parts:
        part = memoryview(each)
        for start in range(0, len(part), PART):
            await response.write(bytes(part[start : start + PART]))
            await asyncio.sleep(0)  # a reader that is fast enough makes nobody wait
    await response.write_eof()
    return response


def error_response(status: int, code: str, message: str, field: str | None = None) -> web.Response:
    response = json_response({"error": {"code": code, "message": message, "field": field}}, status)
    response[TOLD] = message, {}
    return response


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RequestError as error:
        response = error_response(error.status, error.code, error.message, error.field)
        response[TOLD] = error.words, error.values
        return response
    except (ApplianceError, sqlite3.DatabaseError) as error:
        log.error("request not served", error=type(error).__name__)
        code, message = "storage_unavailable", "The storage does not answer now; try again."
        if isinstance(error, StorageUnavailableError):
            code, message = "storage_full" if isinstance(error, StorageFullError) else "storage_busy", str(error)
        return error_response(503, code, message)
    except web.HTTPException as error:
        return _http(error)
    except ConnectionError:
        if request.transport is not None:
            raise
        return web.Response(status=400)  # the caller went away: nobody reads this, and the log is told nothing
    except Exception:
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "unknown"
        log.exception("request failed", method=request.method, route=route)
        return error_response(500, "internal", "Something went wrong here; the log says more.")


def _http(error: web.HTTPException) -> web.Response:
    """aiohttp's own refusals; a webhook's are bare already."""
    if error.status not in _CODES:
        raise error
    response = error_response(error.status, _CODES[error.status], _MESSAGES[error.status])
    if hdrs.ALLOW in error.headers:
        response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
    return response


async def harden(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler for every response; a page that needs more says so itself."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers[hdrs.SERVER] = "appliance"
