"""Twilio's webhooks: verify, parse, store, and only then answer. Never redirects, sets no cookie."""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import MultiDict

from appliance.config import Config
from appliance.errors import ApplianceError
from appliance.inbox.intake import Intake
from appliance.metrics import Metrics
from appliance.outbox import delivery
from appliance.store import Store
from appliance.twilio.webhook import (
    MAX_BODY,
    MESSAGES_PATH,
    STATUS_PATH,
    Signature,
    UnreadableFormError,
    delivery_report,
    inbound_message,
    parse_form,
)

# Anything but an empty TwiML document would be texted to the customer.
EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
BODY_PATIENCE = 10.0  # seconds; Twilio itself gives up after 15
log = structlog.get_logger()


class Hooks:
    """`not_stored` is told when a message had to be refused with 503: Twilio has it and we do not."""

    def __init__(
        self, store: Store, intake: Intake, config: Config, metrics: Metrics, not_stored: Callable[[], None]
    ) -> None:
        self._store = store
        self._intake = intake
        self._count = metrics.webhooks.labels
        self._not_stored = not_stored
        self._account_sid = config.twilio.account_sid
        self._signature = Signature(config.server.public_url, config.twilio.auth_tokens)

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(MESSAGES_PATH, self._refusals_counted("message", self.message))
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
        form = await self._signed_form(request)
        message = inbound_message(form, request.headers.get("I-Twilio-Idempotency-Token", ""))
        if message is None:
            raise _refuse("no MessageSid")
        try:
            received = await self._intake.receive(message)
        except ApplianceError as error:
            self._not_stored()
            raise _cannot_store(error) from error
        self._count("message", received).inc()
        log.info("message received", sid=message.sid, result=received, media=len(message.media))
        return web.Response(text=EMPTY_TWIML, content_type="text/xml", charset="utf-8")

    async def status(self, request: web.Request) -> web.Response:
        form = await self._signed_form(request)
        report = delivery_report(form, request.query.get("o", ""))
        try:
            await self._store.write(lambda tx: delivery.apply(tx, report, self._account_sid))
        except ApplianceError as error:
            raise _cannot_store(error) from error
        self._count("status", "stored").inc()
        log.info("status received", sid=report.sid, status=report.status, error_code=report.error_code)
        return web.Response(status=204)

    async def _signed_form(self, request: web.Request) -> MultiDict[str]:
        if request.content_type != "application/x-www-form-urlencoded":
            raise _refuse("not urlencoded")
        if (request.content_length or 0) > MAX_BODY:
            raise web.HTTPRequestEntityTooLarge(max_size=MAX_BODY, actual_size=request.content_length or 0)
        try:
            async with asyncio.timeout(BODY_PATIENCE):
                body = await request.read()
            form = parse_form(body)
        except (UnreadableFormError, web.RequestPayloadError):
            raise _refuse("unreadable form") from None
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="") from None
        if not self._signature.holds(request.raw_path, form, request.headers.get("X-Twilio-Signature")):
            raise _refuse("bad signature")
        return form


def _refuse(reason: str) -> web.HTTPForbidden:
    log.warning("webhook refused", reason=reason)
    return web.HTTPForbidden(text="")


def _cannot_store(error: ApplianceError) -> web.HTTPServiceUnavailable:
    log.error("webhook not stored", reason=str(error))
    return web.HTTPServiceUnavailable(text="")
