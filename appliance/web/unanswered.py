"""What customers asked this week and nobody knew: part of the API."""

from aiohttp import web

from appliance.operations import organizations, unanswered
from appliance.web.api import BASE, ID
from appliance.web.desk import Desk
from appliance.web.errors import json_response
from appliance.web.requests import id_of


class Unanswered:
    def __init__(self, desk: Desk) -> None:
        self._store = desk.store

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{BASE}/unanswered", self.of_the_week)
        app.router.add_post(f"{BASE}/unanswered/{ID}/put-away", self.put_away)

    async def of_the_week(self, request: web.Request) -> web.Response:
        """Grouped by their words, what most people asked first."""
        named = request.query.get("organization")
        found = await self._store.read(lambda tx: unanswered.of_the_week(tx, organizations.find(tx, named)))
        return json_response({"unanswered": found})

    async def put_away(self, request: web.Request) -> web.Response:
        """All of the same words."""
        question, named = id_of(request), request.query.get("organization")
        await self._store.write(lambda tx: unanswered.put_away(tx, organizations.find(tx, named), question))
        return json_response({"id": question})
