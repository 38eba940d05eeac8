"""The power goes at any place of a working day: what was acknowledged is there, nothing is half, nothing is sent twice.

LAB_IMAGES sets how many images are made.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.lab.figures import record as record_figures
from tests.lab.power_cut.recovery import Verdict, examine, memory
from tests.lab.power_cut.work import record

IMAGES = int(os.environ.get("LAB_IMAGES", "20000"))
LONGER = 50_000  # images from which on the day has more rounds
CONTROL_IMAGES = 600


def cut(images: int, rounds: int, seed: int = 1, **control: Any) -> Verdict:
    with tempfile.TemporaryDirectory(dir=memory()) as directory:
        return examine(record(Path(directory), rounds, **control), images, seed=seed)


def days(images: int, rounds: int) -> Verdict:
    """One day after the other, each with other tags and other cuts, until there are so many images."""
    verdict = cut(images, rounds)
    while verdict.images < images:
        verdict.add(cut(images - verdict.images, rounds, seed=verdict.images))
    return verdict


def test_nothing_is_lost_by_a_power_cut() -> None:
    """Dropped, partly kept or torn: every image recovers to what was promised, whole."""
    verdict = days(IMAGES, rounds=6 if IMAGES < LONGER else 24)

    faults = verdict.faults
    record_figures(
        "power cut",
        images=verdict.images,
        lost=faults["lost"],
        twice=faults["twice"],
        corrupt=faults["corrupt"] + faults["half"] + faults["inconsistent"] + faults["bad backup"],
    )
    assert verdict.first == {}
    assert verdict.images >= IMAGES


def test_control_weak_commits_are_caught() -> None:
    """With synchronous=NORMAL acknowledged messages are lost, and the laboratory says so."""
    verdict = cut(CONTROL_IMAGES, rounds=2, synchronous=1)

    record_figures("control synchronous=NORMAL", images=verdict.images, lost=verdict.faults["lost"])
    assert verdict.faults["lost"]


def test_control_a_post_before_the_commit_is_caught() -> None:
    """Where `sending` is not committed before the POST, a customer would get the answer twice."""
    verdict = cut(CONTROL_IMAGES, rounds=2, early_post=True)

    record_figures("control sending not committed", images=verdict.images, twice=verdict.faults["twice"])
    assert verdict.faults["twice"]
