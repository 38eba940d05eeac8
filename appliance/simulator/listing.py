"""One page of Twilio's message list: filters, paging, newest first (Twilio docs, "Messages resource")."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import dropwhile, islice
from typing import Any
from urllib.parse import urlencode

from multidict import MultiMapping

from appliance.simulator.ledger import Entry, Ledger
from appliance.simulator.refusal import RefusedError
from appliance.simulator.resource import message_resource

MAX_PAGE_SIZE = 1_000
DAY = timedelta(days=1, seconds=-1)


@dataclass(frozen=True, slots=True)
class Query:
    """Empty = any. `since` and `until` are UTC seconds, inclusive, and leave out what was not sent yet."""

    sender: str
    recipient: str
    since: float | None
    until: float | None
    page_size: int
    page: int
    after: str  # the sid that the page before ended with
    filters: tuple[tuple[str, str], ...]

    def fits(self, entry: Entry) -> bool:
        if self.sender not in {"", entry.sender} or self.recipient not in {"", entry.recipient}:
            return False
        if self.since is None and self.until is None:
            return True
        sent = None if entry.date_sent is None else entry.date_sent // 1_000
        return sent is not None and (self.since or 0) <= sent and (self.until is None or sent <= self.until)


def parse_query(query: MultiMapping[str]) -> Query:
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
            after=query.get("PageToken", "").removeprefix("PA"),
            filters=tuple((name, value) for name, value in query.items() if not name.startswith("Page")),
        )
    except ValueError as error:
        raise RefusedError(20001, "Invalid parameter value") from error


def _second(text: str, day: timedelta = timedelta()) -> float:
    """A GMT time, or a day's start, or its end when `day` is its length."""
    when = datetime.fromisoformat(text)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (when + day if len(text) == len("2026-01-31") else when).timestamp()


def page_of(ledger: Ledger, query: Query, path: str, newest: int | None = None) -> dict[str, Any]:
    """The list's JSON. `newest`: messages created after that millisecond are not listed yet."""
    listed = ledger.newest_first()
    if query.after:
        # The token is a place in the log, so new messages between two pages shift nothing.
        listed = islice(dropwhile(lambda entry: entry.sid != query.after, listed), 1, None)
    fitting = (entry for entry in listed if query.fits(entry) and (newest is None or entry.date_created <= newest))
    found = list(islice(fitting, query.page_size + 1))
    entries = found[: query.page_size]
    start = query.page * query.page_size

    def uri(page: int, after: str) -> str:
        paging = [("PageSize", str(query.page_size)), ("Page", str(page)), *([("PageToken", after)] if after else [])]
        return f"{path}?{urlencode([*query.filters, *paging])}"

    return {
        "messages": [message_resource(entry) for entry in entries],
        "start": start,
        "end": start + max(len(entries) - 1, 0),
        "page": query.page,
        "page_size": query.page_size,
        "uri": uri(query.page, f"PA{query.after}" if query.after else ""),
        "first_page_uri": uri(0, ""),
        "previous_page_uri": None,
        "next_page_uri": uri(query.page + 1, f"PA{entries[-1].sid}") if len(found) > query.page_size else None,
    }
