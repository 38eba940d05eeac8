"""Charts as SVG, made here: geometry in attributes, colours in classes. The numbers stand in a table beside each."""

from collections.abc import Sequence

from markupsafe import Markup

FIRST, LAST = 6, 22  # hours that are shown at least
_WIDTH, _HEIGHT, _BELOW = 320, 112, 20
_TOP = 4  # units left free above the highest value
_STEPS = (1, 2, 3, 5)  # a scale ends at one of these times a power of ten, or in whole minutes


def hours(shown: Sequence[int]) -> range:
    """Those of the day on the axis."""
    return range(min((FIRST, *shown)), max((LAST, *(each + 1 for each in shown))))


def bars(axis: range, received: Sequence[int], answered: Sequence[int]) -> Markup:
    """One pair for each hour of the axis, the answered in front of the received."""
    slot, top = _WIDTH / len(axis), max((1, *received))
    wide = round(slot * 0.65, 1)
    drawn = [f'<path class="c-grid" d="M0 {_HEIGHT + 0.5}H{_WIDTH}M0 {_HEIGHT / 2 + 0.5}H{_WIDTH}"/>']
    for index, pair in enumerate(zip(received, answered, strict=True)):
        x = round(index * slot + (slot - wide) / 2, 1)
        for value, kind in zip(pair, ("c-all", "c-yes"), strict=True):
            if value:
                tall = round(value / top * (_HEIGHT - _TOP), 1)
                y = round(_HEIGHT - tall, 1)
                drawn.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{wide}" height="{tall}" rx="2"/>')
    return _svg(_HEIGHT + _BELOW, [*drawn, *_labels(axis)])


def ceiling(value: float) -> int:
    """A round number of seconds that is not below a value: the end of a scale."""
    if value > 60:
        return ceiling(value / 60) * 60
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= value:
                return min(step * power, 60)
        power *= 10


def band(axis: range, half: Sequence[int | None], most: Sequence[int | None], scale: str, top: int) -> Markup:
    """A line through the lower values with a band up to the upper ones. `scale`: what its end is called."""
    slot = _WIDTH / len(axis)

    def at(index: int, value: int) -> str:
        return f"{round((index + 0.5) * slot, 1)} {round(_HEIGHT - value / top * (_HEIGHT - _TOP), 1)}"

    low = [at(index, value) for index, value in enumerate(half) if value is not None]
    high = [at(index, value) for index, value in enumerate(most) if value is not None]
    drawn = [f'<path class="c-grid" d="M0 {_HEIGHT + 0.5}H{_WIDTH}M0 {_TOP + 0.5}H{_WIDTH}"/>']
    if low:
        x, y = low[-1].split()
        drawn.append(f'<path class="c-band" d="M{"L".join([*low, *reversed(high)])}z"/>')
        drawn.append(f'<path class="c-line" d="M{"L".join(low)}"/>')
        drawn.append(f'<circle class="c-yes" cx="{x}" cy="{y}" r="3.5"/>')
    drawn.append(Markup('<text x="{}" y="16" text-anchor="end">{}</text>').format(_WIDTH, scale))
    return _svg(_HEIGHT + _BELOW, [*drawn, *_labels(axis)])


def stack(parts: Sequence[tuple[int, str]]) -> Markup:
    """One bar, divided. `parts`: number and class; those of nothing are left out."""
    shown = [(number, kind) for number, kind in parts if number]
    total, room, x, drawn = sum(number for number, _ in shown), _WIDTH - 3 * (len(shown) - 1), 0.0, []
    for number, kind in shown:
        wide = number / total * room
        drawn.append(f'<rect class="{kind}" x="{x:.1f}" y="0" width="{wide:.1f}" height="16" rx="3"/>')
        x += wide + 3
    if not shown:
        drawn.append(f'<rect class="c-back" width="{_WIDTH}" height="16" rx="3"/>')
    return _svg(16, drawn)


def _labels(axis: range) -> list[str]:
    """Every third hour, on a day of 24 every fourth."""
    slot, step = _WIDTH / len(axis), 3 if len(axis) <= LAST - FIRST else 4
    return [
        f'<text x="{round((hour - axis.start + 0.5) * slot, 1)}" y="{_HEIGHT + 17}" text-anchor="middle">{hour}</text>'
        for hour in axis
        if hour % step == 0
    ]


def score(of_100: int, *, answers: bool) -> Markup:
    """How much of what is asked a topic holds."""
    kind = "c-yes" if answers else "c-all"
    return Markup(  # noqa: S704  # numbers and classes of ours
        '<svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="c-back" width="100" height="4" rx="1"/><rect class="{kind}" width="{of_100}" height="4" rx="1"/>'
        "</svg>"
    )


def _svg(height: int, drawn: Sequence[str]) -> Markup:
    """What stands behind `<svg … `: the picture's own attributes and what is in it."""
    return Markup(f'viewBox="0 0 {_WIDTH} {height}">{"".join(drawn)}')  # noqa: S704  # numbers and classes of ours
