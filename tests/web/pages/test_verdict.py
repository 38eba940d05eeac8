"""The one sentence of the home page: what it says of which state, and that it never soothes."""

from dataclasses import replace
from itertools import product

import pytest

from appliance.operations.faults import KINDS, Fault
from appliance.operations.figures import Day
from appliance.web.pages.verdict import FAULTS, Kind, Paused, State, verdict
from appliance.web.pages.words import LANGUAGES, Words

NOW = 1_796_043_600_000  # 30 November 2026, 10:00 in São Paulo
MINUTE = 60_000
QUIET = Day(NOW - 600 * MINUTE, 0, 0, None, None, [], {})
DAY = replace(QUIET, received=42, answered=40, half=6, most=19)
CALM = State(None, [], [], (0, 0), 0, 0, 0, DAY)
FAULT = [Fault("credentials", NOW - 20 * MINUTE)]
PAUSED = Paused(NOW + 60 * MINUTE, NOW - MINUTE, "marta", 3, 0)
WORDS = Words("en", "America/Sao_Paulo", NOW)
ALL_DAY = replace(DAY, answered=42)
TABLE = [
    (CALM, "Everyone was answered.", "42 messages today, 40 of them answered: half within 6 seconds."),
    (replace(CALM, day=ALL_DAY), "Everyone was answered.", "42 messages today, half answered within 6 seconds."),
    (replace(CALM, day=QUIET), "All is well.", "Nobody has written today."),
    (replace(CALM, people=2), "All is well. 2 people are waiting for you.", None),
    (replace(CALM, people=1, others=3), "All is well. 1 person is waiting for you.", None),
    (replace(CALM, people=2, others=3, wrong=1), "2 people are waiting for you. 1 thing went wrong.", None),
    (replace(CALM, others=1), "1 thing needs a look.", None),
    (replace(CALM, kept=(3, 2)), "All is well. 2 people are being answered.", None),
    (
        replace(CALM, faults=FAULT, kept=(9, 7), people=2),
        "Nobody has been answered since 09:40.",
        "Twilio refuses this box’s key. Nothing is lost: 9 messages from 7 people are kept here and will be answered as "
        "soon as that is over.",
    ),
    (
        replace(CALM, faults=[replace(FAULT[0], is_partial=True)]),
        "Some have not been answered since 09:40.",
        "Twilio refuses this box’s key. Nobody is waiting for an answer.",
    ),
    (replace(CALM, reasons=["the workers do not answer"]), "Something is wrong with the box.", None),
    (
        replace(CALM, paused=PAUSED, faults=FAULT, people=2),
        "Answers are paused until 11:00.",
        "3 people have written since. They will be answered then, or when you resume.",
    ),
    (
        replace(CALM, paused=replace(PAUSED, until=None, people=1, too_late=1)),
        "Answers are paused.",
        "1 person has written since. 1 of them has waited too long by then, and will be a card for you.",
    ),
    (replace(CALM, paused=replace(PAUSED, people=0)), "Answers are paused until 11:00.", "Nobody has written since."),
]


@pytest.mark.parametrize(("state", "sentence", "line"), TABLE)
def test_each_state_has_its_sentence(state: State, sentence: str, line: str | None) -> None:
    """Heading and line, in English."""
    found = verdict(state, WORDS)

    assert f"{found.heading} {found.more}".strip() == sentence
    assert line is None or found.line == line


PAUSES: list[Paused | None] = [None, PAUSED]
TROUBLE: list[tuple[list[Fault], list[str]]] = [
    ([], []),
    (FAULT, []),
    ([], ["the disk is full"]),
    (FAULT, ["stopping"]),
]
WAITS = [(kept, people, others) for kept in ((0, 0), (3, 2)) for people in (0, 2) for others in (0, 1, 2)]
STATES = [
    State(paused, *trouble, kept, people, others, max(0, others - 1), day)
    for paused, trouble, (kept, people, others), day in product(PAUSES, TROUBLE, WAITS, (QUIET, DAY, ALL_DAY))
]


def test_everyone_was_answered_only_where_nobody_waits() -> None:
    """Over all combinations; what comes first is told first, and a fault never reads as well."""
    for state in STATES:
        found = verdict(state, WORDS)
        waits = state.kept[1] or state.people or state.others
        if "Everyone" in found.heading:
            assert not (state.paused or state.faults or state.reasons or waits)
        if state.wrong:
            assert "well" not in found.heading
        if state.faults or state.reasons or state.paused:
            assert found.kind == (Kind.PAUSED if state.paused else Kind.FAULT)
            assert "well" not in found.heading and found.tone != "good"


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_fault_has_words(kind: str, language: str) -> None:
    """In both languages, with the time where it is told; the gravest of several is told."""
    words = Words(language, "America/Sao_Paulo", NOW)
    found = verdict(replace(CALM, faults=[Fault("log", NOW), Fault(kind, NOW - 20 * MINUTE)]), words)

    assert "{" not in found.heading + found.line
    assert ("{since}" in FAULTS[kind][0]) == ("09:40" in found.heading)


def test_every_kind_that_concerns_customers_has_words() -> None:
    """What `operations.faults` finds can be told here."""
    assert {str(kind) for kind in KINDS} | {"twilio.day"} == set(FAULTS)
