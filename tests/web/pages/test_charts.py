"""Charts as numbers: whatever the day was, the picture stays in its frame and its scale is round."""

import re

import pytest

from appliance.web.pages import charts


@pytest.mark.parametrize(
    ("value", "end"), [(1, 1), (6, 10), (19, 20), (26, 30), (31, 50), (59, 60), (61, 120), (600, 600), (3_700, 7_200)]
)
def test_a_scale_ends_at_a_round_number(value: int, end: int) -> None:
    """Of seconds, minutes, or hours; never below the value."""
    assert charts.ceiling(value) == end


@pytest.mark.parametrize(
    ("shown", "axis"), [([], (6, 22)), ([9, 12], (6, 22)), ([0], (0, 22)), ([23], (6, 24)), ([2, 23], (2, 24))]
)
def test_the_axis_has_every_hour_of_the_day_that_had_messages(shown: list[int], axis: tuple[int, int]) -> None:
    """At least the hours of a shop."""
    assert charts.hours(shown) == range(*axis)


@pytest.mark.parametrize("axis", [range(6, 22), range(24)])
@pytest.mark.parametrize("most", [0, 1, 7, 100_000])
def test_everything_is_drawn_within_the_frame(axis: range, most: int) -> None:
    """Bars, band and labels; without any style, and with every hour in its place."""
    values = [most if hour % 2 else most // 2 for hour in axis]
    gaps = [value or None for value in values]
    drawn = [charts.bars(axis, values, values), charts.band(axis, gaps, gaps, "1 h", max(most, 1))]

    for picture in drawn:
        assert "style" not in picture
        for kind, number in re.findall(r'\b(x|y|cx|cy|height|width)="(-?[0-9.]+)"', picture):
            assert 0 <= float(number) <= (320 if kind in ("x", "cx", "width") else 132), (kind, number)
        for x, y in re.findall(r"[ML]([0-9.-]+) ([0-9.-]+)", picture.replace("H320", "")):
            assert 0 <= float(x) <= 320 and 0 <= float(y) <= 113
    assert drawn[0].count("<rect") == 2 * sum(map(bool, values))


@pytest.mark.parametrize("parts", [[], [(0, "c-yes")], [(1, "c-yes")], [(24, "c-yes"), (0, "c-2"), (1, "c-bad")]])
def test_a_divided_bar_fills_its_width(parts: list[tuple[int, str]]) -> None:
    """What is nothing has no piece; of nothing at all an empty bar is left."""
    picture = charts.stack(parts)
    wide = [float(each) for each in re.findall(r' width="([0-9.]+)"', picture)]

    assert len(wide) == max(1, sum(bool(number) for number, _ in parts))
    assert sum(wide) + 3 * (len(wide) - 1) == pytest.approx(320, abs=0.2)
