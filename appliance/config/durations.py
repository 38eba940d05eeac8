"""Durations as people write them in the configuration: `0`, `30s`, `15m`, `24h`, `7d`. In the code: milliseconds."""

import re

from appliance.model import HOUR, MINUTE, SECOND

DAY = 24 * HOUR
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_PATTERN = re.compile(r"([1-9][0-9]{0,8})([smhd])")


def parse_duration(text: str) -> int:
    """Milliseconds of `text`: `0`, or a whole number with its unit. Raises ValueError, which never repeats the text."""
    if text == "0":
        return 0
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError("not a duration")
    return int(match[1]) * _UNITS[match[2]]


def format_duration(milliseconds: int) -> str:
    """The text of a whole number of seconds, in the largest unit that fits; customarily `24h`, not `1d`, and `60s`."""
    if milliseconds == 0:
        return "0"
    for unit, least in (("d", 2 * DAY), ("h", HOUR), ("m", 2 * MINUTE)):
        if milliseconds >= least and milliseconds % _UNITS[unit] == 0:
            return f"{milliseconds // _UNITS[unit]}{unit}"
    return f"{milliseconds // SECOND}s"
