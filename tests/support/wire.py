"""Requests as Twilio or an attacker would make them, byte for byte."""

from collections.abc import Sequence
from urllib.parse import urlencode

import aiohttp
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from tests.support.world import ACCOUNT, CUSTOMER, SMS, TOKEN, World

Pairs = Sequence[tuple[str, str]]
FORM = "application/x-www-form-urlencoded"


def message(sid: str, body: str = "Oi", sender: str = CUSTOMER, recipient: str = SMS) -> list[tuple[str, str]]:
    """The parameters that are always there."""
    return [("MessageSid", sid), ("AccountSid", ACCOUNT), ("From", sender), ("To", recipient), ("Body", body)]


def signature(world: World, path: str, pairs: Pairs, token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(world.address + path, MultiDict(pairs)))


async def post(
    world: World, pairs: Pairs, path: str = "/twilio/messages", raw: bytes | None = None, **headers: str
) -> tuple[int, str]:
    """POST a form, rightly signed unless a header says otherwise; `raw` replaces its bytes. Status and text."""
    sent = {"Content-Type": FORM, "X-Twilio-Signature": signature(world, path, pairs)}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        data = urlencode(pairs).encode() if raw is None else raw
        async with session.post(world.address + path, data=data, headers=sent) as response:
            return response.status, await response.text()


async def callback(world: World, reference: str, sid: str, status: str, **parameters: str) -> int:
    """A signed status callback for the row and attempt that `reference` names."""
    pairs = {"MessageSid": sid, "MessageStatus": status, "AccountSid": ACCOUNT, "From": SMS, "To": CUSTOMER}
    found, _ = await post(world, list((pairs | parameters).items()), f"/twilio/status?o={reference}")
    return found
