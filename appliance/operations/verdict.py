"""How it is, in one sentence. It never soothes: whatever is wrong, or waits, comes before "all is well".

English, with {facts}; the translations have the same words as keys.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.notices.sentences import Reader, moment
from appliance.notices.translation import translated, translation

NEVER_RUN = "Has never run here."
NOT_RUNNING = "Not running since {since}."
FAULT = "{title}."
NOT_READY = "Not ready: {reason}."
PEOPLE = "{count} customer waits for a person.", "{count} customers wait for a person."
CARDS = "{count} thing needs a look.", "{count} things need a look."
CALM = "All is well."
REASONS = (  # why it is not ready, as `pulse` and the store have it; others are shown as they are
    "stopping",
    "the workers do not answer",
    "the store does not answer",
    "The disk is full; nothing was stored",
    "Another program holds the database; nothing was stored",
    "The storage failed",
)


class Kind(StrEnum):
    """In the order in which they are told."""

    NOT_RUNNING = "not_running"
    PAUSED = "paused"  # somebody wants it so
    FAULT = "fault"  # of the box: customers are not served as they should be
    PEOPLE = "people"  # wait for a person
    CARDS = "cards"  # anything else that needs a look
    LINK = "link"  # stumbles, and has no card yet
    CALM = "calm"


@dataclass(frozen=True, slots=True)
class State:
    """`stopped_at`: ms UTC, None where it never ran; `fault`: the title of the worst card of the box's own; `reason`:
    why it is not ready; `people`: how many customers wait for a person; `others`: further cards; `link`: what is said
    of one in trouble; `waiting`: what is said of customers without an answer; `paused`: what is said of answers that
    somebody has paused. Empty where there is none.
    """

    running: bool
    stopped_at: int | None
    fault: str = ""
    reason: str = ""
    people: int = 0
    others: int = 0
    link: str = ""
    waiting: str = ""
    paused: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    kind: Kind
    sentence: str


def verdict(state: State, reader: Reader) -> Verdict:
    tongue = translation(reader.language)

    def count(words: tuple[str, str], number: int) -> str:
        return tongue.ngettext(*words, number).format(count=number)

    if not state.running:
        return Verdict(Kind.NOT_RUNNING, not_running(state.stopped_at, reader))
    if state.paused:
        return Verdict(Kind.PAUSED, state.paused)
    if state.fault or state.reason:
        words = tongue.gettext(FAULT if state.fault else NOT_READY)
        return Verdict(
            Kind.FAULT, words.format(title=state.fault, reason=translated(state.reason.rstrip("."), reader.language))
        )
    if state.people:
        return Verdict(Kind.PEOPLE, count(PEOPLE, state.people))
    if state.others:
        return Verdict(Kind.CARDS, count(CARDS, state.others))
    calm = Verdict(Kind.CALM, state.waiting or tongue.gettext(CALM))
    return Verdict(Kind.LINK, state.link) if state.link else calm


def not_running(since: int | None, reader: Reader) -> str:
    """`since`: ms UTC, None where it never ran."""
    tongue = translation(reader.language)
    if since is None:
        return tongue.gettext(NEVER_RUN)
    return tongue.gettext(NOT_RUNNING).format(since=moment(since, reader, with_day=True))
