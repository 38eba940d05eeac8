"""What Twilio's documents allow and seldom happens: incidents that last, known answers that mean "later", failures that
are told of afterwards, and a list that is late in each of its ways.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from appliance.model import MINUTE, SECOND
from tests.lab.simulation.chance import chance
from tests.lab.simulation.terms import CALLBACKS, FAILURES, LAGS, SHAPES, WHATSAPP, Scenario, Written

_TAKEN = ("none", "half", "all")
_WITHIN_TWO_GRACES = 300  # seconds: less than two graces, with which the second read is later than any lag
_WITHIN_ONE_GRACE = 150


def table() -> Iterator[Scenario]:
    two = (Written(1000, "#1 um?"), Written(9000, "#2 dois?", 1))
    for failure, shape in product(FAILURES, ("accept", "reset_after")):
        again = (Written(1000, "#1 um?"), Written(90_000, "#2 dois?"))
        yield Scenario(0, f"{shape} {failure}", WHATSAPP, again, (shape,), (failure, "normal"), lag=20_000)
    for seconds, taken in product((16, 200), _TAKEN):
        span = (2000, 2000 + seconds * SECOND)
        yield Scenario(0, f"incident {seconds} s", written=two, lag=60_000, incident=span, taken=taken, mute=True)
    yield Scenario(0, "incident of an hour", written=two, incident=(0, 60 * MINUTE), taken="half", mute=True)
    young = (Written(1000, "#1 um?"), Written(2500, "#2 dois?", 1))
    yield Scenario(0, "a doubt, then a restart", written=young, shapes=("error_before",), downtime=SECOND)
    for kind in LAGS:
        lag, lost = _WITHIN_TWO_GRACES * SECOND, ("lost",)
        yield Scenario(
            0, f"late {kind}", written=_busy(), shapes=("reset_after",), callbacks=lost, lag=lag, lag_kind=kind
        )
    for shape in (shape for shape, (is_taken, _) in SHAPES.items() if is_taken):
        lag, lost = _WITHIN_TWO_GRACES * SECOND, ("lost",)
        yield Scenario(0, f"unlisted {shape}", shapes=(shape,), callbacks=lost, lag=lag, lag_kind="ordered")
    for shape in ("reset_after", "reset_before"):
        yield Scenario(
            0, f"two reads {shape}", written=two, shapes=(shape,), callbacks=("lost",), lag=20_000, sent_lag=100_000
        )
        yield Scenario(0, f"other form {shape}", shapes=(shape,), callbacks=("lost",), other_form=True)


def traces() -> list[Scenario]:
    """Single runs beyond what the rules bear, where one of them still keeps an answer from being sent again."""
    two = (Written(1000, "#1 um?"), Written(700_000, "#2 dois?", 1))
    lost = ("lost",)
    return [
        Scenario(
            0,
            "listed after the second attempt",
            shapes=("reset_after", "error_before"),
            callbacks=lost,
            lag=15 * MINUTE,
            steady=True,
        ),
        Scenario(
            0,
            "absent, then a pause",
            written=two,
            shapes=("reset_after", "daily_limit"),
            callbacks=lost,
            lag=14 * MINUTE,
            steady=True,
        ),
        Scenario(0, "listed in another form", shapes=("reset_after",), callbacks=lost, other_form=True),
        Scenario(0, "listed with another body", shapes=("reset_after",), callbacks=lost, altered=True),
    ]


def _busy() -> tuple[Written, ...]:
    """Somebody else writes every two minutes: the list shows younger messages of the channel."""
    return tuple(Written(1000 + minute * MINUTE, f"#{minute} oi?", minute) for minute in range(0, 10, 2))


def troubled(scenario: Scenario) -> Scenario:
    """A scenario by chance, with trouble. The list's lag stays below what the rules of doubt bear; a restored box trusts
    a list once it has waited for one grace.
    """
    dice = chance(scenario.seed, 3)
    start = dice.between(0, 90) * SECOND
    length = dice.pick((16, 16, 200, 200, 900, 3600)) * SECOND
    longest = _WITHIN_ONE_GRACE if scenario.copied_at else _WITHIN_TWO_GRACES
    hurt = dice.one_in(2)
    return replace(
        scenario,
        name="in trouble",
        shapes=tuple(dice.pick(tuple(SHAPES)) for _ in range(dice.between(0, 3))),
        callbacks=tuple(dice.pick(CALLBACKS + FAILURES) for _ in range(dice.between(1, 3))),
        incident=(start, start + length) if hurt else (0, 0),
        taken=dice.pick(_TAKEN),
        mute=dice.one_in(2),
        lag=min(dice.pick((0, 10, 60, 150, 300)), longest) * SECOND,
        lag_kind=dice.pick(("", *LAGS)),
        sent_lag=dice.pick((0, 0, 30)) * SECOND if longest == _WITHIN_TWO_GRACES else 0,
        other_form=dice.one_in(6),
    )


def day(scenario: Scenario) -> Scenario:
    """A day with one incident, minutes to two hours long."""
    dice = chance(scenario.seed, 3)
    start = dice.between(5, 60) * MINUTE
    return replace(
        scenario,
        name="a day with an incident",
        incident=(start, start + dice.pick((16 * SECOND, 200 * SECOND, 20 * MINUTE, 120 * MINUTE))),
        taken=dice.pick(_TAKEN),
        mute=dice.one_in(2),
        lag_kind=dice.pick(LAGS),
        sent_lag=dice.pick((0, 30)) * SECOND,
    )
