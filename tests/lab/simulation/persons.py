"""Days of one person with two addresses, of which it becomes known at any step that they are one.

Before that the appliance treats them as two, from then on as one, and both may have jobs, drafts and doubts by then.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from appliance.model import MINUTE, SECOND
from tests.lab.simulation.chance import Dice, chance
from tests.lab.simulation.terms import CALLBACKS, FIRST_SHAPES, HOOKS, SMS, WHATSAPP, Scenario, Written

JOINED = 15 << 37  # seeds from here on: joined() names them
STEPS = 256  # more than the first life of any of these days has
SAME = (0, 1)
_UNCLEAR = ("reset_after", "error_before", "timeout_after", "late_accept")


def _days() -> Iterator[Scenario]:
    lost = ("lost",)
    pair = (Written(1000, "#1 um?"), Written(1700, "#2 dois?", 1), Written(9000, "#3 tres?"))
    equal = (Written(1000, "#1 igual?"), Written(1200, "#1 igual?", 1))
    for shape in ("accept", *_UNCLEAR):
        yield Scenario(0, f"pair {shape}", WHATSAPP, pair, (shape, "accept", shape), lost, lag=20_000)
        yield Scenario(0, f"equal {shape}", WHATSAPP, equal, (shape, shape), lost, lag=90_000)
    for shapes in product(("reset_before", "reset_after"), repeat=2):
        yield Scenario(0, f"equal {' '.join(shapes)}", SMS, equal, shapes, lost, lag=60_000, other_form=True)
    known = (Written(1000, "#1 um?", 1), Written(12_000, "#2 dois?"))
    for late in ("reset_after", "timeout_after"):
        yield Scenario(
            0, f"under the other {late}", WHATSAPP, known, ("accept", late), lost, lag=20_000, other_form=True
        )
    yield Scenario(0, "equal, overdue", WHATSAPP, equal, ("reset_after",) * 2, ("overdue", "lost"), lag=60_000)
    yield Scenario(0, "a slow model", WHATSAPP, (*pair, Written(6000, "#4 quatro?", 1)), answers=("slow", "answer"))
    for channel, hook in product((SMS, WHATSAPP), ("normal", "lost")):
        stop = (Written(1000, "#1 um?"), Written(4350, "STOP", 1, hook), Written(9 * MINUTE, "#2 dois?"))
        yield Scenario(0, f"stop by the other, {hook}", channel, stop, lag=10_000)
        back = (Written(1000, "STOP"), Written(20_000, "#1 um?", 1), Written(40_000, "START", 1, hook))
        yield Scenario(0, f"back by the other, {hook}", channel, (*back, Written(9 * MINUTE, "#2 dois?")), lag=10_000)
    missed = (Written(1000, "#1 um?", hook="lost"), Written(2000, "#2 dois?", 1, "lost"))
    yield Scenario(0, "answered by hand elsewhere", WHATSAPP, missed, by_hand=((9000, 1),), lag=10_000)
    yield Scenario(0, "missed by both", WHATSAPP, missed, ("reset_after",), lost, lag=20_000)


DAYS = tuple(replace(day, same=SAME) for day in _days())


def joined(day: int, step: int) -> int:
    """The seed of a day on which somebody says at this point of the first life that the two are one. The days after
    those of the table are by chance.
    """
    return JOINED + day * STEPS + step


def day_of(seed: int) -> Scenario:
    number, step = divmod(seed - JOINED, STEPS)
    found = DAYS[number] if number < len(DAYS) else _by_chance(seed - step)
    return replace(found, seed=seed, joined_at=step, name=f"{found.name}, joined at {step}")


def _by_chance(seed: int) -> Scenario:
    """Half of them are told by a webhook too, as soon as it comes."""
    dice = chance(seed, 0)
    return Scenario(
        seed,
        "two addresses by chance",
        dice.pick((SMS, WHATSAPP)),
        tuple(_writings(dice)),
        tuple(dice.pick(FIRST_SHAPES) for _ in range(dice.between(0, 3))),
        tuple(dice.pick(CALLBACKS) for _ in range(dice.between(1, 3))),
        lag=dice.pick((1, 5, 30, 150)) * SECOND,
        downtime=dice.pick((0, 10, 60, 150)) * SECOND,
        by_hand=((dice.between(0, 600) * SECOND, dice.below(2)),) if dice.one_in(8) else (),
        other_form=dice.one_in(6),
        same=SAME,
    )


def _writings(dice: Dice) -> Iterator[Written]:
    at, told = 1000, dice.one_in(2)
    for position in range(dice.between(2, 4)):
        number = 1 if dice.one_in(3) else position + 1
        body = dice.pick(("STOP", "START", "PARAR")) if dice.one_in(6) else f"#{number} horario?"
        contact = dice.below(2)
        hook = "normal" if dice.one_in(2) else dice.pick(HOOKS)
        yield Written(at, body, contact, hook, tells=1 - contact if told and dice.one_in(2) else -1)
        at += dice.pick((0, 5, 700, 3000, 3300, 9000, 60_000, 600_000))
