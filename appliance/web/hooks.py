"""Twilio's webhooks: verify, parse, store, and only then answer. Never redirects, sets no cookie."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.config import Config
from appliance.errors import ApplianceError
from appliance.inbox.intake import Intake
from appliance.metrics import Metrics
from appliance.model import OutboxMessage
from appliance.outbox import binding
from appliance.store import Store
from appliance.twilio import webhook
from appliance.twilio.webhook import MAX_BODY, RefusedError, Signer, Signers
from appliance.wire import MESSAGES_PATH, PROBE, STATUS_PATH

# Anything but an empty TwiML document would be texted to the customer.
EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
BODY_PATIENCE = 10.0  # seconds; Twilio itself gives up after 15
log = structlog.get_logger()


class Hooks:
    """`not_stored` is told when a message had to be refused with 503: Twilio has it and we do not. `failed` is told of
    the row and the code of a message that came to nothing after it was accepted.
    """

    def __init__(
        self,
        store: Store,
        intake: Intake,
        config: Config,
        metrics: Metrics,
        not_stored: Callable[[], None],
        failed: Callable[[OutboxMessage, int], None],
    ) -> None:
        self._store = store
        self._intake = intake
        self._config = config
        self._count = metrics.webhooks.labels
        self._not_stored = not_stored
        self._failed = failed
        tokens = {account.name: account.auth_tokens for account in config.accounts}
        ours = [
            Signer(each.name, each.account_sid, each.auth_tokens + tokens.get(each.parent or "", ()))
            for each in config.accounts
        ]
        self._signers = Signers(config.server.public_url, ours)

    def add_to(self, app: web.Application) -> None:
        message = self._refusals_counted("message", self.message)
        app.router.add_post(MESSAGES_PATH, message)
        app.router.add_get(MESSAGES_PATH, message, allow_head=False)
        app.router.add_post(STATUS_PATH, self._refusals_counted("status", self.status))

    def _refusals_counted(self, hook: str, handler: Handler) -> Handler:
        async def counted(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except web.HTTPException as refusal:
                self._count(hook, "not_stored" if refusal.status == 503 else "refused").inc()
                raise

        return counted

    async def message(self, request: web.Request) -> web.Response:
        try:
            message = webhook.message(await _received(request), self._signers)
        except RefusedError as error:
            raise _refuse(str(error)) from None
        try:
            received = await self._intake.receive(message)
        except ApplianceError as error:
            self._not_stored()
            raise _cannot_store(error) from error
        self._count("message", received).inc()
        log.info("message received", sid=message.sid, result=received, media=len(message.media))
        return web.Response(text=EMPTY_TWIML, content_type="text/xml", charset="utf-8")

    async def status(self, request: web.Request) -> web.Response:
        try:
            report = webhook.report(await _received(request), self._signers)
        except RefusedError as error:
            raise _refuse(str(error)) from None
        if report.reference.startswith(PROBE):  # by our own token, to see whether it comes this far
            self._count("status", "probe").inc()
            return web.Response(status=204)
        try:
            row = await self._store.write(partial(binding.apply, report=report, config=self._config))
        except ApplianceError as error:
            raise _cannot_store(error) from error
        if row is not None and report.error_code is not None:
            self._failed(row, report.error_code)
        self._count("status", "stored").inc()
        log.info("status received", sid=report.sid, status=report.status, error_code=report.error_code)
        return web.Response(status=204)


async def _received(request: web.Request) -> webhook.Request:
    """All of it, within its bounds; what it says is not believed yet."""
    if request.method == "GET":
        return webhook.Request(request.raw_path, request.headers, b"", method="GET")
    if request.content_type != "application/x-www-form-urlencoded":
        raise _refuse("not urlencoded")
    if (request.content_length or 0) > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(max_size=MAX_BODY, actual_size=request.content_length or 0)
    try:
        async with asyncio.timeout(BODY_PATIENCE):
            body = await request.read()
    except web.RequestPayloadError:
        raise _refuse("unreadable form") from None
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="") from None
    return webhook.Request(request.raw_path, request.headers, body, request.query.get("o", ""))


def _refuse(reason: str) -> web.HTTPForbidden:
    log.warning("webhook refused", reason=reason)
    return web.HTTPForbidden(text="")


def _cannot_store(error: ApplianceError) -> web.HTTPServiceUnavailable:
    log.error("webhook not stored", reason=str(error))
    return web.HTTPServiceUnavailable(text="")
