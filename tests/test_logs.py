"""The log: one event is one line, and what must not be in it is not."""

import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.logs import configure
from appliance.printable import escaped
from tests.support import logging_state

TOKEN = "0123456789abcdef0123456789abcdef"
BREAKS = "\r\n\0\x0b\x0c\x1b[31m\x1c\x85\u2028\u2029\u202e\ud800\x7f\x9b"
hostile = st.one_of(st.text(), st.text(alphabet=BREAKS + "ab=\" '"), st.binary().map(repr))
values = st.recursive(
    st.one_of(hostile, st.none(), st.booleans(), st.integers(), st.floats(), st.binary()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(hostile, st.integers()), inner)),
    max_leaves=8,
)
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Unprintable:
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.fixture(autouse=True)
def own_configuration(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give structlog, logging and warnings back as they were."""
    with logging_state.given_back():
        monkeypatch.delenv("JOURNAL_STREAM", raising=False)
        yield


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """What was written since the last call, cut where any reader would cut."""

    def read() -> list[str]:
        text = capsys.readouterr().err
        assert not text or text.endswith("\n")
        return text[:-1].splitlines() if text else []

    return read


def log() -> Any:
    return structlog.get_logger()


@many
@given(event=hostile, value=values)
@pytest.mark.parametrize("form", ["json", "console"])
def test_one_event_is_one_line(form: Any, event: str, value: object, lines: Callable[[], list[str]]) -> None:
    """Nothing in an event's text or values can begin a second line or reach a terminal raw."""
    configure("info", form)

    log().info(event, value=value)

    (line,) = lines()
    assert line.isprintable() or "\u200d" in line or "\x7f" in line


@many
@given(event=hostile, value=values)
def test_every_json_line_can_be_parsed(event: str, value: object, lines: Callable[[], list[str]]) -> None:
    """A collector reads back an object with the event and its level."""
    configure("info", "json")

    log().warning(event, value=value)

    assert json.loads(lines()[0]).keys() == {"event", "level", "timestamp", "value"}


def test_a_value_without_a_text_is_named_by_its_type(lines: Callable[[], list[str]]) -> None:
    """A broken `__str__` must not break the caller."""
    configure("info", "json")

    log().info("odd", value=Unprintable())

    assert json.loads(lines()[0])["value"] == "<Unprintable>"


@pytest.mark.parametrize(
    "number",
    [
        "+5511988887777",
        "whatsapp:+5511988887777",
        "whatsapp:5511988887777",
        "+55 (11) 98888-7777",
        "To=%2B5511988887777&",
        "whatsapp%3A%2B5511988887777",
    ],
)
@pytest.mark.parametrize("form", ["json", "console"])
def test_numbers_are_masked(form: Any, number: str, lines: Callable[[], list[str]]) -> None:
    """At most the last four digits of a customer's number are left, wherever it stands."""
    configure("info", form)

    log().info(f"for {number}", contact=number, nested={"to": [number], number: 1})

    (line,) = lines()
    assert "98888" not in line
    assert line.count("7777") == 4


def test_ids_and_times_are_left_alone(lines: Callable[[], list[str]]) -> None:
    """A sid, milliseconds and a dated text are no phone numbers."""
    configure("info", "json")

    log().info("sent", sid="SM01234567890123456789012345678901", at=1_800_000_000_000, day="2026-11-20")

    told = json.loads(lines()[0])
    assert (told["sid"], told["at"]) == ("SM01234567890123456789012345678901", 1_800_000_000_000)
    assert told["day"] == "2026-11-20"


def test_secrets_are_masked_and_short_ones_do_not_blacken_words(lines: Callable[[], list[str]]) -> None:
    """A token never appears; an AI key of one letter, as local servers want it, changes nothing."""
    configure("info", "json", [TOKEN, "a"])

    log().info("call", url=f"https://example.com/?t={TOKEN}", part="main")

    told = json.loads(lines()[0])
    assert told["url"] == "https://example.com/?t=…"
    assert told["part"] == "main"


def test_an_exception_is_its_types_and_places(lines: Callable[[], list[str]]) -> None:
    """No message and no locals, which may quote a customer, and the whole chain in one line."""
    configure("info", "json")
    body = "my secret\nwords"

    try:
        try:
            raise KeyError(body)
        except KeyError as error:
            raise RuntimeError(body) from error
    except RuntimeError:
        log().exception("failed")

    (line,) = lines()
    told = json.loads(line)["exception"]
    assert "secret" not in line
    assert told.startswith("RuntimeError at tests/test_logs.py:")
    assert ", after KeyError at tests/test_logs.py:" in told


def test_an_exception_group_names_its_parts(lines: Callable[[], list[str]]) -> None:
    """What several tasks raised together is told together."""
    configure("info", "json")

    log().error("failed", exc_info=ExceptionGroup("two", [ValueError("x"), OSError("y")]))

    told = json.loads(lines()[0])["exception"]
    assert told == "ExceptionGroup at unknown place [ValueError at unknown place; OSError at unknown place]"


def test_the_standard_library_joins_at_warning(lines: Callable[[], list[str]]) -> None:
    """Libraries' warnings take the same way, with the same masks; their chatter, which holds bodies, does not."""
    configure("debug", "json", [TOKEN])
    library = logging.getLogger("twilio.http_client")

    library.info("Body: hello")
    library.warning("first\nsecond %s +5511988887777", TOKEN)

    (line,) = lines()
    told = json.loads(line)
    assert told["event"] == "first\nsecond … +…7777"
    assert (told["logger"], told["level"]) == ("twilio.http_client", "warning")


def test_a_library_exception_and_a_python_warning_take_one_line_each(lines: Callable[[], list[str]]) -> None:
    """Neither prints a traceback of its own."""
    configure("info", "console")

    try:
        raise ValueError("body")
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old\nthing", stacklevel=1)

    first, second = lines()
    assert "exception=ValueError at " in first
    assert "body" not in first
    assert "old\\nthing" in second


def test_a_malformed_event_of_a_library_is_silent(lines: Callable[[], list[str]]) -> None:
    """A wrong format string in a library prints no traceback."""
    configure("info", "json")

    logging.getLogger("library").warning("%d", "no number")

    assert lines() == []


@pytest.mark.parametrize(("level", "expected"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_decides(level: Any, expected: int, lines: Callable[[], list[str]]) -> None:
    """Events below the level are not written."""
    configure(level, "json")

    for name in ("debug", "info", "warning", "error"):
        getattr(log(), name)("x")

    assert len(lines()) == expected


def test_auto_is_for_people_on_a_terminal_and_for_programs_elsewhere(
    monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[str]]
) -> None:
    """A terminal gets plain words, a file gets JSON."""
    configure("info", "auto")
    log().info("ready", run=3)
    assert json.loads(lines()[0])["run"] == 3

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure("info", "auto")
    log().info("ready", run=3)
    assert lines()[0].endswith(" info    ready run=3")


def test_the_journal_gets_no_second_timestamp(monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[str]]) -> None:
    """systemd's journal has its own times."""
    monkeypatch.setenv("JOURNAL_STREAM", "8:1234")
    configure("info", "console")

    log().info("ready")

    assert lines() == ["info    ready"]


def test_a_closed_standard_error_does_not_stop_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log nobody can read any more is no reason to fail a webhook."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure("info", "json")
    stream.close()

    log().info("into the void")
    logging.getLogger("aiohttp").error("into the void")


@many
@given(text=hostile)
def test_escaped_text_is_printable(text: str) -> None:
    """Nothing is left that moves a cursor, except the joiner that emoji need."""
    assert escaped(text).replace("\u200d", "").isprintable()
