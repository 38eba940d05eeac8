"""A person takes a customer over, or answers by hand: part of the API."""

from aiohttp import web

from appliance.operations import hands
from appliance.operations.hands import Reply
from appliance.operations.organizations import whose
from appliance.web.api import BASE
from appliance.web.desk import Desk
from appliance.web.errors import json_response
from appliance.web.requests import Body, read_body


class Words(Body):
    body: str
    idempotency_key: str | None = None


class Hands:
    """`intended_by`: who is recorded as the one who does it, "api" or "cli"."""

    def __init__(self, desk: Desk, intended_by: str) -> None:
        self._desk = desk
        self._intended_by = intended_by

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(f"{BASE}/conversations/{{conversation}}/take", self.take)
        app.router.add_post(f"{BASE}/conversations/{{conversation}}/reply", self.reply)

    async def take(self, request: web.Request) -> web.Response:
        named, owner = request.match_info["conversation"], request.query.get("organization")
        taken = await self._desk.store.write(lambda tx: hands.take(tx, whose(tx, owner), named, self._intended_by))
        return json_response({"id": taken.id, "state": "taken"})

    async def reply(self, request: web.Request) -> web.Response:
        named, owner = request.match_info["conversation"], request.query.get("organization")
        body = await read_body(request, Words)
        reply = Reply(body.body, body.idempotency_key, self._intended_by)
        submitted = await self._desk.store.write(
            lambda tx: hands.reply(tx, whose(tx, owner), named, reply, self._desk.config)
        )
        self._desk.bell.ring()
        return json_response(submitted, 202)
