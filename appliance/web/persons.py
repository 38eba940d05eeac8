"""The part of the API about a person's data: who it is, everything held about them, and that it goes."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.errors import RequestError
from appliance.operations import contacts
from appliance.operations.organizations import find as find_organization
from appliance.privacy import request as wish
from appliance.privacy.export import export
from appliance.store import Tx
from appliance.web.api import BASE
from appliance.web.desk import Desk
from appliance.web.errors import in_parts, json_response
from appliance.web.requests import Forget, Person, TwoAddresses, address_of, ids_of, read_body


class Persons:
    """`requested_by`: who is recorded as the one behind it, "api" or "cli"."""

    def __init__(self, desk: Desk, requested_by: str) -> None:
        self._desk = desk
        self._store = desk.store
        self._requested_by = requested_by

    def add_to(self, app: web.Application) -> None:
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "contacts", self.find),
            ("POST", "contacts/export", self.export),
            ("POST", "contacts/forget", self.forget),
            ("GET", "contacts/forgotten", self.forgotten),
            ("GET", "contacts/links", self.links),
            ("POST", "contacts/link", self.link),
            ("POST", "contacts/unlink", self.unlink),
        ]
        for method, path, handler in routes:
            app.router.add_route(method, f"{BASE}/{path}", handler)

    async def find(self, request: web.Request) -> web.Response:
        """Who it is, and who may be the same person under another form of the address."""
        address, named = address_of(request, "address"), request.query.get("organization")
        if address is None:
            raise RequestError("bad_address", "Name the person's address.", "address")
        return json_response(await self._store.read(lambda tx: wish.find(tx, address, named)))

    async def export(self, request: web.Request) -> web.StreamResponse:
        body = await read_body(request, Person)

        def work(tx: Tx) -> list[bytes | bytearray]:
            return export(tx, wish.owner(tx, body.addresses, body.organization), body.addresses)

        return await in_parts(request, await self._store.inspect(work))

    async def forget(self, request: web.Request) -> web.Response:
        body = await read_body(request, Forget)
        config, by, copies = self._desk.config, self._requested_by, body.at_twilio

        def work(tx: Tx) -> list[int]:
            owner = wish.owner(tx, body.addresses, body.organization)
            found = wish.forget(tx, owner, body.addresses, by, config, at_twilio=copies)
            return [each.id for each in found]

        ids = await self._store.write(work)
        self._desk.bell.ring()
        return json_response({"forgettings": await self._page(ids)}, 202)

    async def forgotten(self, request: web.Request) -> web.Response:
        """How far each is, and which copies of the database still know the person."""
        return json_response({"forgettings": await self._page(ids_of(request))})

    async def _page(self, ids: list[int]) -> list[dict[str, object]]:
        told, next_at = await self._store.read(lambda tx: wish.page(tx, ids))
        return await asyncio.to_thread(wish.with_copies, told, self._store.directory, next_at)

    async def links(self, request: web.Request) -> web.Response:
        named, address = request.query.get("organization"), address_of(request, "address") or ""
        found = await self._store.read(lambda tx: contacts.page(tx, find_organization(tx, named), address))
        return json_response({"contacts": found})

    async def link(self, request: web.Request) -> web.Response:
        body = await read_body(request, TwoAddresses)
        linked = await self._store.write(
            lambda tx: contacts.link(tx, find_organization(tx, body.organization), body.address, body.other)
        )
        return json_response({"linked": linked}, 201)

    async def unlink(self, request: web.Request) -> web.Response:
        body, by = await read_body(request, TwoAddresses), self._requested_by
        undone = await self._store.write(
            lambda tx: contacts.unlink(tx, find_organization(tx, body.organization), body.address, body.other, by)
        )
        return json_response({"unlinked": undone})
