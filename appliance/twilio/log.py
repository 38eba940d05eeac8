"""Reads Twilio's own log of messages, completely or not at all (Twilio docs, "Messages resource")."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, TypeVar

from twilio.base import values
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from appliance.links.trouble import trouble_of
from appliance.model import HOUR, SECOND
from appliance.ports import Clock, LogUnavailableError, TooMuchError
from appliance.twilio.client import code_of, date, last_answer, segments_in, status, trouble
from appliance.wire import LoggedMessage, LogRead, Media, Trouble, forms, on_twilios_clock

T = TypeVar("T")
PAGE_SIZE = 1_000
MOST = 20_000  # messages of one read


class TwilioLog:
    """Implements ports.MessageLog with clients that somebody else closes."""

    def __init__(
        self,
        clients: Callable[[], Sequence[Client]],
        clock: Clock,
        hear: Callable[[Trouble | None], None] = lambda _trouble: None,
    ) -> None:
        """`clients`: one for each credential, in the order they are tried. `hear`: what a call says about the link."""
        self._clients = clients
        self._clock = clock
        self._hear = hear

    async def inbound(self, channel: str, since: int, *, sender: str = "", ours: bool = False) -> LogRead:
        # What came in has a DateSent from the moment it is there.
        dated = _day_of(since - HOUR)
        return await self._read(since, ours, to=channel, from_=sender or values.unset, date_sent_after=dated)

    async def outbound(self, channel: str, contact: str, since: int, *, ours: bool = False) -> LogRead:
        # Without From: what waits in a Messaging Service has none. Without dates: what waits has no DateSent.
        reads = [await self._read(since, ours, to=form) for form in forms(contact)]
        mine = (each for read in reads for each in read.messages if each.sender in ("", channel))
        return replace(reads[0], messages=tuple(sorted(mine, key=lambda message: message.created_at)))

    async def sent(self, channel: str, since: int, *, ours: bool = False) -> LogRead:
        return await self._read(since, ours, from_=channel, date_sent_after=_day_of(since - 24 * HOUR))

    async def traffic(self, channel: str, since: int) -> LogRead:
        dated = _day_of(since - HOUR)
        came = await self._read(0, False, to=channel, date_sent_after=dated)
        went = await self._read(0, False, from_=channel, date_sent_after=dated)
        # Between two channels of an account each message stands there twice, and both lists have both.
        both = [each for each in came.messages if each.direction == "inbound"]
        both += [each for each in went.messages if each.direction != "inbound"]
        return replace(
            came, messages=tuple(sorted((each for each in both if each.at >= since), key=lambda each: each.at))
        )

    async def said(self, channel: str, since: int) -> LogRead:
        return await self._read(since, False, from_=channel, date_sent_after=_day_of(since - HOUR))

    async def _read(self, since: int, ours: bool, **filters: Any) -> LogRead:
        """Every page, whatever stands on it: the list is in the order of DateSent, and what has none is anywhere."""

        async def question(client: Client) -> LogRead:
            began_at = self._clock.now()
            stream = await client.messages.stream_async(page_size=PAGE_SIZE, **filters)
            told = date()
            offset = 0 if told is None else told - self._clock.now()
            start = on_twilios_clock(since, offset) if ours else since
            found: list[LoggedMessage] = []
            count = 0
            async for resource in stream:
                if (count := count + 1) > MOST:
                    raise TooMuchError(f"more messages than can be read ({MOST})")
                if (logged := _logged(resource)).created_at >= start:
                    found.append(logged)
            found.reverse()  # the list is newest first, and within one second only its order tells
            return LogRead(tuple(sorted(found, key=lambda message: message.created_at)), began_at, offset)

        return await self._ask(question)

    async def message(self, sid: str) -> LoggedMessage | None:
        return await self._ask(lambda client: _message(client, sid))

    async def media(self, sid: str) -> tuple[Media, ...]:
        return await self._ask(lambda client: _media(client, sid))

    async def delete(self, sid: str) -> int | None:
        return await self._ask(lambda client: _delete(client, sid))

    async def _ask(self, question: Callable[[Client], Awaitable[T]]) -> T:
        """Promoting a token kills the old one: where one is not accepted the next is tried."""
        fault = Exception("no credentials")
        for client in self._clients():
            try:
                answer = await question(client)
                self._hear(None)
                return answer
            except TooMuchError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it was, the read is not complete
                fault = error
            if status() != HTTPStatus.UNAUTHORIZED:
                break
        found = trouble_of(fault) or trouble()
        self._hear(found)
        raise LogUnavailableError(str(found or _said(fault)), found) from fault


def _said(fault: Exception) -> str:
    """Twilio's refusal by its numbers; of anything else the kind. The client's exception for a list has no code."""
    answer = last_answer.get()
    if answer is None or not isinstance(fault, TwilioException):
        return type(fault).__name__
    code = code_of(answer)
    return f"HTTP {answer.status_code}" + ("" if code is None else f", Twilio error {code}")


async def _message(client: Client, sid: str) -> LoggedMessage | None:
    resource = await _unless_deleted(client.messages(sid).fetch_async())
    return None if resource is None else _logged(resource)


async def _media(client: Client, sid: str) -> tuple[Media, ...]:
    items = await _unless_deleted(client.messages(sid).media.list_async()) or ()
    return tuple(
        Media(f"https://api.twilio.com{str(item.uri).removesuffix('.json')}", str(item.content_type or ""))
        for item in items
    )


async def _delete(client: Client, sid: str) -> int | None:
    try:
        await client.messages(sid).delete_async()
    except TwilioRestException as error:
        if status() in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.BAD_REQUEST):
            return int(error.code)
        raise
    return None


async def _unless_deleted(question: Awaitable[Any]) -> Any:
    """Its answer; None where Twilio does not have the message (any more)."""
    try:
        return await question
    except Exception:
        if status() == HTTPStatus.NOT_FOUND:
            return None
        raise


def _day_of(at: int) -> datetime:
    """A time (ms) as the SDK wants it: it formats what it gets as if it were UTC."""
    return datetime.fromtimestamp(max(at, 0) / SECOND, UTC)


def _price(told: Any) -> Decimal | None:
    """A text such as "-0.00750"."""
    with contextlib.suppress(InvalidOperation, ValueError, TypeError):
        return found if (found := Decimal(told)).is_finite() else None
    return None


def _moment(told: datetime) -> int:
    return int(told.replace(tzinfo=told.tzinfo or UTC).timestamp() * SECOND)


def _logged(resource: Any) -> LoggedMessage:
    return LoggedMessage(
        sid=str(resource.sid),
        direction=str(resource.direction),
        sender=str(resource.from_ or ""),
        recipient=str(resource.to or ""),
        body=str(resource.body or "").encode("utf-8", "replace").decode(),  # JSON can hold half a character
        status=str(resource.status),
        error_code=resource.error_code if isinstance(resource.error_code, int) else None,
        created_at=_moment(resource.date_created),
        num_media=int(resource.num_media or 0),
        price=_price(resource.price),
        currency=str(resource.price_unit or "").upper(),
        segments=segments_in(resource.num_segments),
        at=_moment(resource.date_sent or resource.date_created),
    )
