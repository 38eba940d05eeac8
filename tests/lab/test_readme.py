"""The laboratory's page: complete, true to the run it is made from, and not stale."""

import re
from pathlib import Path

import pytest

from lab import figures, readme
from lab.promises import ALL, PROMISES, Promise

ROOT = Path(__file__).parents[2]


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

    assert f"def {function}" in source


def test_the_long_form_sets_what_the_rows_say() -> None:
    """`make torture` and the commands of the page do the same."""
    recipe = (ROOT / "Makefile").read_text("utf-8")
    settings = {f"{name}={value}" for promise in ALL for name, value in promise.settings.items()}

    assert {word for word in recipe.split() if re.match(r"LAB_(?!FIGURES)", word)} == settings


def test_a_figure_without_a_promise_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test records and the page would not show; and, if asked, a promise that was not tested."""
    monkeypatch.setenv(figures.FIGURES, str(tmp_path / "figures"))
    figures.record("simulation by chance", crash_points=12)
    entries = readme.read(tmp_path / "figures")
    assert readme.faults(entries, complete=False) == []
    assert len(readme.faults(entries, complete=True)) == len(ALL) - 1
    assert "crash points 12" in readme.page(entries)

    figures.record("weather", rain=1)
    with pytest.raises(SystemExit, match="'weather' belongs to no promise"):
        readme.main(str(tmp_path / "figures"))
