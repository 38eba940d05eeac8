"""Below a conversation: a person takes over, answers by hand, gives back."""

from hashlib import sha256

from aiohttp import web

from appliance.errors import RequestError
from appliance.operations import conversations, hands
from appliance.operations.hands import Reply
from appliance.web.pages.guard import Shown
from appliance.web.pages.page import Page, back
from appliance.web.pages.site import ID, Site


class Hands:
    """`thread`: the page of a conversation, on which a refusal is told."""

    def __init__(self, thread: Shown) -> None:
        self._thread = thread

    def add_to(self, site: Site) -> None:
        site.post(f"/conversations/{ID}/take", self.take, shows=self._thread)
        site.post(f"/conversations/{ID}/reply", self.reply, shows=self._thread)
        site.post(f"/conversations/{ID}/give-back", self.give_back, shows=self._thread)

    async def take(self, page: Page) -> web.StreamResponse:
        named = page.request.match_info["id"]
        await page.write(lambda tx: hands.take(tx, page.organization_id, named, page.visit.user.email))
        raise _to(named)

    async def reply(self, page: Page) -> web.StreamResponse:
        named, key = page.request.match_info["id"], page.form.get("idempotency_key")
        if not key:  # without it a form that is sent twice would be two messages
            raise RequestError("bad_key", "This page is not complete. Open it again.", "idempotency_key")
        body = page.form.get("body", "")
        # A browser that goes back shows the form as it was: another text in it is another message.
        intent = f"{key}.{sha256(body.encode()).hexdigest()[:16]}"
        reply = Reply(body, intent, page.visit.user.email)
        await page.write(lambda tx: hands.reply(tx, page.organization_id, named, reply, page.desk.config))
        raise _to(named)

    async def give_back(self, page: Page) -> web.StreamResponse:
        named = page.request.match_info["id"]
        await page.write(lambda tx: conversations.resume(tx, page.organization_id, named, page.visit.user.email))
        raise _to(named)


def _to(named: str) -> web.HTTPSeeOther:
    return back(f"/conversations/{named}")
