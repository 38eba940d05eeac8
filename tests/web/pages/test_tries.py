"""Who guesses waits; the owner never longer than a quarter of an hour, whoever else guesses."""

import pytest

from appliance.model import HOUR, MINUTE, SECOND
from appliance.web.pages.tries import BURST, FORGET, LINE, LONGEST, MOST, PACE, Reason, Refused, Tries

NOW = 1_800_000_000_000
SPAN, STEP = 45 * MINUTE, 5 * SECOND


def guess(tries: Tries, who: str, now: int, *, known: bool = False, fits: bool = False) -> Refused | None:
    """A whole try."""
    refused = tries.begin(who, now, known=known)
    if refused is None:
        tries.end(who, now, known=known, fits=fits)
    return refused


def test_three_tries_then_pauses_that_grow() -> None:
    """A minute, twice as long each time, a quarter of an hour at most; an hour later it is forgotten."""
    tries, now, waits, left = Tries(), NOW, [], []
    for _ in range(9):
        assert guess(tries, "192.0.2.1", now) is None
        left.append(tries.left("192.0.2.1", now))
        waits.append(tries.wait("192.0.2.1", now) // MINUTE)
        if waits[-1]:
            refused = guess(tries, "192.0.2.1", now)
            assert refused == Refused(Reason.WAITS, waits[-1] * MINUTE)
        now += waits[-1] * MINUTE
    assert waits == [0, 0, 1, 2, 4, 8, 15, 15, 15]
    assert left == [2, 1, 0, 0, 0, 0, 0, 0, 0]
    assert tries.left("192.0.2.1", now + FORGET) == 3
    assert guess(tries, "192.0.2.2", now) is None


def test_who_has_a_password_here_guesses_no_faster() -> None:
    """A sign-in takes back its own try alone; a browser that is known for its user begins anew."""
    tries = Tries()
    for fits in (False, True, False, True, False):
        assert guess(tries, "192.0.2.1", NOW, fits=fits) is None
    assert guess(tries, "192.0.2.1", NOW) is not None
    for fits in (False, False, True, False, False):
        assert guess(tries, "browser", NOW, known=True, fits=fits) is None
    assert tries.left("browser", NOW) == 1


@pytest.mark.parametrize("addresses", [1, 1_000])
def test_the_owner_is_heard_within_a_quarter_of_an_hour(addresses: int) -> None:
    """Whatever number of addresses guesses as fast as it can: from another address in less than LONGEST, from a
    browser that signed in before at once.
    """
    tries, heard, waited, longest = Tries(), 0, 0, 0
    waiting_since: int | None = None
    for step in range(SPAN // STEP):
        now = NOW + step * STEP
        for number in range(addresses):
            heard += guess(tries, f"a{number}", now) is None
        assert guess(tries, "browser", now, known=True, fits=True) is None
        if step % 100 == 0 and waiting_since is None:
            waiting_since = now  # the owner begins to try
        if waiting_since is not None:
            waited = now - waiting_since
            longest = max(longest, waited)
            if guess(tries, f"owner{waiting_since}", now, fits=True) is None:
                waiting_since = None
    print(
        f"{addresses} addresses: {heard} guesses heard in {SPAN // MINUTE} min, the owner within {longest / SECOND:g} s"
    )
    assert longest < LONGEST
    assert heard <= BURST + SPAN // PACE


def test_the_line_is_short() -> None:
    """Who would wait behind many is told so at once, and it does not count as a try; the known one stands in it."""
    tries = Tries()
    for number in range(LINE):
        assert tries.begin(f"a{number}", NOW, known=False) is None
    assert tries.begin("b", NOW, known=False) == Refused(Reason.CROWDED, PACE)
    assert tries.left("b", NOW) == 3
    assert tries.begin("browser", NOW, known=True) is None
    for number in range(LINE):
        tries.end(f"a{number}", NOW, known=False, fits=False)
    assert tries.begin("b", NOW, known=False) is None


def test_many_at_once_count_before_any_has_failed() -> None:
    """Side by side nobody gets more tries than one after the other."""
    tries = Tries()
    assert [tries.begin("a", NOW, known=False) is None for _ in range(5)] == [True, True, True, False, False]


def test_a_clock_that_is_set_locks_nobody_out() -> None:
    """Back by a day, or ahead."""
    tries = Tries()
    for number in range(BURST):
        guess(tries, f"a{number}", NOW)
    for _ in range(3):
        guess(tries, "owner", NOW)
    assert guess(tries, "owner", NOW - 24 * HOUR) is None
    assert tries.wait("owner", NOW - 24 * HOUR) == 0
    assert guess(tries, "owner", NOW + 24 * HOUR) is None


def test_memory_is_bounded() -> None:
    """More addresses than come in an hour are not remembered."""
    tries = Tries()
    for number in range(MOST + 100):
        guess(tries, f"a{number}", NOW + number * PACE)
    assert len(tries._tried) == MOST
    assert MOST * PACE > FORGET
