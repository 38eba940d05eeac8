"""Twilio's list as Twilio documents it: ordered by DateSent, rows without one anywhere, canonical addresses, no From."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from appliance.model import HOUR, MINUTE, SECOND
from appliance.ports import LogUnavailableError, TooMuchError
from appliance.twilio import log as log_module
from appliance.twilio.log import TwilioLog
from appliance.twilio.sender import TwilioSender
from tests.support.world import ACCOUNT, CUSTOMER, SMS, TOKEN, ManualClock

NOW = 1_800_000_000_000
CANONICAL = "+551188887777"  # the customer's number as Twilio's log has it
PAGE = 3


def row(sid: str, created: int, sent: int | None = 0, sender: str | None = SMS, **fields: Any) -> dict[str, Any]:
    """A message of the list, made and sent so many ms before NOW; `sent` None: it has no DateSent."""
    times = {"date_created": NOW - created, "date_sent": None if sent is None else NOW - sent}
    dates = {name: at and format_datetime(datetime.fromtimestamp(at / SECOND, UTC)) for name, at in times.items()}
    common = {"from": sender, "to": CUSTOMER, "body": sid, "direction": "outbound-api", "status": "sent"}
    return common | {"sid": sid, "error_code": None, "num_media": "0", "date_updated": None} | dates | fields


class List:
    """Twilio's list in its own order, page by page. `queries`: what was asked; `broken_page`: which one fails."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.queries: list[dict[str, str]] = []
        self.broken_page: int | None = None

    async def page(self, request: web.Request) -> web.Response:
        number = int(request.query.get("Page", 0))
        if number == self.broken_page:
            raise web.HTTPServiceUnavailable
        if not number:
            self.queries.append(dict(request.query))
        fits = [each for each in self.rows if self._fits(each, request)]
        filters = "".join(
            f"&{name}={request.query[name].replace('+', '%2B')}" for name in ("To", "From") if name in request.query
        )
        more = f"{request.path}?Page={number + 1}{filters}" if len(fits) > (number + 1) * PAGE else None
        found = {"messages": fits[number * PAGE : (number + 1) * PAGE], "next_page_uri": more, "page": number}
        date = format_datetime(datetime.fromtimestamp(NOW / SECOND, UTC), usegmt=True)
        return web.json_response(found, headers={"Date": date})

    def _fits(self, each: dict[str, Any], request: web.Request) -> bool:
        return all(request.query.get(name, each[name.lower()]) == each[name.lower()] for name in ("To", "From"))


@asynccontextmanager
async def served(*rows: dict[str, Any]) -> AsyncIterator[tuple[TwilioLog, List]]:
    listed = List(list(rows))
    app = web.Application()
    app.router.add_get("/2010-04-01/Accounts/{account}/Messages.json", listed.page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    sender = TwilioSender(
        account_sid=ACCOUNT, credentials=[(ACCOUNT, TOKEN)], api_url=url, status_url="http://x", timeout=5
    )
    try:
        yield TwilioLog(sender.clients, ManualClock(NOW)), listed
    finally:
        await sender.close()
        await runner.cleanup()


def day_of(text: str) -> float:
    """How many hours before NOW a date of a query is."""
    at = datetime.fromisoformat(text)
    at = at.replace(tzinfo=at.tzinfo or UTC)
    return (NOW / SECOND - at.timestamp()) * SECOND / HOUR


REMINDER = row("SM-reminder", 24 * HOUR)  # scheduled yesterday, sent just now
OURS = row("SM-ours", MINUTE, MINUTE)


@pytest.mark.parametrize(
    "rows",
    [
        [REMINDER, OURS],
        [OURS, REMINDER],
        [REMINDER] * 7 + [OURS],  # behind two pages of old ones
        [row("SM-undated", 24 * HOUR, None), OURS],
        [row("SM-undated-young", 0, None), REMINDER, OURS],
        [REMINDER, row("SM-ours", MINUTE, None, status="queued")],
        [row("SM-ours", MINUTE, None), REMINDER],
    ],
)
async def test_an_older_date_on_top_hides_nothing(rows: list[dict[str, Any]]) -> None:
    """What was made yesterday and sent now stands before our send; what has no DateSent stands first or last."""
    async with served(*rows) as (log, _):
        for read in (await log.outbound(SMS, CUSTOMER, NOW - 5 * MINUTE), await log.sent(SMS, NOW - 5 * MINUTE)):
            assert "SM-ours" in read.sids
            assert "SM-reminder" not in read.sids


@pytest.mark.parametrize("address", [CUSTOMER, CANONICAL])
async def test_both_forms_of_an_address_are_asked(address: str) -> None:
    """Twilio writes the number as it likes: ours is found whichever of the two we know."""
    async with served(row("SM-1", 0, to=CANONICAL), row("SM-2", 0, to=CUSTOMER), row("SM-3", 0, to="+5511999")) as (
        log,
        listed,
    ):
        read = await log.outbound(SMS, address, NOW - MINUTE)

    assert read.sids == {"SM-1", "SM-2"}
    assert {query["To"] for query in listed.queries} == {CUSTOMER, CANONICAL}


async def test_what_has_no_from_yet_counts() -> None:
    """A Messaging Service gives the number later; what another number of the account sent is not this channel's."""
    rows = [row("SM-null", 0, None, None), row("SM-other", 0, 0, "+5511666"), row("SM-ours", 0)]
    async with served(*rows) as (log, listed):
        read = await log.outbound(SMS, CUSTOMER, NOW - MINUTE)

    assert read.sids == {"SM-null", "SM-ours"}
    assert all("From" not in query and "DateSent>" not in query for query in listed.queries)


async def test_what_a_channel_sent_is_asked_from_a_day_before() -> None:
    """By From, with a DateSent: what was scheduled or waited before that is not asked for."""
    async with served(OURS) as (log, listed):
        await log.sent(SMS, NOW - 5 * MINUTE)
        await log.inbound(SMS, NOW - 5 * MINUTE)

    sent, inbound = listed.queries
    assert (sent["From"], "To" in sent) == (SMS, False)
    assert 24 <= day_of(sent["DateSent>"]) <= 49
    assert (inbound["To"], "From" in inbound) == (SMS, False)
    assert 1 <= day_of(inbound["DateSent>"]) <= 26


async def test_messages_come_oldest_first() -> None:
    """By when they were made; within one second in the list's own order."""
    rows = [row("SM-3", 0), row("SM-b", 5 * SECOND), row("SM-a", 5 * SECOND), row("SM-1", 10 * SECOND)]
    async with served(*rows) as (log, _):
        read = await log.outbound(SMS, CUSTOMER, NOW - MINUTE)

    assert [message.sid for message in read.messages] == ["SM-1", "SM-a", "SM-b", "SM-3"]
    assert (read.began_at, read.offset) == (NOW, 0)


@pytest.mark.parametrize("broken", [0, 1, 2])
async def test_a_read_is_complete_or_nothing(broken: int) -> None:
    """Whichever page fails, nothing was read."""
    async with served(*[row(f"SM-{number}", 0) for number in range(8)]) as (log, listed):
        assert len((await log.sent(SMS, NOW - MINUTE)).messages) == 8
        listed.broken_page = broken
        for question in (log.sent(SMS, NOW - MINUTE), log.outbound(SMS, CUSTOMER, NOW - MINUTE)):
            with pytest.raises(LogUnavailableError):
                await question


async def test_more_than_a_read_may_take_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It will stay so: that is another error than a list that could not be read."""
    monkeypatch.setattr(log_module, "MOST", 7)
    async with served(*[row(f"SM-{number}", 0) for number in range(8)]) as (log, listed):
        with pytest.raises(TooMuchError):
            await log.sent(SMS, NOW - MINUTE)
        listed.rows.pop()
        assert len((await log.sent(SMS, NOW - MINUTE)).messages) == 7
