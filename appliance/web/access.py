"""Who may use the API: over HTTP whoever has the key, over the control socket whoever may open it."""

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from appliance.errors import RequestError

METRICS_PATH = "/metrics"
GUARDED = ("/api/", METRICS_PATH)


def key_required(api_key: str | None) -> Middleware:
    """A middleware: a wrong or missing key is 401; where none is configured there is nothing here (404)."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        # By the route that answers as well as by the path, so that no spelling of a path goes around it.
        resource = request.match_info.route.resource
        if not (resource.canonical if resource else "").startswith(GUARDED) and not request.path.startswith(GUARDED):
            return await handler(request)
        if api_key is None:
            raise web.HTTPNotFound
        if not _holds(request, api_key):
            raise RequestError("unauthorized", "The API key is missing or wrong.", status=401)
        return await handler(request)

    return guard


def _holds(request: web.Request, api_key: str) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    presented = [request.headers.get("X-API-Key", ""), token.strip() if scheme.lower() == "bearer" else ""]
    expected = api_key.encode()
    matches = [hmac.compare_digest(text.encode(errors="surrogateescape"), expected) for text in presented]
    return any(matches)
