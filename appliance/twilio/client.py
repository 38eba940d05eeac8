"""The HTTP under Twilio's client: our base URL, our timeouts, no cookies, no proxies, no logging of addresses.

The client's own request() has no timeout and logs URLs with phone numbers; its answers drop the headers that matter.
"""

import base64
import contextlib
import json
import re
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import aiohttp
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response

from appliance.model import SECOND
from appliance.wire import Fault, Trouble

TWILIO = "https://api.twilio.com"
MESSAGING = "https://messaging.twilio.com"  # where services and WhatsApp senders are
CONNECT = 5.0  # seconds; a connection that was never made is surely not a message sent
KEEP_ALIVE = 4.0  # short: a stale connection would turn a send into a doubt

# The answer to the last call made in this task, with its headers: the client's exceptions carry none.
last_answer: ContextVar[Response | None] = ContextVar("last_answer", default=None)


def status() -> int | None:
    """The HTTP status of the last answer, None where there was none."""
    answer = last_answer.get()
    return None if answer is None else int(answer.status_code)


def date() -> int | None:
    """Twilio's clock by the Date header of the last answer, in whole seconds as ms UTC; None where it has none."""
    answer = last_answer.get()
    text = ((answer and answer.headers) or {}).get("Date", "")
    with contextlib.suppress(ValueError, TypeError):
        return int(parsedate_to_datetime(text).timestamp() * SECOND)
    return None


def trouble() -> Trouble | None:
    """What the last answer says about the link, rather than about what was asked."""
    answer = last_answer.get()
    if answer is None:
        return None
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return Trouble(Fault.CREDENTIALS, "HTTP 401, Twilio error 20003")
    return Trouble(Fault.SERVER, f"HTTP {answer.status_code}") if answer.status_code >= 500 else None


def segments_in(told: Any) -> int:
    """Of num_segments; 0 where there is no number."""
    return int(told) if re.fullmatch("[0-9]{1,3}", str(told)) else 0


def code_of(answer: Response) -> int | None:
    """Twilio's error code, where the body is Twilio's JSON."""
    try:
        code = json.loads(answer.text)["code"]
    except (ValueError, KeyError, TypeError):
        return None
    return code if isinstance(code, int) else None


class TwilioHttp(AsyncTwilioHttpClient):  # type: ignore[misc]  # the package has no types
    def __init__(self, api_url: str, timeout: float) -> None:
        super().__init__(pool_connections=False)
        self._api_url = api_url
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_ALIVE),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=timeout, connect=min(CONNECT, timeout)),
            trust_env=False,
        )

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002  # ours is set on the session
        allow_redirects: bool = False,  # noqa: ARG002  # the client's signature; never followed
    ) -> Response:
        last_answer.set(None)
        for host in (TWILIO, MESSAGING):
            if url.startswith(host) and self._api_url != TWILIO:
                url = self._api_url + url.removeprefix(host)
        if auth is not None:
            login = base64.b64encode(":".join(auth).encode()).decode()
            headers = (headers or {}) | {"Authorization": f"Basic {login}"}
        is_json = data is not None and (headers or {}).get("Content-Type") == "application/json"
        body: dict[str, Any] = {"json" if is_json else "data": data}
        async with self.session.request(
            method.upper(), url, params=params, headers=headers, allow_redirects=False, **body
        ) as response:
            answer = Response(response.status, await response.text(errors="replace"), response.headers)
        last_answer.set(answer)
        return answer
