"""Who wrote, and what was said with each: part of the API."""

from aiohttp import web

from appliance.operations import correspondents, organizations, threads
from appliance.operations.transcript import Reader
from appliance.store import Tx
from appliance.web.api import BASE, ID
from appliance.web.desk import Desk
from appliance.web.errors import json_response
from appliance.web.requests import id_of, limit_of


class Conversations:
    def __init__(self, desk: Desk) -> None:
        self._store = desk.store
        self._config = desk.config

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{BASE}/conversations", self.conversations)
        app.router.add_get(f"{BASE}/conversations/{ID}", self.conversation)

    async def conversations(self, request: web.Request) -> web.Response:
        """`?show=` waiting, yours or trouble; `?q=` words, a name or a number; `?before=` the answer's `older`."""
        query, limit = request.query, limit_of(request)

        def look(tx: Tx) -> correspondents.Listing:
            return correspondents.listing(
                tx,
                organizations.find(tx, query.get("organization")).id,
                show=query.get("show", "all"),
                query=query.get("q", ""),
                before=query.get("before", ""),
                limit=limit,
            )

        found = await self._store.read(look)
        told = {"conversations": found.entries, "counts": found.counts, "older": found.older}
        return json_response(told | {"searched": {"people": found.people, "since": found.since}})

    async def conversation(self, request: web.Request) -> web.Response:
        """The whole thread of its customer; `?before=` the answer's `older`."""
        named, before, conversation_id = (
            request.query.get("organization"),
            request.query.get("before", ""),
            id_of(request),
        )

        def look(tx: Tx) -> threads.Thread:
            owner = organizations.whose(tx, named) or threads.owner(tx, conversation_id)
            return threads.thread(tx, conversation_id, Reader(owner, "en", self._config), before)

        return json_response(await self._store.read(look))
