"""Below /settings: who may look in, and the user's own language and sessions."""

from aiohttp import web

from appliance.config.reach import pages_url
from appliance.errors import RequestError
from appliance.operations import colleagues
from appliance.web.desk import Desk
from appliance.web.pages.guard import SIGN_IN, end_session
from appliance.web.pages.page import Page, back
from appliance.web.pages.settings import Settings, look
from appliance.web.pages.site import ID, Site
from appliance.web.pages.words import LANGUAGES


class People:
    """`settings`: the page on which a refusal is told."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self._server = desk.config.server
        self._settings = settings.settings

    def add_to(self, site: Site) -> None:
        site.post("/settings/users", self.invite, shows=self._settings)
        site.post(f"/settings/users/{ID}/sign-out", self.sign_out, shows=self._settings)
        site.post(f"/settings/users/{ID}/remove", self.remove, shows=self._settings)
        site.post("/settings/you", self.speak, shows=self._settings)
        site.post("/settings/sign-out", self.sign_out_everywhere)

    async def invite(self, page: Page) -> web.StreamResponse:
        """The link is in this one answer and nowhere else; who sends the form again is given a new one."""
        email, admin = page.form.get("email", "").strip(), page.form.get("admin") == "1"
        word = await page.write(lambda tx: colleagues.invite(tx, page.visit, email, admin=admin))
        link = f"{pages_url(self._server)}/link/{word}"
        return await page.show("settings.html", lambda tx: look(tx, page) | {"link": link, "invited": email})

    async def sign_out(self, page: Page) -> web.StreamResponse:
        user = page.id
        await page.write(lambda tx: colleagues.sign_out(tx, page.visit, user))
        raise back("/settings#users")

    async def remove(self, page: Page) -> web.StreamResponse:
        user = page.id
        await page.write(lambda tx: colleagues.remove(tx, page.visit, user))
        raise back("/settings#users")

    async def speak(self, page: Page) -> web.StreamResponse:
        language = page.form.get("speak", "")
        if language not in LANGUAGES:
            raise RequestError("bad_language", "The language must be one of {all}.", "speak", all=", ".join(LANGUAGES))
        await page.write(lambda tx: tx.users.update(page.visit.user.id, language=language))
        raise back("/settings#you")

    async def sign_out_everywhere(self, page: Page) -> web.StreamResponse:
        await page.write(lambda tx: tx.users.sign_out(page.visit.user.id))
        response = web.Response(status=303, headers={"Location": SIGN_IN})
        end_session(page.request, response)
        return response
