"""What a laboratory run came to: one line to read, one JSON line for the README that is made from the run."""

import json
import os
from pathlib import Path


def record(name: str, **figures: float | str) -> None:
    """Print a test's figures and append them to the file that LAB_FIGURES names."""
    words = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures.items())
    print(f"LAB {name}: {words}")
    if place := os.environ.get("LAB_FIGURES"):
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, **figures}, ensure_ascii=False) + "\n")
