"""How the box is: part of the API."""

from dataclasses import asdict, replace

from aiohttp import web

from appliance.operations import glance, status
from appliance.store import Tx
from appliance.web.api import BASE
from appliance.web.desk import Desk
from appliance.web.errors import json_response


class Status:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{BASE}/status", self.status)

    async def status(self, request: web.Request) -> web.Response:
        """`?totals=0`: without the counts of everything there ever was, which take their time."""
        desk, without = self._desk, request.query.get("totals") == "0"
        reasons = await desk.faults() if desk.started_at is not None else []
        links = {each.name: replace(each) for each in desk.links}
        process = glance.Process(desk.started_at, links, desk.untold(), reasons)

        def look(tx: Tx) -> dict[str, object]:
            counted = {} if without else asdict(status.status(tx, desk.started_at))
            return counted | asdict(glance.glance(tx, process, desk.config, desk.store.directory))

        return json_response(await desk.store.inspect(look))
