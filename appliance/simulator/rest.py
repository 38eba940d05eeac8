"""Twilio's REST API as the official SDK calls it (Twilio docs, "Messages resource"), faults included."""

import asyncio
import json
import socket
import struct
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.simulator.access import account_of, authenticate, is_rest
from appliance.simulator.faults import Fault
from appliance.simulator.ledger import Entry
from appliance.simulator.refusal import RefusedError
from appliance.simulator.resource import API, error_body, media_list, message_resource, rfc2822

CLOSING = web.AppKey("closing", asyncio.Event)
CANCELLABLE = frozenset({"queued", "accepted", "scheduled"})
MESSAGES = "/Messages"
LINGER_RESET = struct.pack("ii", 1, 0)

routes = web.RouteTableDef()


@web.middleware
async def twilio_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Authenticate, turn refusals into Twilio's JSON, and tell Twilio's time in `Date`."""
    if not is_rest(request.path):
        return await handler(request)
    twilio = account_of(request)
    try:
        authenticate(request, twilio)
        fault = None if MESSAGES in request.path else twilio.faults.take("console", request.path)
        response = await handler(request) if fault is None else await _spoil(request, fault)
    except RefusedError as error:
        response = web.json_response(error_body(error), status=error.status)
    if twilio.latency:
        await asyncio.sleep(twilio.latency)
    if not response.prepared:
        response.headers["Date"] = rfc2822(twilio.now()).replace("+0000", "GMT")
    return response


def _entry(request: web.Request) -> Entry:
    entry = account_of(request).ledger.get(request.match_info["sid"])
    if entry is None:
        raise RefusedError(20404, f"The requested resource {request.path} was not found", 404)
    return entry


@routes.post(API + "/Accounts/{account}/Messages.json")
async def create(request: web.Request) -> web.StreamResponse:
    twilio = account_of(request)
    form: Any = await request.post()
    twilio.posts[form.get("To", "")] += 1
    fault = twilio.faults.take("create", form.get("From", ""), form.get("To", ""))
    if fault is not None and not fault.creates:
        return await _spoil(request, fault)
    entry = twilio.create(form)
    await twilio.delivery.begin(entry)
    resource = message_resource(entry, twilio.now())
    if fault is not None and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    elif fault is not None:
        return await _spoil(request, fault, resource)
    return web.json_response(resource, status=201)


@routes.get(API + "/Accounts/{account}/Messages.json")
async def list_messages(request: web.Request) -> web.StreamResponse:
    twilio = account_of(request)
    fault = twilio.faults.take("list", request.query.get("From", ""), request.query.get("To", ""))
    if fault is not None and fault.kind != "lag":
        return await _spoil(request, fault)
    return web.json_response(twilio.page(request.query, request.path, 0.0 if fault is None else fault.seconds))


@routes.get(API + "/Accounts/{account}/Messages/{sid}.json")
async def fetch(request: web.Request) -> web.StreamResponse:
    fault = account_of(request).faults.take("fetch")
    if fault is not None:
        return await _spoil(request, fault)
    return web.json_response(message_resource(_entry(request), account_of(request).now()))


@routes.post(API + "/Accounts/{account}/Messages/{sid}.json")
async def update(request: web.Request) -> web.StreamResponse:
    """Redact (an empty Body) or cancel (Status=canceled)."""
    twilio, entry, form = account_of(request), _entry(request), await request.post()
    if form.get("Status") == "canceled":
        if entry.status not in CANCELLABLE:
            raise RefusedError(30409, "Message cannot be canceled because of its status", 400)
        entry = twilio.ledger.set_status(entry, "canceled", twilio.now())
    elif form.get("Body") == "":
        _check_finished(entry)
        entry = msgspec.structs.replace(entry, body="", date_updated=twilio.now())
        twilio.ledger.erase(entry)
    return web.json_response(message_resource(entry, twilio.now()))


@routes.delete(API + "/Accounts/{account}/Messages/{sid}.json")
async def delete(request: web.Request) -> web.StreamResponse:
    entry = _entry(request)
    _check_finished(entry)
    gone = msgspec.structs.replace(entry, deleted=True, sender="", recipient="", body="", media=(), status_callback="")
    account_of(request).ledger.erase(gone)
    return web.Response(status=204)


@routes.get(API + "/Accounts/{account}/Messages/{sid}/Media.json")
async def list_media(request: web.Request) -> web.StreamResponse:
    return web.json_response(media_list(_entry(request)))


@routes.route("*", API + "/{rest:.*}")
async def unknown(request: web.Request) -> web.StreamResponse:
    raise RefusedError(20404, f"The requested resource {request.path} was not found", 404)


def _check_finished(entry: Entry) -> None:
    if not entry.finished:
        raise RefusedError(20009, "Cannot delete this resource before it is complete", 409)


async def _spoil(request: web.Request, fault: Fault, resource: dict[str, Any] | None = None) -> web.StreamResponse:
    """Answer as the fault says. `resource`: the message that exists all the same."""
    if fault.kind == "error":
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        if fault.code is None:
            text = f"<html><body>{fault.status}</body></html>"
            return web.Response(text=text, status=fault.status, content_type="text/html", headers=headers)
        body = error_body(RefusedError(fault.code, "This error was asked for.", fault.status))
        return web.json_response(body, status=fault.status, headers=headers)
    if fault.kind == "no_sid":
        return web.json_response((resource or {}) | {"sid": None}, status=201)
    if fault.kind == "half_json":
        text = json.dumps(resource)
        return web.Response(text=text[: len(text) // 2], status=201, content_type="application/json")
    if fault.kind == "hang":
        with suppress(TimeoutError):  # say nothing, yet end when the simulator does
            async with asyncio.timeout(fault.seconds):
                await request.app[CLOSING].wait()
    transport = request.transport
    if transport is not None:  # drop the connection with a TCP reset instead of an orderly end
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        transport.abort()
    return web.Response(status=500)
