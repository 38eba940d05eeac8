"""The suite itself: who runs what side by side, what a skip means, and what the build of everything says at its end."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import shifts

ROOT = Path(__file__).parents[1]
SKIPPED = """
import pytest

def test_not_here():
    pytest.skip("nothing for it")

def test_counts(record_property):
    record_property("told", "counted: 3")
"""
MAKE = """#!/bin/sh
case $1 in test) status=${FIRST} words="1 failed, 2 passed in 3.14s" ;; *) status=${SECOND} words="5 passed in 0.50s" ;; esac
echo "skips fail: $FAIL_ON_SKIP"
echo "=========== $words ==========="
exit $status
"""


def test_the_longest_shifts_are_there() -> None:
    """Each is a file or a test of today, or nobody would start it first."""
    for name in shifts.LONGEST:
        file, _, function = name.partition("::")
        body = ast.parse((ROOT / file).read_text("utf-8")).body
        tests = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

        assert not function or function in tests, name


def test_a_shift_is_a_file_or_one_long_test() -> None:
    """What shares counts stays together; a test that is named by itself goes by itself, before its file."""
    long, short = (
        "tests/lab/test_power_cut.py::test_nothing_is_lost_by_a_power_cut",
        "tests/test_controls.py::test_a[x]",
    )

    assert shifts.shift(long) == long
    assert shifts.shift(short) == "tests/test_controls.py"
    assert shifts.rank(long) < shifts.rank(short)


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_skip_fails_the_run_that_asked_for_it(tmp_path: Path, processes: str) -> None:
    """In one process as in several; what a test tells comes at the end of both."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(SKIPPED)

    def run(**environment: str) -> tuple[int, str]:
        environ = {name: value for name, value in os.environ.items() if name != "FAIL_ON_SKIP"}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--numprocesses", processes],
            cwd=tmp_path,
            env=environ | {"PYTHONPATH": str(ROOT)} | environment,
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout

    status, said = run(FAIL_ON_SKIP="1")
    assert (status, "Skipped tests count as failed here" in said, "counted: 3" in said) == (1, True, True)
    status, said = run()
    assert (status, "1 passed, 1 skipped" in said, "counted: 3" in said) == (0, True, True)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (2, 0), (0, 2)])
def test_the_build_of_everything_runs_both_parts(tmp_path: Path, first: int, second: int) -> None:
    """Also after a failure of the first; the last lines are both summaries and the time, the status is the worst."""
    for name, script in (("make", MAKE), ("apt-get", "#!/bin/sh\n")):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    own = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "FIRST": str(first), "SECOND": str(second)}
    done = subprocess.run([ROOT / ".ci" / "run"], env=os.environ | own, check=False, capture_output=True, text=True)

    assert done.returncode == max(first, second)
    assert done.stdout.count("skips fail: 1") == 2
    *_, summary, of_the_rest, wall_time = done.stdout.splitlines()
    assert summary == "make test: =========== 1 failed, 2 passed in 3.14s ==========="
    assert of_the_rest == "make test-rest: =========== 5 passed in 0.50s ==========="
    assert re.fullmatch(r"Wall time: \d+ min \d+ s", wall_time)
