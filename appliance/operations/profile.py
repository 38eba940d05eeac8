"""What an organization says of itself: name, contact, language, time zone, instructions for a model, opening hours."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from appliance.errors import RequestError
from appliance.model import Organization, Week
from appliance.operations.organizations import check_language, check_name, check_timezone
from appliance.store import Tx

MAX_CONTACT = 200  # characters
MAX_INSTRUCTIONS = 20_000
MOST_A_DAY = 4  # times from and to
DAYS = 7
_FROM = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_TO = re.compile(rf"{_FROM.pattern}|24:00", re.ASCII)

Hours = Sequence[Sequence[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Change:
    """None: as it is."""

    name: str | None = None
    contact: str | None = None
    language: str | None = None
    timezone: str | None = None
    instructions: str | None = None
    hours: Hours | None = None


def page(tx: Tx, organization: Organization) -> dict[str, Any]:
    names = ("id", "name", "contact", "language", "timezone", "instructions", "hours")
    return {name: getattr(organization, name) for name in names} | {
        "users": [user.email for user in tx.users.of(organization.id)],
        "channels": [channel.address for channel in tx.channels.of(organization.id)],
    }


def change(tx: Tx, organization: Organization, wanted: Change) -> None:
    """All of it, or nothing. Raises RequestError."""
    if wanted.name is not None:
        check_name(tx, wanted.name, organization.id)
    if wanted.language is not None:
        check_language(wanted.language)
    if wanted.timezone is not None:
        check_timezone(wanted.timezone)
    if len(wanted.contact or "") > MAX_CONTACT or not (wanted.contact or "").isprintable():
        raise RequestError(
            "bad_contact", "The phone of a person must have at most 200 printable characters.", "contact"
        )
    if len(wanted.instructions or "") > MAX_INSTRUCTIONS or "\0" in (wanted.instructions or ""):
        raise RequestError("bad_instructions", "The instructions must have at most 20,000 characters.", "instructions")
    columns = {name: value for name, value in asdict(wanted).items() if value is not None and name != "hours"}
    if columns:
        tx.organizations.update(organization.id, **columns)
    if wanted.hours is not None:
        tx.organizations.set_hours(organization.id, week(wanted.hours))


def week(hours: Hours) -> Week:
    """Seven days from Monday on, each with its times from and to; none at all: always open. Raises RequestError."""
    if len(hours) not in (0, DAYS):
        raise RequestError("bad_hours", "The opening hours must have seven days.", "hours")
    if hours and not any(hours):
        raise RequestError("never_open", "Give the hours of one day at least, or always open.", "hours")
    return tuple(_day(day) for day in hours)


def _day(times: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    if len(times) > MOST_A_DAY:
        raise RequestError("bad_hours", "A day has at most four times from and to.", "hours")
    found = []
    for pair in times:
        if len(pair) != 2 or not _FROM.fullmatch(pair[0]) or not _TO.fullmatch(pair[1]):
            raise RequestError("bad_hours", "Write a time from and a time to, such as 08:00 and 18:00.", "hours")
        found.append((pair[0], pair[1]))
    if any(first[1] > second[0] or first[1] <= first[0] for first, second in pairwise(found)):
        raise RequestError("bad_hours", "The times of a day must not overlap, the earliest first.", "hours")
    return tuple(found)
