"""The REST resources behind Twilio's console: account, numbers, short codes, Messaging Services, WhatsApp senders.

Sources: Twilio docs, "IncomingPhoneNumber resource", "Messaging Services resource", "Senders API". Services and senders
are on a host of their own, messaging.twilio.com, where no path names the account: the login does.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from appliance.model import SECOND
from appliance.simulator.access import account_of, login
from appliance.simulator.refusal import RefusedError, prefix
from appliance.simulator.resource import API, rfc2822
from appliance.simulator.settings import sid_of
from appliance.simulator.twilio import Twilio
from appliance.wire import SANDBOX

HOST = "https://messaging.twilio.com"
SERVICES, SENDERS = "/v1/Services", "/v2/Channels/Senders"
WEBHOOK = ("callback_url", "callback_method", "fallback_url")  # of a sender

routes = web.RouteTableDef()


def _missing(request: web.Request) -> RefusedError:
    return RefusedError(20404, f"The requested resource {request.path} was not found", 404)


def _owned(twilio: Twilio, kind: str) -> list[str]:
    """The account's addresses of one kind. The sandbox is everybody's, and in no account's lists."""
    kinds = {address: prefix(address) or ("PN" if address.startswith("+") else "SC") for address in twilio.owned}
    return [address for address, found in kinds.items() if found == kind and address != SANDBOX]


@routes.get(API + "/Accounts/{account}.json")
async def account(request: web.Request) -> web.StreamResponse:
    """A standard API key opens everything but this (Twilio docs, "API keys")."""
    twilio = account_of(request)
    if login(request)[0].startswith("SK"):
        raise RefusedError(20003, "Authenticate", 401)
    return web.json_response(
        {
            "sid": twilio.account_sid,
            "owner_account_sid": twilio.account_sid,
            "friendly_name": "Simulated",
            "status": twilio.settings.state,
            "type": twilio.settings.kind,
            "auth_token": "[Redacted]",
            "date_created": rfc2822(twilio.now()),
            "date_updated": rfc2822(twilio.now()),
            "subresource_uris": {},
            "uri": request.path,
        }
    )


def _number(twilio: Twilio, kind: str, address: str) -> dict[str, Any]:
    setting, sid = twilio.settings.of(address), sid_of(kind, twilio.account_sid, address)
    named = {"phone_number": address, "sms_application_sid": setting.application} if kind == "PN" else {}
    return {
        "sid": sid,
        "account_sid": twilio.account_sid,
        "friendly_name": address,
        "sms_url": twilio.settings.url(address, twilio.public_url),
        "sms_method": setting.method,
        "sms_fallback_url": setting.fallback,
        "sms_fallback_method": "POST",
        "date_created": rfc2822(twilio.now()),
        "date_updated": rfc2822(twilio.now()),
        "api_version": "2010-04-01",
        **(named or {"short_code": address}),
    }


def _page(request: web.Request, found: Sequence[Any]) -> tuple[Sequence[Any], int, int, str]:
    """What stands on the page that is asked for, its number and size, and the query of the next one, if any."""
    size, page = int(request.query.get("PageSize", 50)), int(request.query.get("Page", 0))
    start = page * size
    asked = {name: value for name, value in request.query.items() if name not in ("Page", "PageToken")}
    after = asked | {"PageSize": str(size), "Page": str(page + 1), "PageToken": f"PT{page + 1}"}
    return found[start : start + size], page, size, urlencode(after) if found[start + size :] else ""


async def _numbers(request: web.Request, kind: str, key: str, asked: str) -> web.StreamResponse:
    """The filter finds parts of numbers too, as at Twilio."""
    twilio = account_of(request)
    digits = asked.removeprefix("+")
    found = [address for address in _owned(twilio, kind) if digits in address]
    shown, page, size, after = _page(request, [_number(twilio, kind, address) for address in found])
    return web.json_response(
        {
            key: shown,
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(shown) - 1, 0),
            "uri": request.path_qs,
            "first_page_uri": request.path,
            "previous_page_uri": None,
            "next_page_uri": f"{request.path}?{after}" if after else None,
        }
    )


async def _change(request: web.Request, kind: str) -> web.StreamResponse:
    twilio, sid = account_of(request), request.match_info["sid"]
    named = (each for each in _owned(twilio, kind) if sid_of(kind, twilio.account_sid, each) == sid)
    address = next(named, None)
    if address is None:
        raise _missing(request)
    setting, form = twilio.settings.of(address), await request.post()
    _take(twilio, address, form, ("SmsUrl", "SmsMethod", "SmsFallbackUrl"))
    setting.application = str(form.get("SmsApplicationSid", setting.application))
    return web.json_response(_number(twilio, kind, address))


def _take(twilio: Twilio, name: str, form: Any, names: tuple[str, str, str]) -> None:
    """URL, method and fallback, as far as the form has them. Raises RefusedError."""
    setting = twilio.settings.of(name)
    if twilio.settings.locked:
        raise RefusedError(20008, "This resource may not be changed", 403)
    url, method, fallback = names
    if form.get(method, "POST") not in {"GET", "POST"}:
        raise RefusedError(20001, f"Invalid parameter value: {method}")
    setting.url = str(form[url]) if url in form else setting.url
    setting.method = str(form.get(method, setting.method))
    setting.fallback = str(form.get(fallback, setting.fallback))


@routes.get(API + "/Accounts/{account}/IncomingPhoneNumbers.json")
async def numbers(request: web.Request) -> web.StreamResponse:
    return await _numbers(request, "PN", "incoming_phone_numbers", request.query.get("PhoneNumber", ""))


@routes.post(API + "/Accounts/{account}/IncomingPhoneNumbers/{sid}.json")
async def change_number(request: web.Request) -> web.StreamResponse:
    return await _change(request, "PN")


@routes.get(API + "/Accounts/{account}/SMS/ShortCodes.json")
async def short_codes(request: web.Request) -> web.StreamResponse:
    return await _numbers(request, "SC", "short_codes", request.query.get("ShortCode", ""))


@routes.post(API + "/Accounts/{account}/SMS/ShortCodes/{sid}.json")
async def change_short_code(request: web.Request) -> web.StreamResponse:
    return await _change(request, "SC")


def _iso(twilio: Twilio) -> str:
    return f"{datetime.fromtimestamp(twilio.now() // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _listed(request: web.Request, key: str, found: Sequence[dict[str, Any]]) -> web.StreamResponse:
    """The newer APIs' lists name whole addresses."""
    shown, page, size, after = _page(request, found)
    here = f"{HOST}{request.path}"
    meta = {
        "key": key,
        "page": page,
        "page_size": size,
        "url": f"{HOST}{request.path_qs}",
        "first_page_url": here,
        "previous_page_url": None,
        "next_page_url": f"{here}?{after}" if after else None,
    }
    return web.json_response({key: shown, "meta": meta})


def _service(twilio: Twilio, sid: str) -> dict[str, Any]:
    setting = twilio.settings.of(sid)
    return {
        "sid": sid,
        "account_sid": twilio.account_sid,
        "friendly_name": "Service",
        "inbound_request_url": twilio.settings.url(sid, twilio.public_url) or None,
        "inbound_method": setting.method,
        "fallback_url": setting.fallback or None,
        "fallback_method": "POST",
        "status_callback": None,
        "use_inbound_webhook_on_number": sid in twilio.settings.defers,
        "date_created": _iso(twilio),
        "date_updated": _iso(twilio),
        "url": f"{HOST}{SERVICES}/{sid}",
        "links": {},
    }


def _service_of(request: web.Request) -> tuple[Twilio, str]:
    twilio, sid = account_of(request), request.match_info["sid"]
    if sid not in (twilio.services or {}):
        raise _missing(request)
    return twilio, sid


@routes.get(SERVICES)
async def services(request: web.Request) -> web.StreamResponse:
    twilio = account_of(request)
    return _listed(request, "services", [_service(twilio, sid) for sid in twilio.services or {}])


@routes.get(SERVICES + "/{sid}")
async def service(request: web.Request) -> web.StreamResponse:
    return web.json_response(_service(*_service_of(request)))


@routes.post(SERVICES + "/{sid}")
async def change_service(request: web.Request) -> web.StreamResponse:
    twilio, sid = _service_of(request)
    _take(twilio, sid, await request.post(), ("InboundRequestUrl", "InboundMethod", "FallbackUrl"))
    return web.json_response(_service(twilio, sid))


@routes.get(SERVICES + "/{sid}/{part:PhoneNumbers|ShortCodes|ChannelSenders}")
async def pool(request: web.Request) -> web.StreamResponse:
    twilio, sid = _service_of(request)
    part = request.match_info["part"]
    kind, key, field = {
        "PhoneNumbers": ("PN", "phone_numbers", "phone_number"),
        "ShortCodes": ("SC", "short_codes", "short_code"),
        "ChannelSenders": ("whatsapp", "senders", "sender"),
    }[part]
    assert twilio.services is not None
    found = [address for address in _owned(twilio, kind) if address in twilio.services[sid]]
    return _listed(request, key, [{"sid": sid_of(kind, twilio.account_sid, each), field: each} for each in found])


def _sender(twilio: Twilio, address: str, *, whole: bool = True) -> dict[str, Any]:
    """`whole` False, in a list: no page promises that its entries have the webhook."""
    setting, sid = twilio.settings.of(address), sid_of("XE", twilio.account_sid, address)
    url = twilio.settings.url(address, twilio.public_url)
    hook = dict(zip(WEBHOOK, (url, setting.method, setting.fallback), strict=True))
    return {
        "sid": sid,
        "status": twilio.settings.senders.get(address, "ONLINE"),
        "sender_id": address,
        "webhook": hook | {"fallback_method": "POST"} if whole else None,
        "profile": {"name": "Simulated"} if whole else None,
        "url": f"{HOST}{SENDERS}/{sid}",
    }


def _sender_of(request: web.Request) -> tuple[Twilio, str]:
    twilio, sid = account_of(request), request.match_info["sid"]
    for address in _owned(twilio, "whatsapp"):
        if sid_of("XE", twilio.account_sid, address) == sid:
            return twilio, address
    raise _missing(request)


@routes.get(SENDERS)
async def senders(request: web.Request) -> web.StreamResponse:
    twilio = account_of(request)
    if request.query.get("Channel") != "whatsapp":
        raise RefusedError(20001, "Invalid parameter value: Channel")
    found = [_sender(twilio, address, whole=False) for address in _owned(twilio, "whatsapp")]
    return _listed(request, "senders", found)


@routes.get(SENDERS + "/{sid}")
async def sender(request: web.Request) -> web.StreamResponse:
    return web.json_response(_sender(*_sender_of(request)))


@routes.post(SENDERS + "/{sid}")
async def change_sender(request: web.Request) -> web.StreamResponse:
    """JSON alone; what the webhook does not name is emptied, and null is no value."""
    twilio, address = _sender_of(request)
    try:
        body = msgspec.json.decode(await request.read(), type=dict[str, dict[str, str]])
    except msgspec.DecodeError as error:
        raise RefusedError(20001, "Invalid parameter value") from error
    hook = body.get("webhook", {})
    told = {name: hook.get(name, "POST" if name == "callback_method" else "") for name in WEBHOOK}
    _take(twilio, address, told, WEBHOOK)
    return web.json_response(_sender(twilio, address), status=202)


@routes.route("*", "/{version:v[12]}/{rest:.*}")
async def unknown(request: web.Request) -> web.StreamResponse:
    raise _missing(request)
