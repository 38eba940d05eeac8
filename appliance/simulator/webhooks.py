"""Twilio calling us: signed requests with its time limits (Twilio docs, "Webhook connection overrides")."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import aiohttp
import structlog
from twilio.request_validator import RequestValidator
from yarl import URL

LIMITS = aiohttp.ClientTimeout(total=15, sock_connect=5)
ATTEMPTS = 2  # by default one retry, and only of a connection that could not be made
MAX_ANSWER = 64 * 1024  # TwiML's own limit

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the webhook's owner answered; `status` None when there was no answer."""

    status: int | None
    content_type: str = ""
    text: str = ""

    def messages(self) -> list[str]:
        """The texts Twilio would send because of this answer: TwiML's <Message>, or a text/plain body as it is."""
        if self.status is None or not 200 <= self.status < 300:
            return []
        if self.content_type == "text/plain":
            return [self.text] if self.text else []
        try:
            root = ET.fromstring(self.text)  # noqa: S314 - a tool for tests; expat bounds entity expansion itself
        except ET.ParseError:
            return []
        found = ("".join(message.itertext()).strip() for message in root.iter("Message"))
        return [body for body in found if body]


class Webhooks:
    """The account's primary auth token signs; the fragment of a URL is neither sent nor signed."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._session: aiohttp.ClientSession | None = None

    async def call(self, url: str, parameters: Mapping[str, str], method: str = "POST") -> Answer:
        """Deliver one webhook; GET has the parameters in the query and signs only the URL.

        Never raises for what the network did: the answer then has no status.
        """
        url, form = url.partition("#")[0], urlencode(parameters)
        if method == "GET":
            url, form, parameters = f"{url}{'&' if '?' in url else '?'}{form}", "", {}
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": self._validator.compute_signature(url, parameters),
            "I-Twilio-Idempotency-Token": sha256(f"{url}{form}".encode()).hexdigest(),
        }
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        for _ in range(ATTEMPTS):
            try:
                return await self._request(method, url, form.encode(), headers)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                continue
            except (aiohttp.ClientError, TimeoutError) as error:
                _log.warning("simulator.webhook_failed", error=type(error).__name__)
                return Answer(None)
        _log.warning("simulator.webhook_failed", error="no connection")
        return Answer(None)

    async def _request(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self._session is None:
            # A kept connection dies when the appliance restarts, and a webhook lost to that would be our own fault.
            connector = aiohttp.TCPConnector(force_close=True)
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(connector=connector, timeout=LIMITS, cookie_jar=jar)
        # encoded=True: the bytes on the wire must be the bytes that were signed.
        target = URL(url, encoded=True)
        async with self._session.request(
            method, target, data=body or None, headers=headers, allow_redirects=False
        ) as response:
            content = await response.content.read(MAX_ANSWER)
            declared = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            return Answer(response.status, declared, content.decode("utf-8", "replace"))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
