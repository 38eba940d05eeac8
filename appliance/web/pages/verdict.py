"""Is it well? One sentence for the home page and one below it. What is wrong, or waits, comes first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from appliance.operations.faults import Fault
from appliance.operations.figures import Day
from appliance.web.pages.brakes import by_whom
from appliance.web.pages.words import Words


class Kind(StrEnum):
    """In the order in which they are told."""

    PAUSED = "paused"
    FAULT = "fault"
    PEOPLE = "people"
    CARDS = "cards"
    WORKING = "working"
    CALM = "calm"


@dataclass(frozen=True, slots=True)
class Paused:
    """`until`: ms UTC, None where somebody has to resume; `people`: who have written and wait for the end, of whom some
    are `too_late` for an answer then.
    """

    until: int | None
    began_at: int
    by: str
    people: int
    too_late: int


@dataclass(frozen=True, slots=True)
class State:
    """`reasons`: why the box is not ready; `kept`: messages without an answer, and of how many customers; `people`:
    how many wait for a person; `others`: further cards; `wrong`: those of them that tell of something that went wrong.
    """

    paused: Paused | None
    faults: Sequence[Fault]
    reasons: Sequence[str]
    kept: tuple[int, int]
    people: int
    others: int
    wrong: int
    day: Day


@dataclass(frozen=True, slots=True)
class Verdict:
    """`more`: the heading's second line; `status`: what the assistant does; `tone`: good, warn or bad."""

    kind: Kind
    heading: str
    more: str
    line: str
    status: str
    tone: str


NOBODY = "Nobody has been answered since {since}."
SOME = "Some have not been answered since {since}."
LATE = "Answers come later than they could."
BROKEN = "Something is wrong with the box."
# The gravest first: heading and explanation, for people who cannot see what the box's cards say.
FAULTS: Mapping[str, tuple[str, str]] = {
    "credentials": (NOBODY, "Twilio refuses this box’s key."),
    "unreachable": (NOBODY, "Twilio cannot be reached."),
    "restored": (NOBODY, "The box was restored from a backup, and reads at Twilio what happened since."),
    "twilio": (NOBODY, "Twilio takes no messages from this box."),
    "twilio.day": (NOBODY, "Twilio’s limit for today is reached."),
    "ai": ("The AI has answered nobody since {since}.", "Customers are told that their message has arrived."),
    "disk": ("The disk is nearly full.", "Messages are kept as long as there is room."),
    "signature": (LATE, "Messages from Twilio are refused at the door, and fetched every minute."),
    "unheard": (LATE, "Messages from Twilio do not reach this box by themselves, and are fetched every few minutes."),
    "clock": ("The clock of this box is wrong.", "Times may be wrong, and answers early or late."),
    "log": (LATE, "Twilio’s list of messages cannot be read. What does not reach this box by itself is missed."),
}
_OUTWARD = (NOBODY,)  # after these what waits is answered when they are over


def verdict(state: State, words: Words) -> Verdict:
    figures = in_figures(state.day, words)
    if state.paused is not None:
        return _of_pause(state.paused, words)
    if state.faults or state.reasons:
        return _of_fault(state, words)
    answering = words.t("The assistant is answering")
    if state.people:
        people = words.n("{count} person is waiting for you.", "{count} people are waiting for you.", state.people)
        wrong = words.n("{count} thing went wrong.", "{count} things went wrong.", state.wrong)
        heading, more = (people, wrong) if state.wrong else (words.t("All is well."), people)
        return Verdict(Kind.PEOPLE, heading, more, figures, answering, "good")
    if state.others:
        heading = words.n("{count} thing needs a look.", "{count} things need a look.", state.others)
        return Verdict(Kind.CARDS, heading, "", figures, answering, "good")
    if state.kept[1]:
        more = words.n("{count} person is being answered.", "{count} people are being answered.", state.kept[1])
        return Verdict(Kind.WORKING, words.t("All is well."), more, figures, answering, "good")
    heading = "Everyone was answered." if state.day.received else "All is well."
    return Verdict(Kind.CALM, words.t(heading), "", figures, answering, "good")


def _of_pause(paused: Paused, words: Words) -> Verdict:
    heading = words.t("Answers are paused.")
    if paused.until is not None:
        heading = words.t("Answers are paused until {when}.", when=words.when(paused.until))
    line = words.t("Nobody has written since.")
    if paused.people:
        line = words.n("{count} person has written since.", "{count} people have written since.", paused.people)
        if paused.too_late:
            late = words.n(
                "{count} of them has waited too long by then, and will be a card for you.",
                "{count} of them have waited too long by then, and will be cards for you.",
                paused.too_late,
            )
            line = f"{line} {late}"
        elif paused.until is None:
            line = f"{line} {words.t('They will be answered when you resume.')}"
        else:
            line = f"{line} {words.t('They will be answered then, or when you resume.')}"
    status = words.t("Paused by {name} at {when}", name=by_whom(paused.by, words), when=words.when(paused.began_at))
    return Verdict(Kind.PAUSED, heading, "", line, status, "warn")


def _of_fault(state: State, words: Words) -> Verdict:
    order = list(FAULTS)
    worst = min(state.faults, key=lambda fault: order.index(fault.kind), default=None)
    if worst is None:
        status = words.t("The assistant is not answering")
        kept = words.t("Nothing that has arrived is lost.")
        return Verdict(Kind.FAULT, words.t(BROKEN), "", kept, status, "bad")
    heading, why = FAULTS[worst.kind]
    line = words.t(why)
    if heading in _OUTWARD:
        line = f"{line} {_kept(*state.kept, words)}"
        heading = SOME if worst.is_partial else heading
        status, tone = words.t("Answers are waiting"), "bad"
    else:
        status, tone = words.t("The assistant is answering, with trouble"), "warn"
    return Verdict(Kind.FAULT, words.t(heading, since=words.when(worst.since)), "", line, status, tone)


def _kept(messages: int, customers: int, words: Words) -> str:
    if not messages:
        return words.t("Nobody is waiting for an answer.")
    people = words.n("{count} person", "{count} people", customers)
    return words.n(
        "Nothing is lost: {count} message from {people} is kept here and will be answered as soon as that is over.",
        "Nothing is lost: {count} messages from {people} are kept here and will be answered as soon as that is over.",
        messages,
        people=people,
    )


def in_figures(day: Day, words: Words) -> str:
    if not day.received:
        return words.t("Nobody has written today.")
    answered = words.number(day.answered)
    if day.half is None:
        return words.n(
            "{count} message today, {answered} of them answered.",
            "{count} messages today, {answered} of them answered.",
            day.received,
            answered=answered,
        )
    time = within(day.half, words)
    if day.answered == day.received:
        return words.n(
            "{count} message today, answered within {time}.",
            "{count} messages today, half answered within {time}.",
            day.received,
            time=time,
        )
    return words.n(
        "{count} message today, {answered} of them answered: within {time}.",
        "{count} messages today, {answered} of them answered: half within {time}.",
        day.received,
        answered=answered,
        time=time,
    )


def within(seconds: int, words: Words) -> str:
    """A time to answer in a sentence."""
    return words.n("{count} second", "{count} seconds", seconds) if seconds < 120 else words.age(seconds)
