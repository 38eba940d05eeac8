"""What a laboratory run came to: one line to read, one JSON line for the README that is made from the run.

A module whose tests record something has `kept`, which writes what a test recorded when it is known how it ended.
"""

import json
import os
import platform
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

FIGURES = "LAB_FIGURES"  # names the file; without it nothing is kept
_recorded: list[dict[str, object]] = []  # by the test that runs


@pytest.fixture(autouse=True)
def kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test's figures, with how it ended and how long it took, go to the file that LAB_FIGURES names."""
    began, failed = time.monotonic(), request.session.testsfailed
    _recorded.clear()
    yield
    outcome = "passed" if request.session.testsfailed == failed else "failed"  # pytest has counted this one already
    keep(request.node.nodeid, outcome, round(time.monotonic() - began))


def record(name: str, **figures: float | str) -> None:
    """Print a test's figures, and keep them until it has ended."""
    words = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures.items())
    print(f"LAB {name}: {words}")
    _recorded.append({"name": name, "figures": figures})


def keep(test: str, outcome: str, seconds: int) -> None:
    lines = [{**line, "test": test, "outcome": outcome, "seconds": seconds, "run": _run()} for line in _recorded]
    _recorded.clear()
    if lines and (place := os.environ.get(FIGURES)):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        file = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, text.encode())  # whole lines, although others may write to the file as well
        finally:
            os.close(file)


def _run() -> dict[str, object]:
    """When, where and with which settings."""
    settings = {key: value for key, value in os.environ.items() if key.startswith("LAB_") and key != FIGURES}
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()} {platform.release()}",
        "settings": settings,
    }


def _processor() -> str:
    place = Path("/proc/cpuinfo")
    lines = place.read_text("utf-8").splitlines() if place.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return named[0] if named else platform.machine()
