"""What needs the owner's eye, in words: part of the API."""

from typing import Annotated

import msgspec
from aiohttp import web

from appliance.operations import cards
from appliance.operations.organizations import whose
from appliance.web.api import BASE, ID
from appliance.web.desk import Desk
from appliance.web.errors import json_response
from appliance.web.requests import Body, id_of, read_body


class Dismissal(Body):
    reason: Annotated[str, msgspec.Meta(max_length=cards.MAX_REASON)]


class Cards:
    def __init__(self, desk: Desk) -> None:
        self._store = desk.store
        self._untold = desk.untold
        self._language = desk.config.server.language

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{BASE}/cards", self.opened)
        app.router.add_post(f"{BASE}/cards/{ID}/dismiss", self.dismiss)

    async def opened(self, request: web.Request) -> web.Response:
        named = request.query.get("organization")
        untold = self._untold()
        found = await self._store.read(lambda tx: cards.opened(tx, whose(tx, named), self._language, untold))
        return json_response({"cards": found})

    async def dismiss(self, request: web.Request) -> web.Response:
        card_id, body = id_of(request), await read_body(request, Dismissal)
        await self._store.write(lambda tx: cards.dismiss(tx, card_id, body.reason))
        return web.Response(status=204)
