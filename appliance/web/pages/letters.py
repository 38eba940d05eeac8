"""What waits for a decision, from whichever page: a dead letter is tried again or discarded, a card put away."""

import re

from aiohttp import web

from appliance.errors import RequestError
from appliance.operations import cards, dead_letters
from appliance.store import Tx
from appliance.web.pages.page import Page, back
from appliance.web.pages.site import ID, Site

_PAGES = re.compile(r"/|/engine|/conversations(/[0-9]{1,18})?", re.ASCII)  # to which an action may lead back


class Letters:
    def add_to(self, site: Site) -> None:
        site.post(f"/dead-letters/{ID}/retry", self.retry, shows=self.refused)
        site.post(f"/dead-letters/{ID}/discard", self.discard, shows=self.refused)
        site.post(f"/cards/{ID}/dismiss", self.dismiss, shows=self.refused)

    async def retry(self, page: Page) -> web.StreamResponse:
        letter = page.id

        def unit(tx: Tx) -> None:
            _check(page, tx.letters.owner(letter), _NO_LETTER)
            dead_letters.retry(tx, letter, page.visit.user.email, page.desk.config)

        await page.write(unit)
        raise back(_from(page))

    async def discard(self, page: Page) -> web.StreamResponse:
        letter = page.id

        def unit(tx: Tx) -> None:
            _check(page, tx.letters.owner(letter), _NO_LETTER)
            dead_letters.discard(tx, letter)

        await page.write(unit)
        raise back(_from(page))

    async def dismiss(self, page: Page) -> web.StreamResponse:
        card = page.id

        def unit(tx: Tx) -> None:
            row = tx.cards.get_in_the_box(card)
            _check(page, row["organization_id"] if row else None, _NO_CARD)
            cards.dismiss(tx, card, page.form.get("reason", ""))

        await page.write(unit)
        raise back(_from(page))

    async def refused(self, page: Page) -> web.StreamResponse:
        """Why it was not done, and the way back."""
        return await page.show("refused.html", lambda _tx: {"back": _from(page)})


_NO_LETTER = "There is no such dead letter."
_NO_CARD = "There is no such card."


def _check(page: Page, owner: int | None, unknown: str) -> None:
    """It must be the organization's; what is the box's, or another one's, only whoever sees the box may touch."""
    if owner != page.organization_id and not page.visit.sees_box:
        raise RequestError("not_found", unknown, "id", 404)


def _from(page: Page) -> str:
    """The page on which it was asked for."""
    path = page.form.get("back", "/")
    return path if _PAGES.fullmatch(path) else "/"
