"""The laboratory's page: complete, true to the run it is made from, and not stale."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import figures, readme
from tests.lab.promises import ALL, ALSO, GUARDS, PROMISES, Promise

ROOT = Path(__file__).parents[2]
TWO_TESTS = """
from tests.lab.figures import record

def test_bad():
    record("bad", n=1)
    assert False

def test_good():
    record("good", n=2)
"""


def test_the_page_has_a_row_for_every_promise() -> None:
    """What is committed has today's sections, promises, tests and settings; the figures are a run's own."""
    written = readme.PLACE.read_text("utf-8")
    rows = [re.split(r" \| ", readme.row(promise, []))[:2] for promise in ALL]

    assert [section for section in PROMISES if f"## {section}\n" not in written] == []
    assert [words for words, command in rows if f"{words} | {command} | " not in written] == []


@pytest.mark.parametrize("promise", ALL, ids=lambda promise: promise.figures[0])
def test_the_tests_it_names_exist(promise: Promise) -> None:
    """The file, the function in it, and a record of these figures."""
    file, _, function = promise.test.partition("::")
    source = (ROOT / file).read_text("utf-8")
    tests = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    bodies = [ast.get_source_segment(source, test) or "" for test in tests if test.name == function or not function]
    recorded = [name for body in bodies for name in re.findall(r'record\w*\(\s*f?"([^"]+)"', body)]

    assert bodies != []
    assert [name for name in promise.figures if not any(said.startswith(name) for said in recorded)] == []


def test_every_guard_that_was_asked_for_is_taken_away_somewhere() -> None:
    """The page says of each of the fourteen where it is noticed, and the tests that it names are there."""
    rows = readme.page([]).partition("## Negative controls")[2].splitlines()

    assert [guard for guard in GUARDS if f"| {guard} | – | – |" in rows] == []
    assert [guard for guard in GUARDS if not any(row.startswith(f"| {guard} | ") for row in rows)] == []
    assert [test for test in ALSO.values() if not readme._exists(test)] == []


def test_the_long_form_sets_what_the_rows_say() -> None:
    """`make torture` and the commands of the page do the same."""
    recipe = (ROOT / "Makefile").read_text("utf-8")
    settings = {f"{name}={value}" for promise in ALL for name, value in promise.settings.items()}

    assert {word for word in recipe.split() if re.match(r"LAB_(?!FIGURES)", word)} == settings


def test_a_figure_without_a_promise_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test records and the page would not show; and, if asked, a promise that was not tested."""
    monkeypatch.setenv(figures.FIGURES, str(tmp_path / "figures"))
    test = next(promise.test for promise in ALL if "simulation by chance" in promise.figures)
    figures.record("simulation by chance", crash_points=12)
    figures.keep(test, "passed", 1)
    entries = readme.read(tmp_path / "figures")
    assert readme.faults(entries, complete=False) == []
    assert len(readme.faults(entries, complete=True)) == len(ALL) - 1
    assert "crash points 12" in readme.page(entries)

    figures.record("weather", rain=1)
    figures.keep(test, "passed", 1)
    with pytest.raises(SystemExit, match="'weather' belongs to no promise"):
        readme.main(str(tmp_path / "figures"))


@pytest.mark.parametrize(
    ("test", "outcome", "fault"),
    [
        ("tests/lab/test_simulation.py::test_crashes_of_recoveries_by_chance", "failed", "of a test that failed"),
        ("tests/lab/test_simulation.py::test_crashes_of_recoveries_by_chance (again)", "passed", "of no test"),
        ("tests/lab/test_simulation.py::test_that_was_never_written", "passed", "of no test"),
        ("tests/lab/test_order.py::test_deliveries_and_order", "passed", "of no test of its promise"),
    ],
)
def test_a_figure_without_a_passed_test_is_refused(test: str, outcome: str, fault: str) -> None:
    """What a failed run measured, and what somebody added by hand, does not come onto the page of a complete run."""
    run = {"date": "", "python": "", "sqlite": "", "machine": "", "settings": {}}
    entry = {"name": "simulation by chance", "figures": {}, "test": test, "outcome": outcome, "seconds": 1, "run": run}

    assert any(fault in said for said in readme.faults([entry], complete=True))


def test_what_a_test_records_is_kept_with_its_outcome(tmp_path: Path) -> None:
    """A failed and a passed test of a run: each figure with how its own test ended."""
    (tmp_path / "conftest.py").write_text("from tests.lab.figures import kept\n")
    (tmp_path / "test_two.py").write_text(TWO_TESTS)
    environ = os.environ | {"PYTHONPATH": str(ROOT), figures.FIGURES: str(tmp_path / "figures")}
    subprocess.run([sys.executable, "-m", "pytest", "-qq"], cwd=tmp_path, env=environ, check=False, capture_output=True)

    entries = readme.read(tmp_path / "figures")
    assert [(entry["name"], entry["outcome"]) for entry in entries] == [("bad", "failed"), ("good", "passed")]
