"""/go-live: what to paste at Twilio, whether it arrives, and what else stands in the way of customers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from appliance.diagnosis.box import cannot_be_called
from appliance.diagnosis.finding import Kind
from appliance.diagnosis.words import words as in_words
from appliance.errors import RequestError
from appliance.model import MAIN
from appliance.notices.sentences import Reader
from appliance.operations import cards
from appliance.store import Tx
from appliance.store.cards import CardKind, facts
from appliance.web.pages.checks import Checks
from appliance.web.pages.page import Page, back
from appliance.web.pages.phones import written
from appliance.web.pages.site import Site
from appliance.wire import MESSAGES_PATH, RETRIES, SANDBOX

MOST = 100  # numbers
UNTOLD = (Kind.ACCOUNT, Kind.CONFIGURATION)


@dataclass(frozen=True, slots=True)
class Number:
    """One of ours. `account`: at Twilio, where there are several; `href`: to write to it from the phone that looks."""

    address: str
    is_whatsapp: bool
    is_sandbox: bool
    account: str
    href: str


class GoLive:
    def __init__(self, checks: Checks) -> None:
        self._checks = checks

    def add_to(self, site: Site) -> None:
        site.get("/go-live", self.go_live, box=True)
        site.post("/go-live/check", self.check, shows=self.go_live, box=True)

    async def go_live(self, page: Page) -> web.StreamResponse:
        url = page.desk.config.server.public_url

        def look(tx: Tx) -> Mapping[str, object]:
            opened = tx.cards.of_kinds_in_the_box([CardKind.SIGNATURE])
            reader = Reader(page.words.language, page.words.timezone, tx.now)
            last = tx.figures.last_webhook()
            return {
                "public_url": url,
                "is_private": not url or cannot_be_called(page.desk.config),
                "line": f"{url}{MESSAGES_PATH}{RETRIES}",
                "numbers": list(_numbers(tx, several=len(page.desk.config.accounts) > 1)),
                "refused": [(cards.as_read(tx, row, reader), facts(row).get("url", "")) for row in opened],
                "last": last,
                "is_reached": self._checks.is_reached or last is not None,
                "checked_at": self._checks.at,
                "findings": [
                    (each.ok, in_words(each, page.words.language))
                    for each in self._checks.findings
                    if each.kind not in UNTOLD
                ],
            }

        return await page.show("golive.html", look)

    async def check(self, _page: Page) -> web.StreamResponse:
        try:
            await self._checks.run()
        except TimeoutError:
            raise RequestError("slow", "The check took too long. Try it again.", status=504) from None
        raise back("/go-live")


def _numbers(tx: Tx, *, several: bool) -> Iterator[Number]:
    for each in tx.channels.in_use(MOST):
        kind, _, rest = each.address.rpartition(":")
        is_whatsapp = kind == "whatsapp"
        href = f"https://wa.me/{rest.removeprefix('+')}" if is_whatsapp else f"sms:{rest}"
        account = each.account if several or each.account != MAIN else ""
        yield Number(written(each.address), is_whatsapp, each.address == SANDBOX, account, href)
