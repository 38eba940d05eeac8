"""Reads Twilio's own log of messages, completely or not at all (Twilio docs, "Messages resource")."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

from twilio.base import values
from twilio.rest import Client

from appliance.model import SECOND
from appliance.ports import Clock, LogUnavailableError
from appliance.twilio.client import last_answer
from appliance.wire import LoggedMessage, LogRead, Media, on_twilios_clock

T = TypeVar("T")
PAGE_SIZE = 1_000


class TwilioLog:
    """Implements ports.MessageLog with clients that somebody else closes."""

    def __init__(self, clients: Callable[[], Sequence[Client]], clock: Clock) -> None:
        """`clients`: one for each credential, in the order they are tried."""
        self._clients = clients
        self._clock = clock

    async def read(self, *, sender: str = "", recipient: str, since: int, ours: bool = False) -> LogRead:
        return await self._ask(lambda client: self._read(client, sender, recipient, since, ours))

    async def message(self, sid: str) -> LoggedMessage | None:
        return await self._ask(lambda client: _message(client, sid))

    async def media(self, sid: str) -> tuple[Media, ...]:
        return await self._ask(lambda client: _media(client, sid))

    async def _ask(self, question: Callable[[Client], Awaitable[T]]) -> T:
        """Promoting a token kills the old one: where one is not accepted the next is tried."""
        fault = Exception("no credentials")
        for client in self._clients():
            try:
                return await question(client)
            except Exception as error:  # noqa: BLE001  # whatever it was, the read is not complete
                fault = error
            if _status() != HTTPStatus.UNAUTHORIZED:
                break
        raise LogUnavailableError(type(fault).__name__) from fault

    async def _read(self, client: Client, sender: str, recipient: str, since: int, ours: bool) -> LogRead:
        found: list[LoggedMessage] = []
        stream = await client.messages.stream_async(to=recipient, from_=sender or values.unset, page_size=PAGE_SIZE)
        began_at = self._clock.now()
        offset = _twilio_now(began_at) - began_at
        start = on_twilios_clock(since, offset) if ours else since
        async for resource in stream:
            logged = _logged(resource)
            if logged.created_at < start:
                break
            found.append(logged)
        found.reverse()  # the list is newest first, and within one second only its order tells
        return LogRead(tuple(sorted(found, key=lambda message: message.created_at)), began_at, offset)


async def _message(client: Client, sid: str) -> LoggedMessage | None:
    resource = await _unless_deleted(client.messages(sid).fetch_async())
    return None if resource is None else _logged(resource)


async def _media(client: Client, sid: str) -> tuple[Media, ...]:
    items = await _unless_deleted(client.messages(sid).media.list_async()) or ()
    return tuple(
        Media(f"https://api.twilio.com{str(item.uri).removesuffix('.json')}", str(item.content_type or ""))
        for item in items
    )


async def _unless_deleted(question: Awaitable[Any]) -> Any:
    """Its answer; None where Twilio does not have the message (any more)."""
    try:
        return await question
    except Exception:
        if _status() == HTTPStatus.NOT_FOUND:
            return None
        raise


def _status() -> int | None:
    """The HTTP status of the last answer, None where there was none."""
    answer = last_answer.get()
    return None if answer is None else int(answer.status_code)


def _twilio_now(ours: int) -> int:
    """Twilio's clock by the Date header of the last answer; ours where it has none."""
    answer = last_answer.get()
    text = ((answer and answer.headers) or {}).get("Date", "")
    with contextlib.suppress(ValueError, TypeError):
        return int(parsedate_to_datetime(text).timestamp() * SECOND)
    return ours


def _logged(resource: Any) -> LoggedMessage:
    created: datetime = resource.date_created
    return LoggedMessage(
        sid=str(resource.sid),
        direction=str(resource.direction),
        sender=str(resource.from_ or ""),
        recipient=str(resource.to or ""),
        body=str(resource.body or "").encode("utf-8", "replace").decode(),  # JSON can hold half a character
        status=str(resource.status),
        error_code=resource.error_code if isinstance(resource.error_code, int) else None,
        created_at=int(created.replace(tzinfo=created.tzinfo or UTC).timestamp() * SECOND),
        num_media=int(resource.num_media or 0),
    )
