"""Under which names the pages answer, who asks, and who sent a form: a tunnel made for Twilio shows nothing else, no
rebound name reaches them, and no other page's form does anything.
"""

import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import hdrs, web

from appliance.config import Network
from appliance.config.sections import Server

_FORWARDED = ("Forwarded", "X-Real-Ip", "Via", "X-Client-Ip", "True-Client-Ip", "X-Original-Host", "Cdn-Loop",
              "Cf-Connecting-Ip", "Fly-Client-Ip", "Tailscale-Ingress", "Tailscale-User-Login",
              "Ngrok-Trace-Id")  # fmt: skip
_HOST = re.compile(r"(\[[0-9a-f:.]+]|[^:\[\]]+)(?::[0-9]{1,5})?", re.ASCII)
_ONE_CUSTOMER = 64  # bits of an IPv6 address: what is behind one line has the rest


def is_for_pages(request: web.Request, server: Server) -> bool:
    """By the Host that the request names; where it came through a proxy only names that are listed."""
    name = host(request)
    if name in server.page_hosts:
        return True
    if any(header in request.headers for header in _FORWARDED) or any(
        header.lower().startswith("x-forwarded-") for header in request.headers
    ):
        return False
    own = socket.gethostname().lower().partition(".")[0]  # as mDNS calls it
    return name == "localhost" or _ip(name) is not None or name == f"{own}.local"


def host(request: web.Request) -> str:
    """Without the port and an address's brackets, in lower case; empty where it is none, or not exactly one."""
    named = request.headers.getall(hdrs.HOST, [])
    found = _HOST.fullmatch(named[0].lower()) if len(named) == 1 else None
    return found[1].strip("[]").removesuffix(".") if found else ""


def is_secure(request: web.Request) -> bool:
    """Whether the browser speaks TLS with whoever stands before us."""
    said = request.headers.get("X-Forwarded-Proto", request.scheme)
    return said.partition(",")[0].strip().lower() == "https"


def is_from_here(request: web.Request) -> bool:
    """Whether a form was sent from a page of this very address. Sec-Fetch-Site is there only with TLS or on loopback;
    Origin is there with every POST of a browser.
    """
    site, origins = request.headers.get("Sec-Fetch-Site"), request.headers.getall("Origin", [])
    if site is not None and site != "same-origin":
        return False
    if not origins:
        return site == "same-origin"
    schemes = ("https",) if is_secure(request) else ("http", "https")
    return len(origins) == 1 and origins[0].lower() in [f"{scheme}://{request.host.lower()}" for scheme in schemes]


def client(request: web.Request, trusted: Sequence[Network]) -> str:
    """Whose request it is, for limits only: the nearest address that is no proxy of ours; of an IPv6 one its line."""
    address, hops = _ip(request.remote or ""), ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    while address is not None and _is_in(address, trusted) and hops:
        before = _ip(hops.pop().strip())
        if before is None:
            break
        address = before
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), _ONE_CUSTOMER), strict=False))
    return str(address)


def _is_in(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
