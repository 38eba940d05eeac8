"""Stopping and going on: part of the API."""

from dataclasses import asdict

from aiohttp import web

from appliance.operations import conversations, pauses
from appliance.operations.organizations import whose
from appliance.store import Tx
from appliance.web.api import BASE
from appliance.web.desk import Desk
from appliance.web.errors import json_response
from appliance.web.requests import Body, read_body


class End(Body):
    until: str | int = pauses.BY_HAND


class Pauses:
    """`by`: who is recorded as the one who paused, "api" or "cli"."""

    def __init__(self, desk: Desk, by: str) -> None:
        self._desk = desk
        self._by = by

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{BASE}/pauses", self.in_force)
        app.router.add_post(f"{BASE}/pause", self.pause)
        app.router.add_post(f"{BASE}/resume", self.resume)
        app.router.add_post(f"{BASE}/conversations/{{conversation}}/pause", self.pause_conversation)

    async def in_force(self, request: web.Request) -> web.Response:
        named = request.query.get("organization")
        found = await self._desk.store.read(lambda tx: pauses.everywhere(tx, whose(tx, named)))
        return json_response({"pauses": found})

    async def pause(self, request: web.Request) -> web.Response:
        """`?organization=`: that one; without, the box."""
        named, end = request.query.get("organization"), await _end(request)
        begun = await self._desk.store.write(lambda tx: pauses.pause(tx, whose(tx, named), end.until, self._by))
        return json_response(begun)

    async def resume(self, request: web.Request) -> web.Response:
        """The same; and which pauses are still in force."""
        named = request.query.get("organization")
        answer = await self._desk.store.write(lambda tx: pauses.resumed(tx, whose(tx, named)))
        self._desk.bell.ring()
        return json_response(answer)

    async def pause_conversation(self, request: web.Request) -> web.Response:
        named, owner, end = request.match_info["conversation"], request.query.get("organization"), await _end(request)

        def begin(tx: Tx) -> dict[str, object]:
            found = conversations.find(tx, whose(tx, owner), named)
            return {"id": found.id, **asdict(conversations.pause(tx, found, end.until, self._by))}

        return json_response(await self._desk.store.write(begin))


async def _end(request: web.Request) -> End:
    return await read_body(request, End) if request.can_read_body else End()
