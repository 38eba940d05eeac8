"""Opening hours as moments: over midnight, on days when the clock is changed, and where none are set."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.model import SECOND, Organization, Week
from appliance.reply.hours import Closing, closing, opens_at

SHOP: Week = (*[(("08:00", "12:00"), ("13:30", "18:00"))] * 5, (("09:00", "13:00"),), ())
BAR: Week = ((), (), (), (("20:00", "02:00"),), (("20:00", "24:00"),), (("00:00", "04:00"),), (("18:00", "18:00"),))
SAO_PAULO, LISBON = "America/Sao_Paulo", "Europe/Lisbon"


def at(text: str, zone: str = SAO_PAULO, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) * SECOND


def shop(week: Week, zone: str = SAO_PAULO) -> Organization:
    return Organization(1, "Padaria", "pt-BR", zone, hours=week)


# Thursday is 2026-12-03: at a time, since when it is closed, when it opens; None: it is open
TABLE = [
    (SHOP, "2026-12-03T07:59:59", "2026-12-02T18:00", "2026-12-03T08:00"),
    (SHOP, "2026-12-03T08:00", None, None),
    (SHOP, "2026-12-03T11:59:59", None, None),
    (SHOP, "2026-12-03T12:00", "2026-12-03T12:00", "2026-12-03T13:30"),
    (SHOP, "2026-12-03T23:00", "2026-12-03T18:00", "2026-12-04T08:00"),
    (SHOP, "2026-12-05T13:00", "2026-12-05T13:00", "2026-12-07T08:00"),
    (SHOP, "2026-12-06T12:00", "2026-12-05T13:00", "2026-12-07T08:00"),
    (BAR, "2026-12-03T19:59", "2026-11-30T18:00", "2026-12-03T20:00"),
    (BAR, "2026-12-04T01:59", None, None),
    (BAR, "2026-12-04T02:00", "2026-12-04T02:00", "2026-12-04T20:00"),
    (BAR, "2026-12-05T00:00", None, None),  # Friday's midnight is Saturday's first moment
    (BAR, "2026-12-05T04:00", "2026-12-05T04:00", "2026-12-06T18:00"),
    (BAR, "2026-12-07T17:59", None, None),  # all around the clock
    (((("00:00", "24:00"),),) * 7, "2026-12-07T00:00", None, None),
]


@pytest.mark.parametrize(("week", "moment", "since", "until"), TABLE)
def test_a_moment_is_open_or_closed(week: Week, moment: str, since: str | None, until: str | None) -> None:
    """From a day's first time on, up to its last; a closing reaches over as many days as nobody opens."""
    found = closing(shop(week), at(moment))

    assert found == (Closing(at(since), at(until)) if since and until else None)
    assert opens_at(shop(week), at(moment)) == (at(until) if until else None)


def test_without_hours_it_is_always_open() -> None:
    """They are off until somebody sets them; a week of closed days is no week."""
    assert closing(shop(()), at("2026-12-06T03:00")) is None
    assert closing(shop(((),) * 7), at("2026-12-06T03:00")) is None


EVERY_DAY: Week = ((("08:00", "18:00"),),) * 7
NIGHTS: Week = ((("22:00", "01:30"),),) * 7
LATE: Week = ((("08:00", "23:30"),),) * 7
EARLY: Week = ((("00:00", "06:00"),),) * 7
CHANGES = [
    # São Paulo set its clock forward at midnight (00:00 was 01:00) and back at midnight (24:00 was 23:00).
    (EVERY_DAY, SAO_PAULO, "2018-11-03T20:00", ("2018-11-03T18:00", 0), ("2018-11-04T08:00", 0)),
    (EVERY_DAY, SAO_PAULO, "2018-02-17T20:00", ("2018-02-17T18:00", 0), ("2018-02-18T08:00", 0)),
    (EARLY, SAO_PAULO, "2018-11-03T20:00", ("2018-11-03T06:00", 0), ("2018-11-04T01:00", 0)),
    (LATE, SAO_PAULO, "2018-02-18T03:00", ("2018-02-17T23:30", 1), ("2018-02-18T08:00", 0)),
    # Lisbon: 01:00 is 02:00 on 29 March, 02:00 is 01:00 on 25 October.
    (EVERY_DAY, LISBON, "2026-03-28T20:00", ("2026-03-28T18:00", 0), ("2026-03-29T08:00", 0)),
    (EVERY_DAY, LISBON, "2026-10-24T20:00", ("2026-10-24T18:00", 0), ("2026-10-25T08:00", 0)),
    (NIGHTS, LISBON, "2026-03-29T12:00", ("2026-03-29T02:30", 0), ("2026-03-29T22:00", 0)),
    (NIGHTS, LISBON, "2026-10-25T12:00", ("2026-10-25T01:30", 1), ("2026-10-25T22:00", 0)),
]


@pytest.mark.parametrize(("week", "zone", "moment", "since", "until"), CHANGES)
def test_the_clock_on_the_wall_counts(
    week: Week, zone: str, moment: str, since: tuple[str, int], until: tuple[str, int]
) -> None:
    """The shop opens at eight whatever the clock did at night: its hours are not moved by a change, its closing is an
    hour shorter or longer; to a time that comes twice it is open until the second.
    """
    found = closing(shop(week, zone), at(moment, zone))

    assert found == Closing(at(since[0], zone, since[1]), at(until[0], zone, until[1]))


def test_a_change_makes_the_night_shorter() -> None:
    """In hours that really pass."""
    found = closing(shop(EVERY_DAY, LISBON), at("2026-03-28T20:00", LISBON))

    assert found is not None
    assert found.until - found.since == 13 * 3_600 * SECOND
