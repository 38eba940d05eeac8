"""Writes tests/lab/README.md: promise, test, how to run it, and the last figures, taken from a run and never typed.

python tests/lab/readme.py FIGURES.jsonl, where FIGURES is what a run with LAB_FIGURES=FIGURES.jsonl left.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
HEAD = """\
# The laboratory

What the appliance promises about losing and doubling messages, the test behind each promise, and the figures of the last
run. `make test` runs the short form of all of it, `make torture` the long form, which writes this page.

| promise | test | the last run |
|---|---|---|
"""
# (promise, test, names of its figures)
PROMISES = [
    (
        "a crash before or after any commit or HTTP step loses nothing and doubles nothing",
        "test_simulation.py",
        "simulation",
    ),
    ("the broken products of the simulation are caught", "test_simulation.py", "controls"),
    ("what was acknowledged survives a power cut at any place", "test_power_cut.py", "power cut"),
    ("the process may be killed at any system call of a message's way", "test_syscalls.py", "system calls"),
    ("a hundred contacts who wrote while the box was off get what they should", "test_missed.py", "missed"),
    ("a message delivered ten times is answered once", "test_missed.py", "deliveries"),
    ("faults of disk, files, clock and signals are survived", "test_faults.py", "fault"),
]


def figures(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def row(promise: str, test: str, name: str, known: list[dict[str, object]]) -> str:
    found = [entry for entry in known if str(entry["name"]).startswith(name)]
    told = "<br>".join(words(entry, name) for entry in found) or "not in this run"
    return f"| {promise} | `pytest tests/lab/{test}` | {told} |"


def words(entry: dict[str, object], name: str) -> str:
    label = str(entry["name"]).removeprefix(name).strip(" :")
    told = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in entry.items() if key != "name")
    return f"{label}: {told}" if label else told


def main(path: str) -> None:
    known = figures(Path(path))
    rows = [row(promise, test, name, known) for promise, test, name in PROMISES]
    (HERE / "README.md").write_text(HEAD + "\n".join(rows) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
