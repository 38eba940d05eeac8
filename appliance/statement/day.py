"""Days as an organization's clock has them. Pure."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.model import SECOND


def day_of(at: int, timezone: str) -> str:
    """Of a time (ms UTC), as 2026-11-30."""
    return datetime.fromtimestamp(at / SECOND, ZoneInfo(timezone)).date().isoformat()


def start_of(day: str, timezone: str) -> int:
    """Its first moment (ms UTC); a day has 23 or 25 hours where the clock is put forward or back."""
    midnight = datetime.combine(date.fromisoformat(day), time(), ZoneInfo(timezone))
    return int(midnight.timestamp() * SECOND)


def end_of(day: str, timezone: str) -> int:
    """The first moment of the next one."""
    return start_of((date.fromisoformat(day) + timedelta(days=1)).isoformat(), timezone)


def days_to(at: int, timezone: str, count: int) -> Iterator[str]:
    """So many days, the last of them that of a time (ms UTC); oldest first."""
    last = date.fromisoformat(day_of(at, timezone))
    return ((last - timedelta(days=before)).isoformat() for before in reversed(range(count)))
