"""The way in, tried as Twilio would: a signed POST to the public URL, that this very appliance must see.

Where it fails it is told where: name, connection, TLS, a proxy that redirects, refuses, rewrites or has nothing behind
it, another server, another appliance.
"""

import asyncio
import errno
import ssl
import time
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

from appliance.config import Config
from appliance.diagnosis.finding import Finding, Kind, Value, found
from appliance.diagnosis.webhook import shown
from appliance.wire import PROBE, PROBE_HEADER, STATUS_PATH

PATIENCE = 15.0  # seconds, Twilio's own
CONNECT = 5.0  # seconds, likewise
AGENT = "TwilioProxy/1.1"  # what a filter of a proxy has to let through
OURS = "appliance"  # what our answers have as Server, as far as no proxy changes it
DOWN = frozenset({502, 503, 504, *range(520, 531)})  # the last ones are Cloudflare's
REFUSALS = frozenset({401, 403, 405, 406, 429})
_TLS = {  # OpenSSL's X509_V_ERR_…
    9: Kind.TLS_EXPIRED,  # not yet valid
    10: Kind.TLS_EXPIRED,
    18: Kind.TLS_SELF_SIGNED,
    62: Kind.TLS_NAME,
    64: Kind.TLS_NAME,
}


class Desk(Protocol):
    """The appliance that runs, asked over its control socket."""

    async def expect(self) -> tuple[str, str] | None:
        """A nonce to come with, and the public URL that is in force there; None where it knows of no probes."""

    async def arrival(self, nonce: str) -> dict[str, Any] | None:
        """How it came in: status, target, signed. None: it did not come."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    location: str
    server: str
    milliseconds: int


async def of_the_way_in(config: Config, desk: Desk | None) -> Finding:
    """`desk`: None where no appliance runs."""
    if desk is None:
        return found(Kind.NOT_RUNNING)
    expected = await desk.expect()
    if expected is None:
        return found(Kind.OLDER)
    nonce, in_force = expected
    if in_force != config.server.public_url:
        return found(Kind.OTHER_URL, theirs=in_force)
    answer = await _call(config, nonce)
    if isinstance(answer, Finding):
        return answer
    return _read(answer, await desk.arrival(nonce), config, nonce)


async def _call(config: Config, nonce: str) -> _Answer | Finding:
    url = _sent(config, nonce)
    signer = next(each for each in config.accounts if each.auth_tokens)  # there is one: who has none names a parent
    form = {"MessageStatus": "probe", "AccountSid": signer.account_sid}
    signature = RequestValidator(signer.auth_tokens[0]).compute_signature(url, form)
    headers = {"X-Twilio-Signature": signature, "User-Agent": AGENT, PROBE_HEADER: nonce}
    limits = aiohttp.ClientTimeout(total=PATIENCE, connect=CONNECT)
    began = time.monotonic()
    try:
        # Made now: what this machine trusts may have changed since aiohttp was imported.
        connector = aiohttp.TCPConnector(ssl=await asyncio.to_thread(ssl.create_default_context))
        async with (
            aiohttp.ClientSession(connector=connector, timeout=limits, trust_env=False) as session,
            session.post(URL(url, encoded=True), data=form, headers=headers, allow_redirects=False) as response,
        ):
            passed = int((time.monotonic() - began) * 1_000)
            told = response.headers
            return _Answer(response.status, told.get("Location", ""), told.get("Server", ""), passed)
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
        return _unreached(error, url)


def _sent(config: Config, nonce: str) -> str:
    return f"{config.server.public_url}{STATUS_PATH}?o={PROBE}{nonce}"


def _unreached(error: BaseException, url: str) -> Finding:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    values: dict[str, Value] = {
        "host": parts.hostname or "",
        "port": port,
        "seconds": int(CONNECT),
        "reason": type(error).__name__,
    }
    match error:
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as fault):
            kind, values["reason"] = _TLS.get(fault.verify_code, Kind.TLS_ISSUER), fault.verify_message
        case aiohttp.ClientConnectorSSLError():
            kind, values["reason"] = Kind.TLS_NONE, getattr(error.os_error, "reason", None) or values["reason"]
        case aiohttp.ClientConnectorDNSError():
            kind = Kind.DNS
        case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.ECONNREFUSED)):
            kind = Kind.REFUSED
        case aiohttp.ConnectionTimeoutError():
            kind = Kind.SLOW
        case TimeoutError():
            kind, values["seconds"] = Kind.SLOW, int(PATIENCE)
        case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.ETIMEDOUT)):
            kind = Kind.SLOW
        case aiohttp.ClientConnectorError():
            kind = Kind.NO_ROUTE
        case _:
            kind = Kind.BROKEN
    return Finding(kind, values)


def _read(answer: _Answer, arrival: dict[str, Any] | None, config: Config, nonce: str) -> Finding:
    """What the answer means, beside what the appliance saw of the request."""
    status, sent = answer.status, f"{STATUS_PATH}?o={PROBE}{nonce}"
    if arrival is not None and arrival["status"] == 204 == status:
        return found(Kind.WAY_IN, url=config.server.public_url, milliseconds=answer.milliseconds)
    values: dict[str, Value] = {"status": status, "listen": str(config.server.listen), "sent": sent}
    values |= {"target": arrival["target"] if arrival else "", "location": shown(answer.location)}
    if arrival is not None and arrival["target"] != sent:
        kind = Kind.REWRITTEN
    elif arrival is not None and arrival["status"] == 403:
        kind = Kind.ALTERED if arrival["signed"] else Kind.UNSIGNED
    elif arrival is not None:
        kind = Kind.ANSWER_CHANGED
    elif 300 <= status < 400:
        kind = Kind.REDIRECT
    elif status in DOWN:
        kind = Kind.DOWN
    elif status == 204 or answer.server == OURS:
        kind = Kind.ANOTHER_BOX
    elif status == 404:
        kind, values["sent"] = Kind.NO_PATH, STATUS_PATH
    else:
        kind = Kind.FORBIDDEN if status in REFUSALS else Kind.STRANGER
    return Finding(kind, values)
