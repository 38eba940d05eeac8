"""Stopping: nobody gets an automatic answer, of the box, of an organization or in a conversation; and going on.

What comes in meanwhile is kept. At the end it is answered where it is young, else it becomes a card (`reply/held`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.config import Config
from appliance.config.durations import DAY, parse_duration
from appliance.errors import RequestError
from appliance.inbox import missed
from appliance.model import SECOND, Contact
from appliance.reply.hours import opens_at
from appliance.store import Tx
from appliance.store.pauses import BOX, Stored, contact, organization

LONGEST = 366 * DAY
MORNING = time(6)
IN_AN_HOUR, TOMORROW = "1h", "tomorrow"
BY_HAND = "resume"  # instead of an end: somebody resumes
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Pause:
    """One that is in force; times in ms UTC. `until`: None where somebody has to resume. `by`: a user's e-mail, or
    "api", "cli".
    """

    subject: str
    organization_id: int | None  # None: the box
    contact_id: int | None  # None: everybody
    began_at: int
    until: int | None
    by: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """`ended`: how many pauses; `left`: those that are still in force."""

    ended: int
    left: list[Pause]


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


def everywhere(tx: Tx, owner: int | None = None) -> list[Pause]:
    """Those in force: the box's, then organizations', then customers'. `owner`: only what holds an organization's."""
    every = map(_told, tx.pauses.in_the_box())
    return [each for each in every if owner is None or each.organization_id in (None, owner)]


def _first(found: Sequence[Stored]) -> Pause | None:
    return _told(found[0]) if found else None


def _told(row: Stored) -> Pause:
    return Pause(row.subject, row.organization_id, row.contact_id, row.began_at, row.until, row.paused_by)


def pause(tx: Tx, owner: int | None, until: str | int | None, by: str, whose: Contact | None = None) -> Pause:
    """The box (None), an organization, or one customer of it. A pause that is in force changes its end.

    `until`: ms UTC, or as `end_named` takes it. Raises RequestError.
    """
    at = end_named(tx, owner, until) if isinstance(until, str) else until
    if at is not None and not tx.now < at <= tx.now + LONGEST:
        raise RequestError("bad_until", "The end must be in the future, and within a year.", "until")
    whose_id = None
    if whose is not None:
        known = of_contact(tx, whose)
        whose_id = known.contact_id if known else whose.id
        # Two that were paused, and are one person by now, have one end.
        tx.pauses.end(contact(each) for each in tx.contacts.aliases(whose) if each != whose_id)
    tx.pauses.begin(subject := _subject(owner, whose_id), owner, whose_id, at, by)
    return _told(tx.pauses.in_force([subject])[0])


def _subject(owner: int | None, contact_id: int | None) -> str:
    if contact_id is not None:
        return contact(contact_id)
    return BOX if owner is None else organization(owner)


def resume(tx: Tx, owner: int | None, whose: Contact | None = None) -> int:
    """How many pauses ended. The box's (None) with that of its only organization: to its owner it is the same."""
    if whose is not None:
        return tx.pauses.end(map(contact, tx.contacts.aliases(whose)))
    if owner is not None:
        return tx.pauses.end([organization(owner)])
    every = tx.organizations.page_of_the_box(limit=2)
    return tx.pauses.end([BOX, *(organization(each.id) for each in every if len(every) == 1)])


def resumed(tx: Tx, owner: int | None) -> Resumed:
    """The same; and what still is paused: of an organization, and the box."""
    return Resumed(resume(tx, owner), everywhere(tx, owner))


def ends(tx: Tx, owner: int, config: Config) -> list[End]:
    """What a page offers, and what each means."""
    found = []
    for name in (IN_AN_HOUR, TOMORROW, BY_HAND):
        at = end_named(tx, owner, name)
        within = _answered_within(tx, owner, config, tx.now if at is None else at)
        found.append(End(name, at, within, answers_all=at is not None and at - tx.now <= within))
    return found


def by_day_and_at_night(config: Config) -> tuple[int, int]:
    """How old a message may be that is answered at an end that nobody knows yet (ms)."""
    within = config.twilio.catch_up_answer_within
    return within, min(within, missed.LATE)


def waiting(tx: Tx, owner: int, found: Pause, config: Config) -> Waiting:
    """Of an organization whose answers are paused."""
    end = tx.now if found.until is None else found.until
    return Waiting(*tx.counts.written(owner, end - _answered_within(tx, owner, config, end)))


def _answered_within(tx: Tx, owner: int, config: Config, at: int) -> int:
    """How old a message may be that is answered at a time (ms): less at night."""
    within = config.twilio.catch_up_answer_within
    return missed.answered_within(at, within=within, timezone=_timezone(tx, owner))


def end_named(tx: Tx, owner: int | None, text: str) -> int | None:
    """The time that a form, a command or a request names: `1h`, `18:00`, `tomorrow`, `resume`. Raises RequestError."""
    if text == BY_HAND:
        return None
    if text == TOMORROW:
        return _tomorrow(tx, owner)
    if clock := _CLOCK.fullmatch(text):
        hour, zone = time(int(clock[1]), int(clock[2])), _timezone(tx, owner)
        today = _next(tx.now, zone, hour)
        return today if today > tx.now else _next(tx.now, zone, hour, days=1)
    try:
        return tx.now + parse_duration(text)
    except ValueError:
        words = 'Name an end such as "18:00", "2h" or "tomorrow", or "resume" to end it by hand.'
        raise RequestError("bad_until", words, "until") from None


def _tomorrow(tx: Tx, owner: int | None) -> int:
    """When the organization opens after today; in the morning, where it has no hours or is open at midnight."""
    zone, whose = _timezone(tx, owner), tx.organizations.get(owner) if owner is not None else None
    opens = opens_at(whose, _next(tx.now, zone, time(), days=1)) if whose is not None else None
    return opens or _next(tx.now, zone, MORNING, days=1)


def _next(now: int, timezone: str, at: time, days: int = 0) -> int:
    zone = ZoneInfo(timezone)
    day = (datetime.fromtimestamp(now / SECOND, zone) + timedelta(days=days)).date()
    return int(datetime.combine(day, at, zone).timestamp()) * SECOND


def _timezone(tx: Tx, owner: int | None) -> str:
    """The organization's; the box's is that of the first."""
    first = next(iter(tx.organizations.page_of_the_box(limit=1)), None)
    whose = first if owner is None else tx.organizations.get(owner)
    return whose.timezone if whose else "UTC"
