"""Getting in and out: /sign-in, /link/{token}, /sign-out."""

import asyncio

from aiohttp import web

from appliance.errors import RequestError
from appliance.operations import users
from appliance.operations.passwords import hash_password, is_password
from appliance.web.desk import Desk
from appliance.web.pages.guard import SIGN_IN, begin_session, end_session, first_organization, read_form
from appliance.web.pages.page import Page, rendered
from appliance.web.pages.site import Site
from appliance.web.pages.words import Words


class Door:
    def __init__(self, desk: Desk) -> None:
        self._store = desk.store

    def add_to(self, site: Site) -> None:
        site.open("GET", SIGN_IN, self.ask)
        site.open("POST", SIGN_IN, self.sign_in)
        site.open("GET", "/link/{token}", self.link)
        site.open("POST", "/link/{token}", self.redeem)
        site.post("/sign-out", self.sign_out)

    async def ask(self, _request: web.Request) -> web.StreamResponse:
        return rendered("signin.html", await self._words(), email="", refusal="")

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        email, password = form.get("email", ""), form.get("password", "")
        user = await self._store.read(lambda tx: tx.users.named(email))
        hashed = user and user.password_hash
        if not user or not hashed or not await asyncio.to_thread(is_password, password, hashed):
            words = await self._words()
            refusal = words.t("E-mail or password do not fit.")
            return rendered("signin.html", words, 403, email=email, refusal=refusal)
        return self._let_in(request, await self._store.write(lambda tx: users.sign_in(tx, user)))

    def _let_in(self, request: web.Request, cookie: str) -> web.Response:
        response = web.Response(status=303, headers={"Location": "/"})
        begin_session(request, response, cookie)
        return response

    async def link(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["token"]
        user = await self._store.read(lambda tx: tx.users.linked(users.hashed(token)))
        words = await self._words()
        return rendered("link.html", words, 200 if user else 410, user=user, refusal="")

    async def redeem(self, request: web.Request) -> web.StreamResponse:
        token, form = request.match_info["token"], await read_form(request)
        user = await self._store.read(lambda tx: tx.users.linked(users.hashed(token)))
        words = await self._words()
        if user is None:
            return rendered("link.html", words, 410, user=None, refusal="")
        try:
            hashed = await asyncio.to_thread(hash_password, form.get("password", ""))
        except RequestError as error:
            return rendered("link.html", words, 400, user=user, refusal=words.t(error.message))
        cookie = await self._store.write(lambda tx: users.redeem(tx, token, hashed))
        return self._let_in(request, cookie) if cookie else rendered("link.html", words, 410, user=None, refusal="")

    async def sign_out(self, page: Page) -> web.StreamResponse:
        await page.write(lambda tx: tx.users.end_session(page.visit.session))
        response = web.Response(status=303, headers={"Location": SIGN_IN})
        end_session(page.request, response)
        return response

    async def _words(self) -> Words:
        now, language, timezone = await self._store.read(first_organization)
        return Words(language, timezone, now)
