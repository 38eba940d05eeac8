"""How Twilio's log compares with our books: part of the API."""

from aiohttp import web

from appliance.operations import organizations, statement
from appliance.store import Tx
from appliance.web.api import BASE
from appliance.web.desk import Desk
from appliance.web.errors import json_response


class Statements:
    def __init__(self, desk: Desk) -> None:
        self._store = desk.store

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{BASE}/statement", self.of_day)

    async def of_day(self, request: web.Request) -> web.Response:
        """Of the last seven days where no `day` is named; of the only organization, or of the named one."""
        named, day = request.query.get("organization"), request.query.get("day")

        def look(tx: Tx) -> list[statement.Day]:
            return statement.of_day(tx, organizations.find(tx, named), day)

        return json_response({"statements": await self._store.read(look)})
