"""What a laboratory run came to: one line to read, one JSON line for the README that is made from the run."""

import json
import os
import platform
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

FIGURES = "LAB_FIGURES"  # names the file; without it nothing is kept
_begun: dict[str, float] = {}  # test → when


def begin(test: str) -> None:
    """A test begins; what it records says how long it took."""
    _begun[test] = time.monotonic()


def record(name: str, **figures: float | str) -> None:
    """Print a test's figures and append them to the file that LAB_FIGURES names."""
    words = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures.items())
    print(f"LAB {name}: {words}")
    if place := os.environ.get(FIGURES):
        test = os.environ.get("PYTEST_CURRENT_TEST", "").removesuffix(" (call)")
        seconds = round(time.monotonic() - _begun[test]) if test in _begun else None
        line = {"name": name, "figures": figures, "test": test, "seconds": seconds, "run": _run()}
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


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
