"""What happens in one simulated stretch of time: who writes when, and what Twilio, the model and the network do.

A seed names a scenario. The first ones are a table that walks through every shape of a send; the rest is chance.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product

from appliance.model import MINUTE, SECOND
from tests.lab.simulation import accounts, persons, trouble
from tests.lab.simulation.chance import Dice, chance
from tests.lab.simulation.persons import JOINED
from tests.lab.simulation.residual import RESIDUAL, residual
from tests.lab.simulation.terms import (
    ANSWERS,
    CALLBACKS,
    FIRST_SHAPES,
    HOOKS,
    LATER_SHAPES,
    NOT_SENT,
    SHAPES,
    SMS,
    WHATSAPP,
    Scenario,
    Written,
)

OF_THE_BOX = 1_000_000  # seeds from here on: chance has faults of the box itself as well
TROUBLED = 2_000_000  # seeds from here on: and all that trouble.py has
DAYS = 1 << 40  # seeds from here on: a day's work, with few faults
TROUBLED_DAYS = 3 << 39  # seeds from here on: a day with an incident
TRACED = 7 << 38  # seeds from here on: trouble.traces()
LAGGING = 1 << 41  # seeds from here on: lagging() names them
ACCOUNTS = 1 << 43  # seeds from here on: chance, with two accounts that share a number
ACCOUNT_DAYS = 3 << 42  # seeds from here on: their days


def _table() -> list[Scenario]:
    found = [
        *_single_sends(FIRST_SHAPES),
        *_last_moments(),
        *(one for shape in FIRST_SHAPES for one in _around_a_send(shape)),
        *_no_sends(),
        *_box_faults(),
        *_words_and_answers(),
        *_nearly_full(),
        *_single_sends(LATER_SHAPES),
        *(one for shape in LATER_SHAPES for one in _around_a_send(shape)),
        *trouble.table(),
    ]
    return [replace(scenario, seed=seed, deep=_is_deep(scenario.name)) for seed, scenario in enumerate(found)]


def _single_sends(shapes: Iterable[str]) -> Iterator[Scenario]:
    for shape, callback in product(shapes, CALLBACKS):
        if SHAPES[shape][0] or callback in ("normal", "lost"):  # nothing calls back for what Twilio does not have
            yield Scenario(0, f"{shape} {callback}", WHATSAPP, shapes=(shape,), callbacks=(callback,), lag=20_000)


def _last_moments() -> Iterator[Scenario]:
    for late in range(4300, 4900, 120):
        yield Scenario(0, "stop at the last moment", SMS, (Written(1000, "#1 um?"), Written(late, "STOP")))
    yield Scenario(0, "too old", shapes=("rate_limit",) * 14, age=30_000)


def _around_a_send(shape: str) -> Iterator[Scenario]:
    """What else may go on while a send has this shape."""
    one, two, three = Written(1000, "#1 um?"), Written(9000, "#2 dois?"), Written(9000, "#3 tres?")
    same = (Written(1000, "#1 igual?"), Written(9000, "#1 igual?"))
    stop = (one, Written(4350, "STOP"))
    lost = ("lost",)
    yield Scenario(0, f"{shape} lost on SMS", shapes=(shape,), callbacks=lost)
    yield Scenario(0, f"park {shape}", shapes=(shape,), on_doubt="park", callbacks=lost)
    yield Scenario(0, f"again {shape}", shapes=("reset_before", shape), callbacks=lost)
    yield Scenario(0, f"pair {shape}", written=(one, two), shapes=("reset_before", shape), callbacks=lost)
    yield Scenario(0, f"equal {shape}", written=same, shapes=(shape, shape), callbacks=lost, lag=90_000)
    yield Scenario(
        0, f"burst {shape}", written=(one, Written(4400, "#2 dois?"), three), shapes=(shape, "accept", shape)
    )
    for channel in (SMS, WHATSAPP):
        yield Scenario(0, f"stop {shape}", channel, stop, shapes=(shape,), callbacks=("late",))
    hidden, by_hand = (0, 4 * MINUTE), ((210 * SECOND, 0),)
    yield Scenario(0, f"unreadable {shape}", shapes=(shape,), callbacks=lost, unreadable=hidden, by_hand=by_hand)


def _no_sends() -> Iterator[Scenario]:
    for hook, _ in product(HOOKS, range(4)):  # the seed moves everything a little
        yield Scenario(0, f"hook {hook}", written=(Written(1000, "#1 oi?", hook=hook),), lag=30_000)
    for answer in ANSWERS:
        yield Scenario(0, f"model {answer}", answers=(answer, answer), callbacks=("lost",))
    slow = (Written(1000, "#1 um?"), Written(15_000, "#2 dois?"))
    yield Scenario(0, "model slow, another message", written=slow, answers=("slow",))
    missed = (Written(1000, "#1 oi?", hook="lost"),)
    yield Scenario(0, "answered by hand", written=missed, by_hand=((9000, 0),))
    yield Scenario(0, "offline", offline=(2000, 3 * MINUTE))


def _box_faults() -> Iterator[Scenario]:
    two = (Written(1000, "#1 um?"), Written(9000, "#2 dois?"))
    for start, hook in product((0, 3_500, 4_300, 9_000), ("normal", "again")):
        written = (Written(1000, "#1 um?", hook=hook), Written(9000, "#2 dois?", hook=hook))
        yield Scenario(0, "disk full", written=written, full=(start, start + 60_000), lag=10_000)
    for _ in range(4):
        crowd = tuple(Written(1000, f"#{contact} oi?", contact) for contact in range(8))
        yield Scenario(0, "disk full, crowd", written=crowd, full=(500, 20_000))
    for shape, copied_at in product(("accept", "error_before", "reset_after", "late_accept"), (2000, 4400, 8000)):
        yield Scenario(
            0, "restored", WHATSAPP, two, (shape, shape), ("lost",), lag=60_000, copied_at=copied_at, downtime=40_000
        )
    yield Scenario(0, "restored with a STOP", written=(*two, Written(11_000, "STOP")), copied_at=4400, lag=10_000)
    for _ in range(4):  # the list shows the message and not yet its answer when the refused webhook has it read
        pair = (Written(1000, "#1 um?"), Written(25_000, "#2 dois?", 1, "refused"))
        yield Scenario(0, "restored, then a 503", SMS, pair, copied_at=500, downtime=1000, lag=30_000)
    yield Scenario(0, "restored after an answer by hand", written=two, copied_at=4400, by_hand=((12_000, 0),))
    for shape in ("accept", "reset_before", "late_accept"):
        later = Written(8 * MINUTE, "#2 dois?")
        yield Scenario(0, "swept", written=(two[0], later), shapes=(shape,), callbacks=("lost",), sweeps=True)


def _words_and_answers() -> Iterator[Scenario]:
    """Who was answered by whom, and who asked for silence, where only Twilio's list can tell."""
    one, two = Written(1000, "#1 um?", hook="lost"), Written(20_000, "#2 dois?", hook="lost")
    yield Scenario(0, "answered by hand in between", written=(one, two), by_hand=((9000, 0),), lag=10_000)
    for channel, word in product((SMS, WHATSAPP), ("STOP", "PARAR")):
        lost = (Written(1000, "#1 um?"), Written(9000, word, hook="lost"), Written(9 * MINUTE, "#2 dois?"))
        yield Scenario(0, "stop lost", channel, lost, lag=10_000)
    for channel in (SMS, WHATSAPP):
        back = (Written(1000, "STOP", hook="lost"), Written(20_000, "START"), Written(9 * MINUTE, "#1 um?"))
        yield Scenario(0, "stop lost, then back", channel, back, lag=10_000)
    for copied_at in (2000, 4400):
        words = (Written(1000, "PARAR"),)
        yield Scenario(0, "restored after a confirmation", WHATSAPP, words, copied_at=copied_at, lag=10_000)


def _nearly_full() -> Iterator[Scenario]:
    """Some webhooks of a batch are stored when the next one finds no space: then none of them is."""
    for _ in range(6):
        crowd = tuple(Written(1000, f"#{contact} oi?", contact) for contact in range(8))
        yield Scenario(0, "disk nearly full", written=crowd, full=(500, 4000), spare=12)


def _is_deep(name: str) -> bool:
    """Only after a crash is an accepted, refused or unmade POST in doubt."""
    return name.startswith(("pair", "park")) or name in {
        "unlisted accept",
        *(f"accept {plan}" for plan in ("late", "lost", "stuck", "undelivered_lost")),
    }


TABLE = _table()
JOINED_AT_ONCE = [persons.day_of(persons.joined(number, 0)) for number in range(len(persons.DAYS))]


TRACES = [replace(trace, seed=TRACED + number) for number, trace in enumerate(trouble.traces())]


def scenario(seed: int) -> Scenario:
    return TABLE[seed] if seed < len(TABLE) else _by_chance(seed)


def _by_chance(seed: int) -> Scenario:
    """The first million of these seeds have no faults of the box itself."""
    if seed >= ACCOUNTS:
        day = seed >= ACCOUNT_DAYS
        return accounts.of_two(trouble.day(_day(seed)) if day else trouble.troubled(_of_the_box(_any(seed))))
    if seed < OF_THE_BOX:
        return _any(seed)
    if seed < DAYS:
        found = _of_the_box(_any(seed))
        return found if seed < TROUBLED else trouble.troubled(found)
    if JOINED <= seed < LAGGING:
        return persons.day_of(seed)
    if TRACED <= seed < LAGGING:
        return TRACES[seed - TRACED]
    if seed < TRACED:
        return _day(seed) if seed < TROUBLED_DAYS else trouble.day(_day(seed))
    return _lagging(seed - LAGGING) if seed < RESIDUAL else residual(seed)


def _any(seed: int) -> Scenario:
    dice = chance(seed, 0)
    quiet = dice.one_in(2)  # half of the scenarios have no outage
    start = dice.between(0, 5 * MINUTE)
    return Scenario(
        seed,
        "by chance",
        dice.pick((SMS, WHATSAPP)),
        _writings(dice),
        tuple(dice.pick(FIRST_SHAPES) for _ in range(dice.between(0, 3))),
        tuple(dice.pick(CALLBACKS) for _ in range(dice.between(1, 3))),
        tuple(dice.pick(ANSWERS) for _ in range(dice.between(0, 2))),
        dice.pick((0, 10, 60, 150)) * SECOND,
        (0, 0) if quiet or dice.one_in(2) else (start, start + dice.between(1, 8) * MINUTE),
        (0, 0) if quiet or dice.one_in(2) else (start, start + dice.between(1, 8) * MINUTE),
        dice.pick((0, -3000, 40_000, -90_000)),
        ((dice.between(0, 600) * SECOND, 0),) if dice.one_in(8) else (),
        dice.pick((1, 5, 30, 400, 3000)) * SECOND,
        "park" if dice.one_in(10) else "resend",
        age=dice.pick((0, 0, 0, 0, 0, 0, 60_000)),
    )


def _of_the_box(scenario: Scenario) -> Scenario:
    dice = chance(scenario.seed, 2)
    start = dice.between(0, 2 * MINUTE)
    return replace(
        scenario,
        full=(start, start + dice.between(1, 180) * SECOND) if dice.one_in(5) else (0, 0),
        copied_at=dice.between(1, 60) * SECOND if dice.one_in(4) else 0,
        sweeps=dice.one_in(5),
    )


def _day(seed: int) -> Scenario:
    """A hundred messages of forty customers, who write up to four times in a row. One POST of a thousand is ambiguous,
    one callback of fifty is lost.
    """
    dice = chance(seed, 0)
    ambiguous = sorted(set(FIRST_SHAPES) - {"accept", "refuse", *NOT_SENT})
    written: list[Written] = []
    for contact in range(40):
        at = dice.between(1, 9000) * SECOND
        for _ in range(dice.between(1, 4)):
            written.append(Written(at, f"#{len(written)} horario?", contact))
            at += dice.between(2, 90) * SECOND
    return Scenario(
        seed,
        "a day",
        dice.pick((SMS, WHATSAPP)),
        tuple(written),
        tuple(dice.pick(ambiguous) if dice.one_in(1000) else "accept" for _ in range(200)),
        tuple("lost" if dice.one_in(50) else dice.pick(("normal", "early_sent", "late")) for _ in range(200)),
        lag=dice.pick((2, 10, 60)) * SECOND,
        downtime=dice.pick((1, 5, 30, 120)) * SECOND,
    )


def lagging(shape: str, callback: str, seconds: int) -> int:
    """The seed of one POST of this shape, with this fate of its callbacks, which the list shows after so long."""
    return LAGGING + (seconds * len(CALLBACKS) + CALLBACKS.index(callback)) * len(SHAPES) + list(SHAPES).index(shape)


def _lagging(number: int) -> Scenario:
    number, shape = divmod(number, len(SHAPES))
    seconds, callback = divmod(number, len(CALLBACKS))
    shapes, callbacks = (list(SHAPES)[shape],), (CALLBACKS[callback],)
    name = f"{shapes[0]}, callback {callbacks[0]}, list after {seconds} s"
    return Scenario(number, name, shapes=shapes, callbacks=callbacks, lag=seconds * SECOND, steady=True)


def _writings(dice: Dice) -> tuple[Written, ...]:
    at = 1000
    found = []
    for position in range(dice.between(1, 4)):
        number = 1 if dice.one_in(4) else position + 1
        body = dice.pick(("STOP", "START", "PARAR")) if dice.one_in(8) else f"#{number} horario?"
        hook = "normal" if dice.one_in(2) else dice.pick(HOOKS)
        found.append(Written(at, body, int(dice.one_in(4)), hook))
        at += dice.pick((0, 5, 700, 3000, 3300, 9000, 60_000, 600_000))
    return tuple(found)
