"""Opening hours as they are written in a terminal: `mon-fri 08:00-12:00,13:00-18:00; sat 09:00-13:00`, or `always`."""

import re

import click

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = "always"
EXAMPLE = "mon-fri 08:00-12:00,13:00-18:00; sat 09:00-13:00"
_PART = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?\s+([0-9:,\s-]+)", re.ASCII)


def read(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> list[list[list[str]]] | None:
    """Seven lists of times from and to, Monday first; none at all for `always`. Which times may be the API says."""
    if value is None:
        return None
    if value.strip().lower() == ALWAYS:
        return []
    week: list[list[list[str]]] = [[] for _ in DAYS]
    for part in filter(None, map(str.strip, value.lower().split(";"))):
        match = _PART.fullmatch(part)
        if match is None or not {match[1], match[2] or match[1]} <= set(DAYS):
            raise click.BadParameter(f'Write "{ALWAYS}", or such as "{EXAMPLE}".')
        first, last = DAYS.index(match[1]), DAYS.index(match[2] or match[1])
        for day in range(first, last + 1 if first <= last else last + 1 + len(DAYS)):
            week[day % len(DAYS)] += [each.strip().split("-") for each in match[3].split(",")]
    return week


def written(week: list[list[list[str]]]) -> str:
    """The other way round; days that follow one another with the same times are one."""
    parts: list[tuple[str, str, str]] = []
    for day, times in zip(DAYS, week, strict=False):
        text = ",".join("-".join(pair) for pair in times)
        if parts and parts[-1][2] == text:
            parts[-1] = parts[-1][0], day, text
        else:
            parts.append((day, day, text))
    named = (f"{first if first == last else f'{first}-{last}'} {text}" for first, last, text in parts if text)
    return "; ".join(named) or ALWAYS
