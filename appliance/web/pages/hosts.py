"""Under which names the pages answer: a tunnel made for Twilio shows nothing else, and no rebound name reaches them."""

import re
import socket
from ipaddress import ip_address

from aiohttp import web

from appliance.config.sections import Server

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via",
              "Cf-Connecting-Ip", "Tailscale-Ingress", "Ngrok-Trace-Id")  # fmt: skip


def is_for_pages(request: web.Request, server: Server) -> bool:
    """By the Host that the request names; where it came through a proxy only names that are listed."""
    name = host(request)
    if name in server.page_hosts:
        return True
    if any(header in request.headers for header in _FORWARDED):
        return False
    return name == "localhost" or _is_ip(name) or name == f"{socket.gethostname().lower()}.local"


def host(request: web.Request) -> str:
    """Without the port, in lower case."""
    return re.sub(r":[0-9]*$", "", request.host.lower()).removesuffix(".")


def is_secure(request: web.Request) -> bool:
    """Whether the browser speaks TLS with whoever stands before us."""
    return request.headers.get("X-Forwarded-Proto", request.scheme).lower() == "https"


def _is_ip(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_from_here(request: web.Request) -> bool:
    """Whether a form was sent from a page of this very address. Sec-Fetch-Site is there only with TLS or on loopback;
    Origin is there with every POST of a browser.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return site == "same-origin"
    scheme, _, rest = origin.partition("://")
    return scheme in ("http", "https") and rest.lower() == request.host.lower()
