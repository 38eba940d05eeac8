"""An organization's opening hours as moments: whether it is closed, since when and until when. Pure.

A day's times are read off the clock that hangs there: one that ends where or before it begins ends on the next day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.model import SECOND, Organization, Week

MIDNIGHT = "24:00"
_AROUND = 8  # days: a week, and what began the day before


@dataclass(frozen=True, slots=True)
class Closing:
    """Times in ms UTC."""

    since: int
    until: int  # when it opens


def closing(organization: Organization, at: int) -> Closing | None:
    """The time around a moment (ms UTC) in which it is closed; None while it is open, or where no hours are set."""
    zone = ZoneInfo(organization.timezone)
    middle = datetime.fromtimestamp(at / SECOND, zone).date()
    days = [middle + timedelta(days=days) for days in range(-_AROUND, _AROUND + 1)]
    opened = [span for day in days for span in _spans(organization.hours, day, zone)]
    if not opened or any(start <= at < end for start, end in opened):
        return None
    since = max((end for _, end in opened if end <= at), default=at)
    return Closing(since, min((start for start, _ in opened if start > at), default=at))


def opens_at(organization: Organization, at: int) -> int | None:
    """When it opens next (ms UTC); None where it is open."""
    found = closing(organization, at)
    return found.until if found else None


def _spans(week: Week, day: date, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """From and to (ms UTC) of a day. A time that a change of the clock leaves out is as late as it was the day before;
    to one that comes twice it is open until the second.
    """
    for start, end in week[day.weekday()] if week else ():
        ends = day + timedelta(days=int(end <= start or end == MIDNIGHT))
        yield _moments(day, start, zone)[0], max(_moments(ends, "00:00" if end == MIDNIGHT else end, zone))


def _moments(day: date, text: str, zone: ZoneInfo) -> tuple[int, int]:
    """Of a time on the wall; two where it comes twice, or never."""
    wall = datetime.combine(day, time.fromisoformat(text), zone)
    return int(wall.timestamp()) * SECOND, int(wall.replace(fold=1).timestamp()) * SECOND
