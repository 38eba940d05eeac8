"""One page of Twilio's message list: filters, order, paging (Twilio docs, "Messages resource").

The list is sorted by DateSent, most recent first. What has no DateSent stands together; at which end is not documented.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

from multidict import MultiMapping

from appliance.simulator.ledger import Entry, Ledger
from appliance.simulator.refusal import RefusedError
from appliance.simulator.resource import message_resource

MAX_PAGE_SIZE = 1_000
DAY = timedelta(days=1, seconds=-1)
NOWHERE = (-1, 0, 0)

Undated: TypeAlias = Literal["first", "last"]
Place: TypeAlias = tuple[int, int, int]  # in the list: which end, how new, and among equals how new in the log


@dataclass(frozen=True, slots=True)
class Query:
    """Empty = any. `since` and `until` are UTC seconds, inclusive, and leave out what was not sent yet."""

    sender: str
    recipient: str
    since: float | None
    until: float | None
    page_size: int
    page: int
    after: Place  # where the page before ended
    read: int  # the how manieth request for the list this is
    filters: tuple[tuple[str, str], ...]

    def fits(self, entry: Entry) -> bool:
        if self.sender not in {"", entry.shown_sender} or self.recipient not in {"", entry.recipient}:
            return False
        if self.since is None and self.until is None:
            return True
        sent = None if entry.date_sent is None else entry.date_sent // 1_000
        return sent is not None and (self.since or 0) <= sent and (self.until is None or sent <= self.until)


def parse_query(query: MultiMapping[str], read: int = 0) -> Query:
    """Read the parameters the SDK sends. Raises RefusedError 20001 for what is no date or number."""
    try:
        # First and last second asked for. `DateSent` alone means that whole GMT day.
        day = query.get("DateSent", "")[:10]
        starts = [_second(text) for text in (day, query.get("DateSent>")) if text]
        ends = [_second(text, DAY) for text in (day, query.get("DateSent<")) if text]
        return Query(
            sender=query.get("From", ""),
            recipient=query.get("To", ""),
            since=max(starts, default=None),
            until=min(ends, default=None),
            page_size=min(max(int(query.get("PageSize", 50)), 1), MAX_PAGE_SIZE),
            page=int(query.get("Page", 0)),
            after=_place(query["PageToken"]) if "PageToken" in query else NOWHERE,
            read=read,
            filters=tuple((name, value) for name, value in query.items() if not name.startswith("Page")),
        )
    except ValueError as error:
        raise RefusedError(20001, "Invalid parameter value") from error


def _place(token: str) -> Place:
    end, new, number = token.removeprefix("PA").split("_")
    return int(end), int(new), int(number)


def _second(text: str, day: timedelta = timedelta()) -> float:
    """A GMT time, or a day's start, or its end when `day` is its length."""
    when = datetime.fromisoformat(text)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (when + day if len(text) == len("2026-01-31") else when).timestamp()


def page_of(
    ledger: Ledger, query: Query, path: str, now: int, *, undated: Undated, hidden: Callable[[Entry], bool]
) -> dict[str, Any]:
    """The list's JSON. `hidden`: whether the list is still behind on a message that fits the query."""

    def place(number: int, entry: Entry) -> Place:
        if entry.date_sent is None:
            return (0 if undated == "first" else 2), -entry.date_created, -number
        return 1, -entry.date_sent, -number

    def uri(page: int, after: Place) -> str:
        token = [] if after == NOWHERE else [("PageToken", "PA" + "_".join(map(str, after)))]
        paging = [("PageSize", str(query.page_size)), ("Page", str(page)), *token]
        return f"{path}?{urlencode([*query.filters, *paging])}"

    fitting = ((place(number, entry), entry) for number, entry in ledger.numbered() if query.fits(entry))
    # A page begins after a place and not after so many messages, so new ones between two pages shift nothing. One that
    # is sent meanwhile moves, and a reader in the middle of the list does not see it.
    listed = sorted((at, entry) for at, entry in fitting if at > query.after and not hidden(entry))
    shown = listed[: query.page_size]
    start = query.page * query.page_size
    return {
        "messages": [message_resource(entry, now) for _, entry in shown],
        "start": start,
        "end": start + max(len(shown) - 1, 0),
        "page": query.page,
        "page_size": query.page_size,
        "uri": uri(query.page, query.after),
        "first_page_uri": uri(0, NOWHERE),
        "previous_page_uri": None,
        "next_page_uri": uri(query.page + 1, shown[-1][0]) if len(listed) > len(shown) else None,
    }
