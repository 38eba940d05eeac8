"""Reads Twilio's own log of messages, completely or not at all (Twilio docs, "Messages resource")."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from twilio.base import values
from twilio.rest import Client

from appliance.model import SECOND
from appliance.ports import Clock, LogUnavailableError
from appliance.twilio_http import last_answer
from appliance.wire import LoggedMessage, LogRead, Media

PAGE_SIZE = 1_000


class TwilioLog:
    """Implements ports.MessageLog with a client that somebody else closes."""

    def __init__(self, client: Callable[[], Client], clock: Clock) -> None:
        """`client`: the one whose credentials work at present."""
        self._client = client
        self._clock = clock

    async def read(self, *, sender: str = "", recipient: str, since: int) -> LogRead:
        began_at = self._clock.now()
        found: list[LoggedMessage] = []
        try:
            stream = await self._client().messages.stream_async(
                to=recipient, from_=sender or values.unset, page_size=PAGE_SIZE
            )
            offset = self._offset()
            async for resource in stream:
                logged = _logged(resource)
                if logged.created_at < since:
                    break
                found.append(logged)
        except Exception as error:  # whatever it was, the read is not complete
            raise LogUnavailableError(type(error).__name__) from error
        found.reverse()  # the list is newest first, and within one second only its order tells
        return LogRead(tuple(sorted(found, key=lambda message: message.created_at)), began_at, offset)

    async def media(self, sid: str) -> tuple[Media, ...]:
        try:
            items = await self._client().messages(sid).media.list_async()
        except Exception as error:
            raise LogUnavailableError(type(error).__name__) from error
        return tuple(
            Media(f"https://api.twilio.com{str(item.uri).removesuffix('.json')}", str(item.content_type or ""))
            for item in items
        )

    def _offset(self) -> int:
        """Twilio's clock minus ours, by the Date header of the first page; 0 where it has none."""
        answer = last_answer.get()
        text = ((answer and answer.headers) or {}).get("Date", "")
        with contextlib.suppress(ValueError, TypeError):
            return int(parsedate_to_datetime(text).timestamp() * SECOND) - self._clock.now()
        return 0


def _logged(resource: Any) -> LoggedMessage:
    created: datetime = resource.date_created
    return LoggedMessage(
        sid=str(resource.sid),
        direction=str(resource.direction),
        sender=str(resource.from_ or ""),
        recipient=str(resource.to or ""),
        body=str(resource.body or ""),
        status=str(resource.status),
        error_code=resource.error_code if isinstance(resource.error_code, int) else None,
        created_at=int(created.replace(tzinfo=created.tzinfo or UTC).timestamp() * SECOND),
        num_media=int(resource.num_media or 0),
    )
