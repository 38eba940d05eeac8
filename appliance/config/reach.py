"""How a browser elsewhere reaches what listens here."""

import socket

from appliance.config.keys import Address
from appliance.config.sections import Server

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def reached(listen: Address) -> Address:
    """Where all addresses are listened at, this machine's own in its network."""
    return Address(_own_address(listen.host), listen.port) if listen.host in EVERYWHERE else listen


def pages_url(server: Server) -> str:
    """Where the owner's pages begin: through what stands before us, if it has a name for them."""
    return f"https://{server.page_hosts[0]}" if server.page_hosts else f"http://{reached(server.listen)}"


def _own_address(host: str) -> str:
    """A UDP socket finds the route and sends nothing."""
    family, elsewhere = (socket.AF_INET6, "2001:db8::1") if ":" in host else (socket.AF_INET, "192.0.2.1")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((elsewhere, 9))
        except OSError:
            return EVERYWHERE[host]
        return str(probe.getsockname()[0])
