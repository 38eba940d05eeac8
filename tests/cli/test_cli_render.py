"""Plain text for a terminal: aligned, cut to its width, printable."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.cli.render import columns_of, cut, moment, one_line, say_json, table, wrapped

hostile = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\x1b\x9b\r\n\t\0\u2028\u202e\u200dáé漢字👍🏽")))


@given(rows=st.lists(st.tuples(st.integers(0, 999), hostile, hostile), max_size=5))
def test_a_row_is_one_printable_line(rows: list[tuple[int, str, str]]) -> None:
    """Whatever customers wrote, a table has one line per row and one for its headings."""
    lines = list(table(["ID", "FROM", "TEXT"], rows))

    assert len(lines) == len(rows) + 1
    assert all(line.replace("\u200d", "").isprintable() for line in lines)


@given(text=hostile, columns=st.integers(1, 40))
def test_cut_text_fits(text: str, columns: int) -> None:
    """Wide characters count twice; what is whole is not touched."""
    line = one_line(text)

    shortened = cut(line, columns)

    assert columns_of(shortened) <= columns
    assert shortened == line or shortened.endswith("…")


@given(text=hostile, columns=st.integers(2, 40))
def test_wrapped_text_fits_and_is_whole(text: str, columns: int) -> None:
    """Only the blanks at which it was broken are gone."""
    line = one_line(text)

    lines = wrapped(line, columns)

    assert max(map(columns_of, lines)) <= columns
    assert "".join(lines).replace(" ", "") == line.replace(" ", "")
    assert len(lines) == 1 or columns_of(line) > columns


def test_a_whole_text_goes_on_below_its_own_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between words, and inside one that no line can hold."""
    monkeypatch.setenv("COLUMNS", "26")

    lines = list(table(["ID", "TEXT"], [[1, "what the owner has to do"], [22, "x" * 30]], whole=True))

    assert lines == [
        "ID  TEXT",
        "1   what the owner has to",
        "    do",
        "22  xxxxxxxxxxxxxxxxxxxxxx",
        "    xxxxxxxx",
    ]


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_no_terminal_gets_whole_lines(whole: bool) -> None:
    """A mail from cron, or a search through a pipe: one row is one line, with everything that it says."""
    program = (
        f"from appliance.cli.render import say, table; say(table(['ID', 'TEXT'], [[1, 'word ' * 99]], whole={whole}))"
    )
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"}

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ)

    assert said.stdout.splitlines() == ["ID  TEXT", f"1   {' '.join(['word'] * 99)}"]


def test_columns_are_aligned_and_the_last_one_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also beside characters of two columns and of none."""
    monkeypatch.setenv("COLUMNS", "34")

    lines = list(table(["ID", "TEXT", "WHY"], [[1, "漢字", "short"], [22, "cafe\u0301", "a rather long reason it is"]]))

    assert lines == [
        "ID  TEXT  WHY",
        "1   漢字  short",
        "22  cafe\u0301  a rather long reason it…",
    ]
    assert columns_of(lines[2]) == 34


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal is safe from it, a program reads the same back."""
    say_json({"body": "olá\u202e\x9b\x1b"})

    text = capsys.readouterr().out
    assert text.isascii()
    assert json.loads(text) == {"body": "olá\u202e\x9b\x1b"}


def test_a_time_that_never_was_is_empty() -> None:
    """A job may have no end yet."""
    assert moment(None) == ""
    assert len(moment(1_800_000_000_000)) == len("2027-01-15 08:00")
