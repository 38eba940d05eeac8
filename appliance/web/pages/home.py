"""/: is it well, who waits for me, what happened today, stop."""

from collections.abc import Mapping

from aiohttp import web

from appliance.operations import cards
from appliance.store import Tx
from appliance.web.pages.page import Page
from appliance.web.pages.site import Site


class Home:
    def add_to(self, site: Site) -> None:
        site.get("/", self.home)

    async def home(self, page: Page) -> web.StreamResponse:
        return await page.show("home.html", lambda tx: _look(tx, page))


def _look(tx: Tx, page: Page) -> Mapping[str, object]:
    language = page.desk.config.server.language
    return {"cards": cards.opened(tx, page.organization_id, language)}
