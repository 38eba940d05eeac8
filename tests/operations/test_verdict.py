"""One sentence about the box: the order in which things are told, and that it never soothes."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from appliance.links import link
from appliance.links.link import Link
from appliance.model import HOUR, SECOND
from appliance.notices.sentences import Reader
from appliance.operations import lines
from appliance.operations.glance import midnight
from appliance.operations.verdict import Kind, State, Verdict, verdict
from appliance.wire import Fault, Trouble

NOON = 1_796_050_800_000  # 30 November 2026, 15:00 UTC
OWNER = Reader("en", "America/Sao_Paulo", NOON)
WELL = State(running=True, stopped_at=None)
EVERYTHING = State(
    running=False,
    stopped_at=NOON - HOUR,
    fault="Twilio cannot be reached",
    reason="the workers do not answer",
    people=2,
    others=3,
    link="Twilio does not answer.",
    waiting="4 customers wait.",
    paused="Answers are paused.",
)


def test_the_worst_is_told_first() -> None:
    """Each kind gives way to those before it, in the order in which they are declared."""
    state, told = EVERYTHING, []
    better: list[dict[str, Any]] = [
        {"running": True},
        {"paused": ""},
        {"fault": ""},
        {"reason": ""},
        {"people": 0},
        {"others": 0},
        {"link": ""},
        {},
    ]

    for change in better:
        told.append(verdict(state, OWNER))
        state = replace(state, **change)

    assert list(dict.fromkeys(each.kind for each in told)) == list(Kind)
    assert [each.sentence for each in told] == [
        "Not running since 30 Nov 11:00.",
        "Answers are paused.",
        "Twilio cannot be reached.",
        "Not ready: the workers do not answer.",
        "2 customers wait for a person.",
        "3 things need a look.",
        "Twilio does not answer.",
        "4 customers wait.",
    ]


def test_all_is_well_only_where_it_is() -> None:
    """One thing that is not, whichever it is, and nobody is soothed."""
    changes: list[dict[str, Any]] = [
        {"running": False},
        {"fault": "The disk is nearly full"},
        {"people": 1},
        {"others": 1},
        {"link": "It stumbles."},
        {"waiting": "1 customer waits."},
        {"reason": "The disk is full; nothing was stored."},
    ]

    assert verdict(WELL, OWNER) == Verdict(Kind.CALM, "All is well.")
    assert [verdict(replace(WELL, **change), OWNER).sentence for change in changes] == [
        "Has never run here.",
        "The disk is nearly full.",
        "1 customer waits for a person.",
        "1 thing needs a look.",
        "It stumbles.",
        "1 customer waits.",
        "Not ready: The disk is full; nothing was stored.",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0 s"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min"), (7_200, "2 h"), (259_200, "3 d")],
)
def test_an_age_is_one_number(seconds: int, said: str) -> None:
    """Of the largest unit of which there are two."""
    assert lines.age(seconds) == said


def test_what_waits_and_what_is_new() -> None:
    """Nobody is said to wait where nobody does, and nothing is counted that is not there."""
    counts = {"received": 5, "answered": 3, "apologised": 1, "suppressed": 0, "dead": 0, "live": 1}

    assert lines.waiting(0, 0.0, 0, OWNER) == "Nobody waits for an answer."
    assert lines.waiting(0, 0.0, 1, OWNER) == "Nobody else waits for an answer."
    assert lines.waiting(1, 240.0, 0, OWNER) == "1 customer waits for an answer, for 4 min now."
    assert lines.waiting(2, 240.0, 0, OWNER) == "2 customers wait for an answer, the longest for 4 min."
    assert lines.today(dict.fromkeys(counts, 0), OWNER) == "Nothing came in today."
    assert lines.today(counts, OWNER) == (
        "5 messages came in today: 3 answered, 1 told that no answer is possible now, 1 not answered yet."
    )
    assert lines.backup(None, OWNER) == "There is no backup yet."
    assert lines.backup(NOON - 5 * HOUR, OWNER) == "The last backup is 5 h old."


def test_each_link_says_when_it_last_answered() -> None:
    """One that answers, one that does not, one that refuses, one that nobody asked."""
    asked = NOON - 12 * SECOND
    silent, refused = Trouble(Fault.TIMEOUT, "api.example.com:443"), Trouble(Fault.CREDENTIALS, "HTTP 401")
    found = [
        Link(link.of_account("main"), asked, asked),
        Link(link.of_account("branch"), asked, None, refused, NOON - HOUR),
        Link(link.AI, asked, None, silent, NOON - HOUR),
        Link(link.AI),
    ]

    assert list(lines.links(found, OWNER)) == [
        "Twilio answers (12 s ago).",
        "Twilio (branch) has answered with errors since 11:00 (it does not accept our credentials: HTTP 401).",
        "The model has not answered since 11:00 (no answer in time: api.example.com:443).",
        "The model has not been asked since the start.",
    ]
    assert lines.stumbling(found, OWNER) == "Twilio (branch) answers with errors."
    assert lines.stumbling(found[2:], OWNER) == "The model does not answer."
    assert lines.stumbling(found[:1], OWNER) == ""


def test_a_card_says_nothing_of_itself_where_nothing_runs() -> None:
    """What happens without the owner happens only while it runs."""
    told = {"title": "T", "text": "Text.", "itself": "It goes on.", "todo": "Look.", "opened_at": NOON, "times": 1}

    assert list(lines.card(told, OWNER, running=True)) == [
        "T (since 12:00)",
        "Text.",
        "By itself: It goes on.",
        "To do: Look.",
    ]
    assert list(lines.card(told | {"times": 3, "todo": ""}, OWNER, running=False)) == [
        "T (since 12:00, 3 times)",
        "Text.",
    ]


def test_the_day_begins_where_the_owner_is() -> None:
    """Midnight in São Paulo is three in the morning, UTC."""
    assert midnight(OWNER) == NOON - 12 * HOUR
    assert midnight(Reader("en", "UTC", NOON)) == NOON - 15 * HOUR


def test_it_is_data() -> None:
    """The pages and scripts read the kind, people the sentence."""
    assert msgspec.json.decode(msgspec.json.encode(verdict(WELL, OWNER))) == {
        "kind": "calm",
        "sentence": "All is well.",
    }
