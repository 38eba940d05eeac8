"""Below /settings: everything held about a customer, to be shown to them or forgotten."""

import asyncio

from aiohttp import hdrs, web

from appliance.errors import RequestError
from appliance.privacy import request as wish
from appliance.privacy.export import export
from appliance.store import Tx
from appliance.web.pages.guard import Shown
from appliance.web.pages.page import Page, back
from appliance.web.pages.site import Site

PART = 64 * 1024  # bytes


class Customers:
    """`settings`: the page on which a refusal is told."""

    def __init__(self, settings: Shown) -> None:
        self._settings = settings

    def add_to(self, site: Site) -> None:
        site.post("/settings/export", self.export, shows=self._settings)
        site.post("/settings/forget", self.forget, shows=self._settings)

    async def export(self, page: Page) -> web.StreamResponse:
        """As a file; others are served while it goes out."""
        addresses = _addresses(page)
        try:
            parts = await page.desk.store.inspect(lambda tx: export(tx, page.visit.organization, addresses))
        except RequestError as error:
            raise _on_this_page(error) from None
        response = web.StreamResponse(headers={hdrs.CONTENT_DISPOSITION: 'attachment; filename="person.json"'})
        response.content_type, response.content_length = "application/json", sum(map(len, parts))
        await response.prepare(page.request)
        for part in parts:
            for start in range(0, len(part), PART):
                await response.write(bytes(memoryview(part)[start : start + PART]))
                await asyncio.sleep(0)
        await response.write_eof()
        return response

    async def forget(self, page: Page) -> web.StreamResponse:
        """Who may be the same person under another address is asked about first."""
        addresses, at_twilio = _addresses(page), page.form.get("at_twilio") == "1"
        organization, by, config = page.visit.organization, page.visit.user.email, page.desk.config
        chosen = {value for name, value in page.form.items() if name.startswith("also-")}

        def work(tx: Tx) -> None:
            alike = wish.find(tx, addresses[0], organization.id)["alike"]
            if alike and page.form.get("asked") != addresses[0]:
                raise RequestError(
                    "alike", "These may be the same customer. Say which are, and forget again.", "also", 409
                )
            every = [*addresses, *(address for address in alike if address in chosen)]
            wish.forget(tx, organization, every, by, config, at_twilio=at_twilio)

        try:
            await page.write(work)
        except RequestError as error:
            raise _on_this_page(error) from None
        raise back("/settings#customers")


def _addresses(page: Page) -> list[str]:
    address = page.form.get("address", "").strip()
    if not address:
        raise RequestError("bad_address", "Name the person's address: +5511… or whatsapp:+5511….", "address")
    return [address]


def _on_this_page(error: RequestError) -> RequestError:
    """A person who is not known is no page that is not there."""
    status = 400 if error.status == 404 else error.status
    return RequestError(error.code, error.words, error.field, status, **error.values)
