"""What the log says of a world, as it is written: each line a mapping."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import structlog

from appliance.logs import configure
from tests.support import logging_state

Line = dict[str, Any]


class Log:
    """`text`: since the last clear()."""

    def __init__(self) -> None:
        self._stream = io.StringIO()

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[Line]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str, **facts: Any) -> list[Line]:
        return [each for each in self.lines if each["event"] == event and facts.items() <= each.items()]

    @property
    def alarms(self) -> list[Line]:
        return [each for each in self.lines if each["level"] in ("warning", "error")]

    def clear(self) -> None:
        self._stream.seek(0)
        self._stream.truncate()

    @contextmanager
    def written(self, level: Literal["debug", "info"]) -> Iterator["Log"]:
        """What the process would write at this level."""
        with logging_state.given_back():
            standard_error, sys.stderr = sys.stderr, self._stream
            try:
                configure(level, "json")
                yield self
            finally:
                sys.stderr = standard_error


@contextmanager
def unmasked() -> Iterator[list[Line]]:
    """Every event as it is told, before the net that masks what must not be in it."""
    found: list[Line] = []

    def take(_logger: object, _method: str, event: Line) -> Line:
        found.append(event)
        raise structlog.DropEvent

    processors: list[Callable[..., Any]] = [take]
    with logging_state.given_back():
        structlog.configure(processors=processors, wrapper_class=structlog.make_filtering_bound_logger("debug"))
        yield found
