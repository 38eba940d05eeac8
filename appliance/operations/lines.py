"""What is told below the verdict: what waits, what is new today, the last backup, the links; and each card.

English, with {facts}; the translations have the same words as keys.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from appliance.links import link
from appliance.links.link import NO_ANSWER, Link
from appliance.model import MAIN, SECOND
from appliance.notices.sentences import Reader, moment
from appliance.notices.translation import translated, translation

NOBODY = "Nobody waits for an answer."
NOBODY_ELSE = "Nobody else waits for an answer."
WAIT = (
    "{count} customer waits for an answer, for {age} now.",
    "{count} customers wait for an answer, the longest for {age}.",
)
WRITTEN = (
    "{count} customer has written during the pause.",
    "{count} customers have written during the pause.",
)
PAUSED = "Answers are paused until {until}."
PAUSED_BY_HAND = "Answers are paused until somebody resumes them."
PAUSED_AT = "{organization}: answers are paused until {until}."
PAUSED_AT_BY_HAND = "{organization}: answers are paused until somebody resumes them."
PAUSED_IN = "Answers are paused in {count} conversation.", "Answers are paused in {count} conversations."
TODAY = "{count} message came in today", "{count} messages came in today"
NONE_TODAY = "Nothing came in today."
FATES = {
    "answered": "{count} answered",
    "apologised": "{count} told that no answer is possible now",
    "suppressed": "{count} left without an answer on purpose",
    "dead": "{count} could not be answered",
    "live": "{count} not answered yet",
}
BACKUP = "The last backup is {age} old."
NO_BACKUP = "There is no backup yet."
MODEL = "The model"
ANSWERS = "{who} answers ({age} ago)."
SILENT = "{who} has not answered since {since} ({said})."
REFUSES = "{who} has answered with errors since {since} ({said})."
SILENT_NOW = "{who} does not answer."
REFUSES_NOW = "{who} answers with errors."
UNASKED = "{who} has not been asked since the start."
RUNNING = "Running since {since}, version {version}."
SINCE = "{title} (since {since})"
SINCE_OFTEN = "{title} (since {since}, {times} times)"
BY_ITSELF = "By itself: {words}"
TO_DO = "To do: {words}"
MORE = "… and {count} more."
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))  # seconds; the same in all our languages


def age(seconds: float) -> str:
    """In one unit, of which there are at least two: "90 min", "3 h"."""
    whole = max(0, int(seconds))
    return next((f"{whole // length} {unit}" for length, unit in _UNITS if whole >= 2 * length), f"{whole} s")


def waiting(customers: int, oldest: float | None, people: int, reader: Reader) -> str:
    """`oldest`: for how many seconds, None where all that wait do so for the end of a pause; `people`: how many wait
    for a person.
    """
    tongue = translation(reader.language)
    if not customers:
        return tongue.gettext(NOBODY_ELSE if people else NOBODY)
    if oldest is None:
        return tongue.ngettext(*WRITTEN, customers).format(count=customers)
    return tongue.ngettext(*WAIT, customers).format(count=customers, age=age(oldest))


def paused(until: int | None, organization: str, reader: Reader) -> str:
    """`until`: ms UTC, None where somebody has to resume; `organization`: whose answers, empty: all of the box."""
    words = (PAUSED_AT if organization else PAUSED) if until else PAUSED_AT_BY_HAND if organization else PAUSED_BY_HAND
    end = moment(until, reader) if until else ""
    return translation(reader.language).gettext(words).format(organization=organization, until=end)


def paused_in(conversations: int, reader: Reader) -> str:
    return translation(reader.language).ngettext(*PAUSED_IN, conversations).format(count=conversations)


def today(counts: Mapping[str, int], reader: Reader) -> str:
    tongue = translation(reader.language)
    received = counts["received"]
    if not received:
        return tongue.gettext(NONE_TODAY)
    parts = [tongue.gettext(words).format(count=counts[fate]) for fate, words in FATES.items() if counts[fate]]
    return f"{tongue.ngettext(*TODAY, received).format(count=received)}: {', '.join(parts)}."


def backup(at: int | None, reader: Reader) -> str:
    tongue = translation(reader.language)
    if at is None:
        return tongue.gettext(NO_BACKUP)
    return tongue.gettext(BACKUP).format(age=age((reader.now - at) / SECOND))


def stumbling(found: Iterable[Link], reader: Reader) -> str:
    """The first link that is in trouble, in a sentence; empty where none is."""
    for each in found:
        if each.trouble is not None:
            words = SILENT_NOW if each.trouble.fault in NO_ANSWER else REFUSES_NOW
            return translation(reader.language).gettext(words).format(who=named(each, reader))
    return ""


def named(each: Link, reader: Reader) -> str:
    if each.name == link.AI:
        return translation(reader.language).gettext(MODEL)
    account = each.name.partition(":")[2]
    return "Twilio" if account == MAIN else f"Twilio ({account})"


def links(found: Iterable[Link], reader: Reader) -> Iterator[str]:
    tongue = translation(reader.language)
    for each in found:
        who = named(each, reader)
        if each.trouble is not None:
            words = SILENT if each.trouble.fault in NO_ANSWER else REFUSES
            said = ": ".join(
                filter(None, (translated(part, reader.language) for part in (each.trouble.fault, each.said)))
            )
            yield tongue.gettext(words).format(who=who, since=moment(each.since, reader), said=said)
        elif each.answered_at is not None:
            ago = age((reader.now - each.answered_at) / SECOND)
            yield tongue.gettext(ANSWERS).format(who=who, age=ago)
        else:
            yield tongue.gettext(UNASKED).format(who=who)


def running(started_at: int, version: str, reader: Reader) -> str:
    since = moment(started_at, reader, with_day=True)
    return translation(reader.language).gettext(RUNNING).format(since=since, version=version)


def more(count: int, reader: Reader) -> str:
    """Of cards that are not shown."""
    return translation(reader.language).gettext(MORE).format(count=count)


def card(told: Mapping[str, Any], reader: Reader, *, running: bool) -> Iterator[str]:
    """Of a card of the API: its title, what happened, what happens by itself while the appliance runs, what to do."""
    tongue = translation(reader.language)
    since = moment(told["opened_at"], reader)
    heading = SINCE if told["times"] == 1 else SINCE_OFTEN
    yield tongue.gettext(heading).format(title=told["title"], since=since, times=told["times"])
    yield told["text"]
    if running and told["itself"]:
        yield tongue.gettext(BY_ITSELF).format(words=told["itself"])
    if told["todo"]:
        yield tongue.gettext(TO_DO).format(words=told["todo"])
