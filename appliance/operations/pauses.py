"""Stopping: nobody gets an automatic answer, of the box, of an organization or in a conversation; and going on.

What comes in meanwhile is kept. At the end it is answered where it is young, else it becomes a card (`inbox/late`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.config import Config
from appliance.config.durations import DAY, parse_duration
from appliance.errors import RequestError
from appliance.inbox import missed
from appliance.model import SECOND, Contact
from appliance.store import Tx
from appliance.store.pauses import BOX, Stored, contact, organization

LONGEST = 366 * DAY
MORNING = time(6)
HAND = "resume"  # instead of an end: somebody resumes
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Pause:
    """One that is in force; times in ms UTC. `until`: None where somebody has to resume. `by`: a user's e-mail, or
    "api", "cli".
    """

    subject: str
    organization_id: int | None
    contact_id: int | None
    began_at: int
    until: int | None
    by: str

    @property
    def is_of_the_box(self) -> bool:
        return self.organization_id is None


@dataclass(frozen=True, slots=True)
class End:
    """An end that is offered, and what it means for whoever writes meanwhile: who does so at most `within` ms before it
    is answered then, what is older becomes a card. `answers_all`: nothing will be older.
    """

    name: str  # as a form sends it
    at: int | None  # None: when somebody resumes
    within: int
    answers_all: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many customers have written and wait for the end, and how many of them will be too late for an answer."""

    people: int
    too_late: int


def in_force(tx: Tx, organization_id: int) -> Pause | None:
    """What holds all answers of an organization: the box's pause, else its own."""
    return _first(tx.pauses.in_force([BOX, organization(organization_id)]))


def of_contact(tx: Tx, whose: Contact) -> Pause | None:
    """The customer's own, by whichever of its addresses."""
    return _first(tx.pauses.in_force(map(contact, tx.contacts.aliases(whose))))


def everywhere(tx: Tx) -> list[Pause]:
    """All of the box that are in force: its own, then organizations', then customers'."""
    return [_told(each) for each in tx.pauses.in_the_box()]


def _first(found: list[Stored]) -> Pause | None:
    return _told(found[0]) if found else None


def _told(row: Stored) -> Pause:
    return Pause(row.subject, row.organization_id, row.contact_id, row.began_at, row.until, row.paused_by)


def pause(tx: Tx, organization_id: int | None, until: int | None, by: str, whose: Contact | None = None) -> Pause:
    """The box (None), an organization, or one customer of it. A pause that is in force changes its end.

    Raises RequestError.
    """
    if until is not None and not tx.now < until <= tx.now + LONGEST:
        raise RequestError("bad_until", "The end must be in the future, and within a year.", "until")
    whose_id = None
    if whose is not None:
        known = of_contact(tx, whose)
        whose_id = known.contact_id if known else whose.id
    about = _subject(organization_id, whose_id)
    tx.pauses.begin(about, organization_id, whose_id, until, by)
    return _told(tx.pauses.in_force([about])[0])


def _subject(organization_id: int | None, contact_id: int | None) -> str:
    if contact_id is not None:
        return contact(contact_id)
    return BOX if organization_id is None else organization(organization_id)


def resume(tx: Tx, organization_id: int | None, whose: Contact | None = None) -> bool:
    """Whether anything was paused. The box's (None) with that of its only organization: it is the same to its owner."""
    if whose is not None:
        about: Iterable[str] = map(contact, tx.contacts.aliases(whose))
    elif organization_id is not None:
        about = [organization(organization_id)]
    else:
        every = tx.organizations.page_of_the_box(limit=2)
        about = [BOX, *(organization(each.id) for each in every if len(every) == 1)]
    return tx.pauses.end(about) > 0


def ends(tx: Tx, organization_id: int, config: Config) -> list[End]:
    """What a page offers, and what each means."""
    whose = tx.organizations.get(organization_id)
    assert whose is not None
    found = []
    for name in ("1h", "tomorrow", HAND):
        at = end_named(tx, name, whose.timezone)
        within = answered_within(config, whose.timezone, tx.now if at is None else at)
        found.append(End(name, at, within, answers_all=at is not None and at - tx.now <= within))
    return found


def answered_within(config: Config, timezone: str, at: int) -> int:
    """How old a message may be that is answered at the end of a pause (ms): less at night."""
    return missed.answered_within(at, within=config.twilio.catch_up_answer_within, timezone=timezone)


def end_named(tx: Tx, text: str, timezone: str) -> int | None:
    """The time that a form, a command or a request names: `1h`, `18:00`, `tomorrow`, `resume`. Raises RequestError."""
    if text == HAND:
        return None
    if text == "tomorrow":
        return _next(tx.now, timezone, MORNING, days=1)
    if clock := _CLOCK.fullmatch(text):
        at = _next(tx.now, timezone, time(int(clock[1]), int(clock[2])))
        return at if at > tx.now else _next(tx.now, timezone, time(int(clock[1]), int(clock[2])), days=1)
    try:
        lasts = parse_duration(text)
    except ValueError:
        words = 'Name an end such as "18:00", "2h" or "tomorrow", or "resume" to end it by hand.'
        raise RequestError("bad_until", words, "until") from None
    return tx.now + lasts


def _next(now: int, timezone: str, at: time, days: int = 0) -> int:
    zone = ZoneInfo(timezone)
    day = (datetime.fromtimestamp(now / SECOND, zone) + timedelta(days=days)).date()
    return int(datetime.combine(day, at, zone).timestamp()) * SECOND


def waiting(tx: Tx, organization_id: int, found: Pause, config: Config) -> Waiting:
    """Of an organization whose answers are paused."""
    whose = tx.organizations.get(organization_id)
    assert whose is not None
    end = tx.now if found.until is None else found.until
    oldest = end - answered_within(config, whose.timezone, end)
    return Waiting(*tx.counts.written(organization_id, oldest))
