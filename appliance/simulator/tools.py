"""The simulator's own JSON endpoints: make messages arrive, read the ledger, ask for faults, follow along."""

import asyncio
from typing import Literal, TypeVar

import msgspec
from aiohttp import web
from aiohttp_sse import EventSourceResponse

from appliance.simulator.access import ACCOUNTS, TWILIO
from appliance.simulator.faults import Fault
from appliance.simulator.ledger import Entry
from appliance.simulator.rest import CLOSING
from appliance.simulator.twilio import Twilio
from appliance.wire import Media

T = TypeVar("T")
routes = web.RouteTableDef()


class Attachment(msgspec.Struct, forbid_unknown_fields=True):
    """Without a url it gets one at Twilio."""

    content_type: str
    url: str = ""


class Incoming(msgspec.Struct, forbid_unknown_fields=True, rename={"sender": "from", "recipient": "to"}):
    """What a customer sends; `deliver` false loses the webhook, a known `sid` delivers that message again.

    `method`: GET where the number's webhook is set to it. `account`: the AccountSid of the number's, where there are
    several.
    """

    sender: str
    recipient: str
    body: str = ""
    media: list[Attachment] = []
    extra: dict[str, str] = {}
    deliver: bool = True
    sid: str | None = None
    method: Literal["POST", "GET"] = "POST"
    account: str = ""


async def _read(request: web.Request, shape: type[T]) -> T:
    """Raises 415 for anything but JSON: a page elsewhere can post forms and text, but not this, without our leave."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send application/json.\n")
    try:
        return msgspec.json.decode(await request.read(), type=shape)
    except msgspec.DecodeError as error:
        raise web.HTTPBadRequest(text=f"{error}\n") from error


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _account(request: web.Request, account_sid: str) -> Twilio:
    """The first one where none is named. Raises 404 for one that is not here."""
    if not account_sid:
        return request.app[TWILIO]
    found = request.app[ACCOUNTS].get(account_sid)
    if found is None:
        raise web.HTTPNotFound(text="There is no such account here.\n")
    return found


@routes.post("/simulator/messages")
async def receive(request: web.Request) -> web.Response:
    """Answers {"sid", "status"}: the webhook's HTTP status, null when nothing answered."""
    incoming = await _read(request, Incoming)
    media = [Media(item.url, item.content_type) for item in incoming.media]
    sid, status = await _account(request, incoming.account).receive(
        incoming.sender,
        incoming.recipient,
        incoming.body,
        media,
        extra=incoming.extra,
        sid=incoming.sid,
        deliver=incoming.deliver,
        method=incoming.method,
    )
    return _json({"sid": sid, "status": status})


@routes.get("/simulator/messages")
async def messages(request: web.Request) -> web.Response:
    """The ledger, oldest first; `contact` keeps what is from or to that address, a `+` may arrive as a space."""
    contact = request.query.get("contact", "").replace(" ", "+")
    entries = _account(request, request.query.get("account", "")).ledger
    return _json([entry for entry in entries if not contact or contact in {entry.sender, entry.recipient}])


@routes.post("/simulator/faults")
async def add_faults(request: web.Request) -> web.Response:
    """A list of objects with the fields of `Fault`."""
    faults = request.app[TWILIO].faults
    faults.add(*await _read(request, list[Fault]))
    return _json({"waiting": len(faults)}, 201)


@routes.delete("/simulator/faults")
async def clear_faults(request: web.Request) -> web.Response:
    request.app[TWILIO].faults.clear()
    return web.Response(status=204)


@routes.get("/simulator/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events: each change of the ledger as one JSON message."""
    ledger, changes = request.app[TWILIO].ledger, asyncio.Queue[Entry]()
    closing = asyncio.create_task(request.app[CLOSING].wait())
    ledger.listeners.add(changes.put_nowait)
    stream = EventSourceResponse()
    try:
        await stream.prepare(request)
        async with stream:
            while stream.is_connected():
                change = asyncio.create_task(changes.get())
                await asyncio.wait({change, closing}, return_when=asyncio.FIRST_COMPLETED)
                if not change.done():
                    change.cancel()
                    break
                await stream.send(msgspec.json.encode(change.result()).decode())
    except ConnectionResetError:
        pass  # the page was closed
    finally:
        ledger.listeners.discard(changes.put_nowait)
        closing.cancel()
    return stream
