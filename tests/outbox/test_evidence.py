"""What Twilio's log proves of sends whose outcome is unknown: tables, without a loop."""

import pytest

from appliance.model import SECOND, OutboxMessage, OutboxState
from appliance.outbox.evidence import Books, Claim, Finding, judge, proves
from appliance.store.attempts import Attempt
from appliance.wire import LoggedMessage, LogRead, forms
from tests.support.world import CUSTOMER, SMS

NOW = 1_800_000_000_000
G = 180 * SECOND  # the grace
MIN = 60 * SECOND
TRIAL = "Sent from your Twilio trial account - "


def claim(
    row_id: int,
    body: str,
    *posts: int,
    state: OutboxState = OutboxState.DOUBT,
    absent: int | None = None,
    written: int = 0,
    silent: int = 0,
) -> Claim:
    """A row POSTed at these times (ms after NOW), each answered by nobody for a second."""
    attempts = [Attempt(n, "t", NOW + at, NOW + at + SECOND) for n, at in enumerate(posts or (0,), 1)]
    row = OutboxMessage(
        row_id,
        1,
        1,
        1,
        1,
        "answer",
        body,
        state,
        len(attempts),
        NOW + written,
        absent_at=None if absent is None else NOW + absent,
        sender=SMS,
        recipient=CUSTOMER,
    )
    return Claim(row, attempts, NOW + silent)


def logged(sid: str, body: str, at: int = 0, direction: str = "outbound-api", to: str = CUSTOMER) -> LoggedMessage:
    return LoggedMessage(sid, direction, SMS, to, body, "sent", None, NOW + at)


def found(
    claims: list[Claim], log: list[LoggedMessage], books: Books | None = None, at: int = 8 * G, offset: int = 0
) -> list[tuple[int, Finding, str | None]]:
    read = LogRead(tuple(log), NOW + at, offset)
    verdicts = judge(claims, read, books or Books(), G)
    return [(each.claim.row.id, each.finding, each.logged.sid if each.logged else None) for each in verdicts]


SENT, ABSENT, UNCLEAR, PERSON = Finding.SENT, Finding.ABSENT, Finding.UNCLEAR, Finding.BY_PERSON


@pytest.mark.parametrize(
    ("claims", "log", "known", "expected"),
    [
        ([claim(1, "a")], [], set(), [(1, ABSENT, None)]),
        ([claim(1, "a")], [logged("S1", "a")], set(), [(1, SENT, "S1")]),
        ([claim(1, "a")], [logged("S1", "a")], {"S1"}, [(1, ABSENT, None)]),
        ([claim(1, "a")], [logged("S1", "a", direction="inbound")], set(), [(1, ABSENT, None)]),
        ([claim(1, "a")], [logged("S1", "a", -10 * MIN)], set(), [(1, ABSENT, None)]),
        ([claim(1, "a")], [logged("S1", "b")], set(), [(1, UNCLEAR, None)]),
        ([claim(1, "a")], [logged("S1", "")], set(), [(1, UNCLEAR, None)]),
        ([claim(1, "a")], [logged("S1", "b", 2 * MIN)], set(), [(1, UNCLEAR, None)]),
        ([claim(1, "a")], [logged("S1", "b", 2 * MIN + 2 * SECOND)], set(), [(1, PERSON, None)]),
        ([claim(1, "a", written=3 * MIN)], [logged("S1", "b", 2 * MIN + 2 * SECOND)], set(), [(1, ABSENT, None)]),
        ([claim(1, "a", 0, 5 * MIN)], [logged("S1", "b", 4 * MIN)], set(), [(1, UNCLEAR, None)]),
        ([claim(1, "a", 0, 5 * MIN)], [logged("S1", "a", 10 * SECOND)], set(), [(1, SENT, "S1")]),
        (
            [claim(1, "a"), claim(2, "a")],
            [logged("S1", "a")],
            set(),
            [(1, SENT, "S1"), (2, ABSENT, None)],
        ),
        (
            [claim(1, "a"), claim(2, "a", 9 * SECOND)],
            [logged("S1", "a"), logged("S2", "a", 9 * SECOND)],
            set(),
            [(1, SENT, "S1"), (2, SENT, "S2")],
        ),
        (
            [claim(1, "sim"), claim(2, "acho que sim")],
            [logged("S1", TRIAL + "acho que sim")],
            set(),
            [(1, ABSENT, None), (2, SENT, "S1")],
        ),
        ([claim(1, "sim")], [logged("S1", "acho que sim")], set(), [(1, UNCLEAR, None)]),
        ([claim(1, "a")], [logged("S1", "b", direction="outbound-call")], set(), [(1, ABSENT, None)]),
        (
            [claim(1, "b"), claim(2, "a", 20 * MIN, silent=0)],
            [logged("S1", "a"), logged("S2", "b")],
            set(),
            [(1, SENT, "S2"), (2, Finding.WAIT, None)],
        ),
        (
            [claim(1, "a"), claim(2, "a")],
            [logged(sid, TRIAL + "a") for sid in ("S1", "S2")],
            set(),
            [(1, SENT, "S1"), (2, SENT, "S2")],
        ),
        # A draft that was withdrawn keeps what it made from reading as a person's, or as an unclear one.
        ([claim(1, "a"), claim(2, "b", state=OutboxState.SUPERSEDED)], [logged("S1", "b")], set(), [(1, ABSENT, None), (2, SENT, "S1")]),
        # Soon after it an equal one is in doubt: that one is what the log shows, else it would be sent twice.
        ([claim(1, "a", state=OutboxState.SUPERSEDED), claim(2, "a", MIN)], [logged("S1", "a", MIN)], set(), [(2, SENT, "S1")]),
        ([claim(1, "a", state=OutboxState.FAILED), claim(2, "a", MIN)], [logged("S1", "a", MIN)], set(), [(2, SENT, "S1")]),
        ([claim(1, "a"), claim(2, "b", 6 * MIN, state=OutboxState.PARKED)], [logged("S1", "c", 6 * MIN)], set(), [(1, UNCLEAR, None)]),
        # What is ready again is judged like what is in doubt: it is about to be sent.
        ([claim(1, "a", state=OutboxState.READY)], [logged("S1", "a")], set(), [(1, SENT, "S1")]),
        ([claim(1, "a", state=OutboxState.READY)], [], set(), [(1, ABSENT, None)]),
    ],
)  # fmt: skip
def test_judgement(
    claims: list[Claim], log: list[LoggedMessage], known: set[str], expected: list[tuple[int, Finding, str | None]]
) -> None:
    """k in doubt and m unbound of one body: the oldest are bound. What else stands in an attempt's window is unclear,
    outside of all windows and after the draft it is a person's.
    """
    assert sorted(found(claims, log, Books(known=known))) == sorted(expected)


@pytest.mark.parametrize("offset", [-3_600_000, 3_600_000])
def test_times_are_compared_on_twilios_clock(offset: int) -> None:
    """A box whose clock is an hour off now, and may have been right then: its own send is found by either clock, what
    lies between the two is unclear, and only what is later than both is a person's.
    """
    for at in (0, offset):
        assert found([claim(1, "a")], [logged("S1", "a", at)], offset=offset) == [(1, SENT, "S1")]

    assert found([claim(1, "a")], [logged("S2", "b", offset // 2)], offset=offset) == [(1, UNCLEAR, None)]
    later = logged("S3", "b", max(offset, 0) + 10 * MIN)
    assert found([claim(1, "a")], [later], offset=offset) == [(1, PERSON, None)]


def test_a_form_that_is_another_contacts_own_binds_nothing() -> None:
    """The same words to the address without its ninth digit: ours, unless that address is a customer of its own."""
    other = forms(CUSTOMER)[1]
    log = [logged("S1", "a", to=other)]

    assert found([claim(1, "a")], log) == [(1, SENT, "S1")]
    assert found([claim(1, "a")], log, Books(foreign=[other])) == [(1, ABSENT, None)]


@pytest.mark.parametrize(
    ("read_at", "first_read", "youngest", "behind", "proof"),
    [
        (G - 1, None, 3 * MIN, False, False),  # not the grace yet
        (G, None, 3 * MIN, False, False),  # one read
        (2 * G - 1, G, 3 * MIN, False, False),  # the second too early
        (2 * G, G, 3 * MIN, False, True),
        (2 * G, G, 2 * MIN, False, False),  # younger by no more than clocks may differ
        (2 * G, G, 2 * MIN + 1, False, True),
        (2 * G, G, 0, False, False),  # nothing younger is shown
        (2 * G, G, -NOW, False, False),
        (4 * G - 1, G, 0, False, False),
        (4 * G, None, 0, False, True),  # long enough, with one read
        (4 * G, G, 3 * MIN, True, False),  # what we know is missing from the read
        (10 * G - 1, G, 3 * MIN, True, False),
        (10 * G, None, 0, True, True),
    ],
)
@pytest.mark.parametrize("offset", [0, -90_000, 90_000])
@pytest.mark.parametrize("earlier", [(), (-30 * MIN, -9 * MIN)])
def test_absence(
    read_at: int,
    first_read: int | None,
    youngest: int,
    behind: bool,
    proof: bool,
    offset: int,
    earlier: tuple[int, ...],
) -> None:
    """Two reads and a younger message; or four times the grace; or ten while the read lacks what we know. It counts
    from the last attempt's end, whatever came before it, on either clock.
    """
    last = claim(1, "a", *earlier, 0, absent=None if first_read is None else first_read + SECOND)
    log = LogRead((), NOW + SECOND + read_at, offset)

    assert proves(last, log, NOW + SECOND + youngest + offset, behind, G) == proof


def test_what_ended_before_the_restoration_counts_from_it() -> None:
    """The box that was lost may have sent until then."""
    log = LogRead((), NOW + 5 * G, 0)

    assert proves(claim(1, "a"), log, 0, False, G)
    assert not proves(claim(1, "a", silent=2 * G), log, 0, False, G)


@pytest.mark.parametrize(
    ("read_at", "absent", "due"),
    [(10, None, G), (G, None, 2 * G), (G + 5, G, 2 * G), (2 * G, G, 4 * G), (4 * G - 1, G, 4 * G)],
)
def test_a_wait_says_when_to_look_again(read_at: int, absent: int | None, due: int) -> None:
    """At the grace, a grace after the first read, at four times the grace."""
    late = SECOND  # the attempt's end
    first = None if absent is None else absent + late
    read = LogRead((), NOW + late + read_at, 0)

    verdict = judge([claim(1, "a", absent=first)], read, Books(), G)[0]

    assert (verdict.finding, verdict.due) == (Finding.WAIT, NOW + late + due)


def test_a_wait_for_what_we_know_ends_at_ten_times_the_grace() -> None:
    """Not before: nothing else would be proved earlier."""
    read = LogRead((), NOW + SECOND + 5 * G, 0)

    verdict = judge([claim(1, "a", absent=G)], read, Books(expected={"S9"}), G)[0]

    assert (verdict.finding, verdict.due) == (Finding.WAIT, NOW + SECOND + 10 * G)


@pytest.mark.parametrize(
    ("address", "other"),
    [
        ("+5511988887777", "+551188887777"),
        ("+551188887777", "+5511988887777"),
        ("whatsapp:+5511988887777", "whatsapp:+551188887777"),
        ("whatsapp:+551188887777", "whatsapp:+5511988887777"),
        ("+5491123456789", "+541123456789"),
        ("+541123456789", "+5491123456789"),
        ("whatsapp:+5215512345678", "whatsapp:+525512345678"),
        ("+525512345678", "+5215512345678"),
        ("+551132345678", None),  # a landline has no ninth digit
        ("+15551234567", None),
        ("+351912345678", None),
        ("messenger:1234567890", None),
        ("+55119888877771", None),
        ("", None),
    ],
)
def test_forms_of_an_address(address: str, other: str | None) -> None:
    """Brazil's ninth digit, Argentina's 9, Mexico's 1, with and without; anything else has one form. Both ways."""
    assert forms(address) == (address, *([other] if other else []))
    if other:
        assert forms(other) == (other, address)
