"""Twilio's webhooks: verify, parse, store, and only then answer. Never redirects, sets no cookie."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import MultiDict

from appliance.config import Config
from appliance.errors import ApplianceError
from appliance.inbox.intake import Intake
from appliance.inbox.refused import MESSAGE, STATUS, Place, Refusals
from appliance.logs import Seldom
from appliance.metrics import Metrics
from appliance.model import OutboxMessage
from appliance.outbox import binding
from appliance.store import Store
from appliance.twilio import webhook
from appliance.twilio.misfit import explain
from appliance.twilio.webhook import MAX_BODY, RefusedError, Signer, Signers, UnfitError
from appliance.wire import MESSAGES_PATH, PROBE, STATUS_PATH

# Anything but an empty TwiML document would be texted to the customer.
EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
PATHS = {MESSAGE: MESSAGES_PATH, STATUS: STATUS_PATH}
_PLACES = web.RequestKey("places", list[Place])  # where the webhook that was accepted came in
_ADDRESS = 64  # characters that are kept of one; Twilio's are shorter
BODY_PATIENCE = 10.0  # seconds; Twilio itself gives up after 15
log = structlog.get_logger()


class Hooks:
    """`not_stored` is told when a message had to be refused with 503: Twilio has it and we do not. `failed` is told of
    the row and the code of a message that came to nothing after it was accepted; `elsewhere` that Twilio reports on one
    that was sent with another tool.
    """

    def __init__(
        self,
        store: Store,
        intake: Intake,
        config: Config,
        metrics: Metrics,
        refusals: Refusals,
        not_stored: Callable[[], None],
        failed: Callable[[OutboxMessage, int], None],
        elsewhere: Callable[[], None],
    ) -> None:
        self._store = store
        self._intake = intake
        self._config = config
        self._count = metrics.webhooks.labels
        self._seldom = Seldom()
        self._misfits = metrics.misfits.labels
        self._refusals = refusals
        self._not_stored = not_stored
        self._failed = failed
        self._elsewhere = elsewhere
        tokens = {account.name: account.auth_tokens for account in config.accounts}
        self._ours = [
            Signer(
                each.name,
                each.account_sid,
                each.auth_tokens + tokens.get(each.parent or "", ()),
                each.parent or "",
            )
            for each in config.accounts
        ]
        self._signers = Signers(config.server.public_url, self._ours)

    def add_to(self, app: web.Application) -> None:
        message, status = self._watched(MESSAGE, self.message), self._watched(STATUS, self.status)
        app.router.add_post(MESSAGES_PATH, message)
        app.router.add_get(MESSAGES_PATH, message, allow_head=False)
        app.router.add_post(STATUS_PATH, status)
        # Nothing is accepted where the address at Twilio, or what a proxy makes of it, is wrong; it may be explained.
        no_get = partial(web.HTTPMethodNotAllowed, "GET", ["POST"])
        app.router.add_get(STATUS_PATH, self._watched(STATUS, _stray, no_get), allow_head=False)
        for hook, path in PATHS.items():
            stray = self._watched(hook, _stray, web.HTTPNotFound)
            for wrong in (f"{path}/", f"/{{prefix:.+}}{path}", f"/{{prefix:.+}}{path}/"):
                app.router.add_post(wrong, stray)
                app.router.add_get(wrong, stray, allow_head=False)

    def _watched(
        self, hook: str, handler: Handler, refuse: Callable[[], web.HTTPException] = web.HTTPForbidden
    ) -> Handler:
        """Refusals are counted, and explained where they may be Twilio's. A handler leaves its places in `request`."""

        async def watched(request: web.Request) -> web.StreamResponse:
            try:
                response = await handler(request)
            except RefusedError as error:
                self._seldom.tell("warning", "webhook refused", error=str(error))
                self._count(hook, "refused").inc()
                if isinstance(error, UnfitError):
                    self._misfits(hook).inc()
                    await self._explain(hook, await _received(request), error.form)
                refusal = refuse()
                refusal.text = ""
                raise refusal from None
            except web.HTTPException as refusal:
                self._count(hook, "not_stored" if refusal.status == 503 else "refused").inc()
                raise
            for place in request.get(_PLACES, ()):
                await self._refusals.fits(place)
            return response

        return watched

    async def _explain(self, hook: str, request: webhook.Request, form: MultiDict[str]) -> None:
        """Why it was refused. Who names none of our accounts is a stranger."""
        named = form.get("AccountSid")
        account = next((each.name for each in self._ours if each.account_sid == named), None)
        if account is None:
            return
        misfit, public_url = None, self._config.server.public_url
        if self._refusals.may_explain():
            misfit = explain(request, PATHS[hook], form, public_url, self._ours)
        signature = request.headers.get("X-Twilio-Signature", "")
        place = Place(account, hook, form.get("To", "")[:_ADDRESS] if hook == MESSAGE else "")
        await self._refusals.refused(place, form.get("MessageSid", ""), signature, misfit)

    async def message(self, request: web.Request) -> web.Response:
        message = webhook.message(await _received(request), self._signers)
        try:
            received = await self._intake.receive(message)
        except ApplianceError as error:
            self._not_stored()
            raise self._cannot_store(error) from error
        self._count(MESSAGE, received).inc()
        request[_PLACES] = [Place(message.account, MESSAGE, message.recipient[:_ADDRESS])]
        log.debug("message received", message=message.sid, result=received, media=len(message.media))
        return web.Response(text=EMPTY_TWIML, content_type="text/xml", charset="utf-8")

    async def status(self, request: web.Request) -> web.Response:
        report = webhook.report(await _received(request), self._signers)
        if report.reference.startswith(PROBE):  # by our own token, to see whether it comes this far
            self._count("status", "probe").inc()
            return web.Response(status=204)
        try:
            row = await self._store.write(partial(binding.apply, report=report, config=self._config))
        except ApplianceError as error:
            raise self._cannot_store(error) from error
        if row is not None and report.error_code is not None:
            self._failed(row, report.error_code)
        if not report.reference:  # which all that we send has
            self._elsewhere()
        self._count(STATUS, "stored").inc()
        request[_PLACES] = [Place(account, STATUS) for account in report.accounts]
        log.debug("status received", sid=report.sid, status=report.status, error_code=report.error_code)
        return web.Response(status=204)

    def _cannot_store(self, error: ApplianceError) -> web.HTTPServiceUnavailable:
        self._seldom.tell("error", "webhook not stored", error=str(error))
        return web.HTTPServiceUnavailable(text="")


async def _stray(request: web.Request) -> web.Response:
    """What comes another way than a webhook does, whoever signed it."""
    raise UnfitError(webhook.form_of(await _received(request)), "wrong path or method")


async def _received(request: web.Request) -> webhook.Request:
    """All of it, within its bounds; what it says is not believed yet."""
    if request.method == "GET":
        return webhook.Request(request.raw_path, request.headers, b"", method="GET")
    if request.content_type != "application/x-www-form-urlencoded":
        raise RefusedError("not urlencoded")
    if (request.content_length or 0) > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(max_size=MAX_BODY, actual_size=request.content_length or 0)
    try:
        async with asyncio.timeout(BODY_PATIENCE):
            body = await request.read()
    except web.RequestPayloadError:
        raise RefusedError("unreadable form") from None
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="") from None
    return webhook.Request(request.raw_path, request.headers, body, request.query.get("o", ""))
