"""Who may look in, for whoever may open the control socket: part of the API."""

from aiohttp import web

from appliance.config.reach import pages_url
from appliance.operations import organizations, passwords, users
from appliance.store.users import LINK
from appliance.web.api import BASE
from appliance.web.desk import Desk
from appliance.web.errors import json_response
from appliance.web.requests import Body, read_body


class NewUser(Body):
    email: str
    admin: bool = False
    organization: str | int | None = None


class NewPassword(Body):
    email: str
    password: str


class WhoseLink(Body):
    email: str


class Users:
    def __init__(self, desk: Desk) -> None:
        self._store = desk.store
        self._server = desk.config.server

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{BASE}/users", self.users)
        app.router.add_post(f"{BASE}/users", self.add)
        app.router.add_post(f"{BASE}/users/password", self.set_password)
        app.router.add_post(f"{BASE}/users/link", self.link)

    async def users(self, request: web.Request) -> web.Response:
        named = request.query.get("organization")
        found = await self._store.read(lambda tx: users.page(tx, organizations.whose(tx, named)))
        return json_response({"users": found})

    async def add(self, request: web.Request) -> web.Response:
        body = await read_body(request, NewUser)
        added = await self._store.write(
            lambda tx: users.add(tx, organizations.find(tx, body.organization).id, body.email, admin=body.admin)
        )
        return json_response({"id": added}, 201)

    async def set_password(self, request: web.Request) -> web.Response:
        body = await read_body(request, NewPassword)
        about = await self._store.read(lambda tx: users.about(tx, users.find(tx, body.email)))
        hashed = await passwords.make(body.password, about)
        await self._store.write(lambda tx: users.set_password(tx, users.find(tx, body.email), hashed))
        return web.Response(status=204)

    async def link(self, request: web.Request) -> web.Response:
        body = await read_body(request, WhoseLink)
        now, word = await self._store.write(lambda tx: (tx.now, users.link(tx, users.find(tx, body.email))))
        return json_response({"url": f"{pages_url(self._server)}/link/{word}", "expires_at": now + LINK}, 201)
