"""Tests of the way in. Who asks for one over the control socket gets a nonce, calls the status hook with it from
outside as Twilio would, and asks here what came of it. Nothing of it is stored.
"""

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from appliance.web.errors import json_response
from appliance.wire import PROBE, PROBE_HEADER

MOST = 20  # that are waited for; the oldest is forgotten


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a probe came in, and what it was answered. `target`: path and query; `signed`: its signature was there."""

    status: int
    target: str
    signed: bool


class Probes:
    def __init__(self, public_url: str) -> None:
        self._public_url = public_url
        self._expected: dict[str, Arrival | None] = {}

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/api/v1/probes", self.begin)
        app.router.add_get("/api/v1/probes/{nonce}", self.tell)

    async def begin(self, _request: web.Request) -> web.Response:
        nonce, public_url = await self.expect()
        return json_response({"nonce": nonce, "public_url": public_url}, 201)

    async def tell(self, request: web.Request) -> web.Response:
        return json_response({"arrival": await self.arrival(request.match_info["nonce"])})

    async def expect(self) -> tuple[str, str]:
        """As diagnosis.probe.Desk, for this process itself: the nonce, and the public URL in force."""
        nonce = secrets.token_hex(16)
        self._expected[nonce] = None
        if len(self._expected) > MOST:
            del self._expected[next(iter(self._expected))]
        return nonce, self._public_url

    async def arrival(self, nonce: str) -> dict[str, Any] | None:
        """Once; then it is forgotten."""
        arrival = self._expected.pop(nonce, None)
        return None if arrival is None else asdict(arrival)

    async def look(self, request: web.Request, response: web.StreamResponse) -> None:
        """Signal handler for every response to the network: a probe may have come anywhere."""
        if not self._expected:
            return
        named = request.query.get("o", "").removeprefix(PROBE), request.headers.get(PROBE_HEADER, "")
        for nonce in self._expected.keys() & set(named):
            signed = bool(request.headers.get("X-Twilio-Signature"))
            self._expected[nonce] = Arrival(response.status, request.raw_path, signed)
