"""/look-at: which organization an admin of a box with several looks at."""

from aiohttp import web

from appliance.operations import users
from appliance.store.users import KEEP
from appliance.web.pages.guard import LOOKING_AT, cookie_name, keep
from appliance.web.pages.page import Page
from appliance.web.pages.site import Site


class LookAt:
    def add_to(self, site: Site) -> None:
        site.post("/look-at", self.look_at)

    async def look_at(self, page: Page) -> web.StreamResponse:
        named = page.form.get("organization", "")
        found = await page.desk.store.read(lambda tx: users.to_look_at(tx, page.visit.user))
        if named not in {str(each.id) for each in found}:
            raise web.HTTPNotFound
        response = web.Response(status=303, headers={"Location": "/"})
        keep(page.request, response, cookie_name(page.request, LOOKING_AT), named, KEEP)
        return response
