"""Writes tests/lab/README.md: promise, test, how to run it, and the last figures, taken from a run and never typed.

python -m tests.lab.readme [--complete] FIGURES.jsonl, where FIGURES.jsonl is what a run with LAB_FIGURES left.
Exit status 1 and a sentence where a figure belongs to no promise, or, with --complete, where a promise has no figure, or
a figure comes from a test that failed or from no test of its promise.
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab.promises import ALL, ALSO, GUARDS, PROMISES, Promise
from tests.lab.simulation import controls as of_the_simulation
from tests.support import controls as of_the_tests

PLACE = Path(__file__).with_name("README.md")
ROOT = Path(__file__).parents[2]
RUN = ".venv/bin/python -m pytest"
HEAD = """\
# The laboratory

What the appliance promises about losing and repeating messages, the test behind each promise, and the figures of the
last run. This page is made from a run's figures by `lab.readme`; nothing here is typed by hand.

| | |
|---|---|
| the short form of everything, minutes | `make test` |
| the long form, hours; it writes this page | `make torture` |
| one promise in its long form | the command in its row |
| other days by chance, and how many crashes | `LAB_SEED=5000 LAB_CRASH_POINTS=100000 {run} {by_chance}` |
| one day of the simulation, crash by crash | `.venv/bin/python -m tests.lab.simulation SEED POINT POINT` |

A failure of the simulation prints SEED and its crash points. Some tests want Debian's packages `gcc` and `strace`, or
root for a small disk of their own; without them they are skipped and say so.
"""
CONTROLS = """
## Negative controls

A test that passes on a broken product proves nothing. So guards are taken away one at a time, and each time a test must
notice it and say what it broke: in the simulation `{run} {simulation}`, which names the days, in the other tests
`{run} tests/test_controls.py`, and where a test is named with its directory, that one by itself.
"""
Entry = dict[str, Any]


def read(path: Path) -> list[Entry]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def owner(name: str) -> Promise | None:
    """The promise with the longest beginning of a figure's name."""
    fitting = [(len(start), promise) for promise in ALL for start in promise.figures if name.startswith(start)]
    return max(fitting, key=lambda found: found[0])[1] if fitting else None


def faults(entries: Sequence[Entry], *, complete: bool) -> list[str]:
    """Sentences: what keeps the page from being true."""
    owners = {entry["name"]: owner(entry["name"]) for entry in entries}
    found = [f"The figure {name!r} belongs to no promise." for name, promise in owners.items() if promise is None]
    if not complete:
        return found
    found += [f"No figure in this run for: {promise.words}." for promise in ALL if promise not in owners.values()]
    return found + [fault for entry in entries if (fault := _unproven(entry, owners[entry["name"]]))]


def _unproven(entry: Entry, promise: Promise | None) -> str:
    """Why a figure is no evidence for its promise, or nothing."""
    test = entry["test"]
    if entry["outcome"] != "passed":
        return f"The figure {entry['name']!r} is of a test that {entry['outcome']}: {test}."
    if not _exists(test) or (promise and not test.startswith(promise.test)):
        return f"The figure {entry['name']!r} is of no test of its promise: {test}."
    return ""


def _exists(test: str) -> bool:
    """Whether a test id names a file and a function in it."""
    found = re.fullmatch(r"(tests/[\w/]+\.py)::(test_\w+)(\[.*\])?", test)
    place = ROOT / (found[1] if found else "nowhere")
    return found is not None and place.exists() and f"def {found[2]}(" in place.read_text("utf-8")


def page(entries: Sequence[Entry]) -> str:
    by_chance = next(promise.test for promise in ALL if "simulation by chance" in promise.figures)
    parts = [HEAD.format(run=RUN, by_chance=by_chance), _facts([entry["run"] for entry in entries])]
    for section, promises in PROMISES.items():
        parts.append(f"\n## {section}\n\n| promise | test | the last run |\n|---|---|---|\n")
        parts += [row(promise, [entry for entry in entries if owner(entry["name"]) is promise]) for promise in promises]
    return "".join([*parts, _controls()])


def row(promise: Promise, entries: Sequence[Entry]) -> str:
    told = "<br>".join(words(entry, promise) for entry in entries) or "not in this run"
    times = {entry["test"]: entry["seconds"] for entry in entries if entry["seconds"] is not None}
    took = f"<br>*{sum(times.values())} s*" if times else ""
    command = " ".join([*(f"{name}={value}" for name, value in promise.settings.items()), RUN, promise.test])
    return f"| {promise.words} | `{command}` | {told}{took} |\n"


def words(entry: Entry, promise: Promise) -> str:
    told = ", ".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in entry["figures"].items())
    several = len(promise.figures) > 1 or entry["name"] not in promise.figures
    failed = "" if entry["outcome"] == "passed" else f"**the test {entry['outcome']}**, "
    return failed + (f"**{entry['name']}**: {told}" if several else told)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _facts(runs: Sequence[Entry]) -> str:
    if not runs:
        return "\nThere was no run yet.\n"
    last = max(runs, key=lambda run: str(run["date"]))
    settings = {name: value for run in runs for name, value in run["settings"].items()}
    form = " ".join(f"`{name}={value}`" for name, value in settings.items()) or "the short form"
    return (
        f"\nThe last run: {last['date']}, Python {last['python']}, SQLite {last['sqlite']}; {last['machine']}. "
        f"Settings: {form}.\n"
    )


def _controls() -> str:
    simulation = next(promise.test for promise in ALL if "controls" in promise.figures)
    rows = "".join(f"| {guard} | {_days(guard)} | {_tests(guard)} |\n" for guard in _guards())
    table = "| the product without its guard | noticed in the simulation's days, as | noticed by |\n|---|---|---|\n"
    return f"{CONTROLS.format(run=RUN, simulation=simulation)}\n{table}{rows}"


def _guards() -> list[str]:
    """Those that were asked for, then our own."""
    simulated = [control.name for control in of_the_simulation.CONTROLS]
    return list(dict.fromkeys([*GUARDS, *simulated, *(control.name for control in of_the_tests.CONTROLS)]))


def _days(guard: str) -> str:
    found = [control for control in of_the_simulation.CONTROLS if control.name == guard]
    return "; ".join(f"{', '.join(one.scenarios)}, as {one.because.partition(':')[0]}" for one in found) or "–"


def _tests(guard: str) -> str:
    found = [control.scenario for control in of_the_tests.CONTROLS if control.name == guard]
    names = [f"`{scenario.__module__.replace('.', '/')}.py::{scenario.__name__}`" for scenario in found]
    return ", ".join([*names, *(f"`{test}`" for name, test in ALSO.items() if name == guard)]) or "–"


def main(*arguments: str) -> None:
    *options, path = arguments
    entries = read(Path(path))
    if found := faults(entries, complete="--complete" in options):
        sys.exit("\n".join(found))
    PLACE.write_text(page(entries), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
