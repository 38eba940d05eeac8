"""What an organization says of itself and in which words: part of the API."""

from typing import Annotated

import msgspec
from aiohttp import web

from appliance.errors import RequestError
from appliance.operations import profile, texts
from appliance.operations.organizations import find
from appliance.operations.profile import Change
from appliance.store import Tx
from appliance.web.api import BASE
from appliance.web.desk import Desk
from appliance.web.errors import json_response
from appliance.web.requests import Body, Name, read_body


class NewProfile(Body):
    organization: str | int | None = None
    name: str | None = None
    contact: str | None = None
    language: str | None = None
    timezone: Name | None = None
    instructions: str | None = None
    hours: Annotated[list[list[list[str]]], msgspec.Meta(max_length=profile.DAYS)] | None = None


class NewText(Body):
    key: str
    body: str
    language: str | None = None
    organization: str | int | None = None


class Settings:
    def __init__(self, desk: Desk) -> None:
        self._store = desk.store

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{BASE}/organization", self.organization)
        app.router.add_patch(f"{BASE}/organization", self.change)
        app.router.add_get(f"{BASE}/texts", self.texts)
        app.router.add_put(f"{BASE}/texts", self.put_text)
        app.router.add_delete(f"{BASE}/texts", self.reset_text)

    async def organization(self, request: web.Request) -> web.Response:
        named = request.query.get("organization")
        return json_response(await self._store.read(lambda tx: profile.page(tx, find(tx, named))))

    async def change(self, request: web.Request) -> web.Response:
        body = await read_body(request, NewProfile)
        wanted = Change(body.name, body.contact, body.language, body.timezone, body.instructions, body.hours)

        def work(tx: Tx) -> dict[str, object]:
            organization = find(tx, body.organization)
            profile.change(tx, organization, wanted)
            return profile.page(tx, find(tx, organization.id))

        return json_response(await self._store.write(work))

    async def texts(self, request: web.Request) -> web.Response:
        named, language = request.query.get("organization"), request.query.get("language")
        found = await self._store.read(lambda tx: texts.page(tx, find(tx, named), language))
        return json_response({"texts": found})

    async def put_text(self, request: web.Request) -> web.Response:
        body = await read_body(request, NewText)

        def work(tx: Tx) -> texts.Text:
            organization = find(tx, body.organization)
            language = body.language or organization.language
            texts.put(tx, organization, language, body.key, body.body)
            return next(text for text in texts.page(tx, organization, language) if text.key == body.key)

        return json_response(await self._store.write(work))

    async def reset_text(self, request: web.Request) -> web.Response:
        named, language = request.query.get("organization"), request.query.get("language")
        key = request.query.get("key")
        if key is None:
            raise RequestError("bad_text", "Name the text.", "key")

        def work(tx: Tx) -> texts.Text:
            organization = find(tx, named)
            speaks = language or organization.language
            texts.reset(tx, organization, speaks, key)
            return next(text for text in texts.page(tx, organization, speaks) if text.key == key)

        return json_response(await self._store.write(work))
