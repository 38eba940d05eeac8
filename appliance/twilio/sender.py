"""Hands messages to Twilio through its official async client; says what came of it in the product's words.

The client has no timeout of its own and its `max_retries` repeats POSTs, so neither is used. Source: Twilio docs,
"Messages resource"; outcome classes: a POST that may have been read is in doubt, never repeated.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

import aiohttp
from twilio.base import values
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from appliance.links.trouble import trouble_of
from appliance.twilio import codes, encoding
from appliance.twilio.client import TwilioHttp, code_of, last_answer, segments_in, trouble
from appliance.wire import Blame, Fault, OutboundMessage, SendOutcome, Trouble, TwilioMessageResult

_NOTHING_WRITTEN = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class TwilioSender:
    """Implements ports.Sender. Create it inside the running loop, close it at the end."""

    def __init__(
        self,
        *,
        account_sid: str,
        credentials: Sequence[tuple[str, str]],
        api_url: str,
        status_url: str,
        timeout: float,
        messaging_service_sid: str | None = None,
        hear: Callable[[Trouble | None], None] = lambda _trouble: None,
        sent: Callable[[TwilioMessageResult], None] = lambda _result: None,
    ) -> None:
        """`hear`: what each call says about the link. `sent`: what became of each message.

        `credentials`: (user, secret) pairs in the order they are tried. `timeout`: seconds for one call.

        `messaging_service_sid`: sends from the number of its pool that the message names, which the customer wrote to.
        """
        self._http = TwilioHttp(api_url, timeout)
        self._clients = [Client(user, secret, account_sid, http_client=self._http) for user, secret in credentials]
        self._status_url = status_url
        self._service = messaging_service_sid or values.unset
        self._hear = hear
        self._sent = sent

    async def send(self, message: OutboundMessage) -> TwilioMessageResult:
        result = TwilioMessageResult(SendOutcome.NOT_SENT, detail="no credentials", blame=Blame.ACCOUNT)
        for client in list(self._clients):
            result = await self._post(client, message)
            if result.code != codes.UNAUTHORIZED:
                # Promoting a token kills the old one: the one that worked is tried first from now on.
                self._clients.sort(key=lambda other, works=client: other is not works)  # type: ignore[misc]
                break
        self._hear(result.trouble)
        self._sent(result)
        return result

    def clients(self) -> Sequence[Client]:
        """One for each credential, the one that worked last first."""
        return tuple(self._clients)

    async def _post(self, client: Any, message: OutboundMessage) -> TwilioMessageResult:
        try:
            created = await client.messages.create_async(
                from_=message.sender,
                messaging_service_sid=self._service,
                to=message.recipient,
                body=message.body,
                status_callback=f"{self._status_url}?o={message.reference}",
                validity_period=message.valid_for,
                smart_encoded=True if encoding.is_encoded(message.recipient) else values.unset,
            )
        except _NOTHING_WRITTEN as error:
            found = trouble_of(error)
            detail = f"no connection: {found}"
            return TwilioMessageResult(SendOutcome.NOT_SENT, detail=detail, blame=Blame.NETWORK, trouble=found)
        except Exception as error:  # noqa: BLE001  # whatever it was, the message may have been sent
            return _failure(error)
        if not isinstance(created.sid, str) or not created.sid:
            return TwilioMessageResult(SendOutcome.DOUBT, detail="no sid")
        segments = segments_in(created.num_segments)
        return TwilioMessageResult(SendOutcome.ACCEPTED, sid=created.sid, status=str(created.status), segments=segments)

    async def probe(self) -> Trouble | None:
        found: Trouble | None = Trouble(Fault.CREDENTIALS, "no credentials")
        for client in list(self._clients):
            try:
                await client.messages.list_async(limit=1)
            except Exception as error:  # noqa: BLE001  # an answer of any other kind proves the link
                found = trouble_of(error) or trouble()
            else:
                found = None
            if found is None or found.fault != Fault.CREDENTIALS:
                break
        self._hear(found)
        return found

    async def close(self) -> None:
        await self._http.close()


def _failure(error: Exception) -> TwilioMessageResult:
    answer = last_answer.get()
    if not isinstance(error, TwilioRestException) or answer is None:
        return TwilioMessageResult(SendOutcome.DOUBT, detail=type(error).__name__, trouble=trouble_of(error))
    status, code = answer.status_code, code_of(answer)
    outcome, blame = codes.classify(status, code)
    return TwilioMessageResult(
        outcome,
        code=codes.UNAUTHORIZED if status == HTTPStatus.UNAUTHORIZED else code,
        detail=f"HTTP {status}" + ("" if code is None else f", Twilio error {code}"),
        blame=blame,
        retry_after=_retry_after((answer.headers or {}).get("Retry-After")),
        trouble=trouble(),
    )


def _retry_after(text: str | None) -> float | None:
    """Seconds; a date is not used by Twilio and is ignored."""
    try:
        return min(max(float(text), 0.0), 3600.0) if text else None
    except ValueError:
        return None
