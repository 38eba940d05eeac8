"""The log: structured events on standard error, one line each, whatever is in the values.

Message bodies, tokens and full numbers are kept out of it where events are written; what is masked here is a second
net. The standard library's loggers (aiohttp, APScheduler, Twilio) join at WARNING: below it they log requests.
"""

import logging
import math
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import PurePath
from threading import Condition, Thread
from traceback import TracebackException
from typing import Any, Literal

import structlog

from appliance.printable import escaped

Event = MutableMapping[str, Any]
Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]

SHORTEST_SECRET = 8  # masking a shorter one would blacken ordinary words
MAX_FRAMES = 12  # of a traceback, the innermost
MAX_WAITING = 128 * 1024  # characters of the log that wait for their reader; a busy box writes them in some seconds
PATIENCE = 1.0  # seconds that the log's reader has at the end of the process
SELDOM = 60.0  # seconds
MOST_TOLD = 20  # different ones in that time
MAX_DEPTH = 4  # of nested values; what lies deeper is shown as text
# In URLs the + and the : of an address are percent-encoded.
_NUMBER = re.compile(r"(?i)(whatsapp(?::|%3a)(?:\+|%2b)?|\+|%2b)((?:[\s().-]{0,3}\d){7,})")


def configure(level: Level, format: Format, secrets: Iterable[str] = ()) -> None:  # noqa: A002 - the key's name
    """Send every event to standard error. `secrets` are masked wherever they appear."""
    shared: list[Any] = [structlog.stdlib.add_log_level, _exception_in_one_line, _Plain(secrets)]
    if "JOURNAL_STREAM" not in os.environ:  # the journal has its own times
        shared.append(structlog.processors.TimeStamper(fmt="iso", utc=True))
    shared.append(_head_first)
    console = format == "console" or (format == "auto" and sys.stderr.isatty())
    renderer = _console_line if console else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(_standard_error),  # type: ignore[arg-type]  # all it uses
    )
    # The standard library's loggers go the same way.
    handler = logging.StreamHandler(_standard_error)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared], processors=[remove, renderer]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a malformed event of a library must not print a traceback of many lines


class _StandardError:
    """Standard error as it is at the moment. A log that nobody can read any more must not stop the work.

    With a thread of its own nobody waits for the reader either. What does not fit into memory meanwhile is dropped and
    counted, and the log says so where the lines are missing.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._untold = 0
        self._waiting: list[str] = []
        self._size = 0
        self._changed = Condition()
        self._thread: Thread | None = None
        self._ending = False

    def write(self, line: str) -> None:
        if self._thread is None:
            with suppress(OSError, ValueError):
                sys.stderr.write(line)
            return
        with self._changed:
            if self._size + len(line) > MAX_WAITING:
                self.dropped += 1
                self._untold += 1
                return
            self._waiting.append(line)
            self._size += len(line)
            self._changed.notify()

    def flush(self) -> None:
        if self._thread is None:
            with suppress(OSError, ValueError):
                sys.stderr.flush()

    def begin(self) -> None:
        self.flush()
        self._ending = False
        self._thread = Thread(target=self._write_all, args=[sys.stderr.fileno()], name="log", daemon=True)
        self._thread.start()

    def end(self, seconds: float) -> None:
        """Let the thread write what waits, for so long at most; a reader that is still away keeps nobody."""
        assert self._thread is not None
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(seconds)
        if not self._thread.is_alive():
            self._thread = None

    def _write_all(self, descriptor: int) -> None:
        # Past sys.stderr, whose lock a thread that hangs would hold: Python aborts at its end for want of it.
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending)
                lines, untold = self._waiting, self._untold
                self._waiting, self._untold, self._size = [], 0, 0
            if untold:
                structlog.get_logger().error(f"{untold} lines of the log were dropped")
            elif not lines:
                return
            data = memoryview("".join(lines).encode(errors="backslashreplace"))
            with suppress(OSError):  # nobody can read it any more
                while data:
                    data = data[os.write(descriptor, data) :]


_standard_error = _StandardError()


@contextmanager
def unblocked() -> Iterator[None]:
    """In here nobody who logs waits for the log's reader."""
    _standard_error.begin()
    try:
        yield
    finally:
        _standard_error.end(PATIENCE)


def dropped() -> int:
    """How many lines did not fit, since the process began."""
    return _standard_error.dropped


class Seldom:
    """For what a stranger, or a full disk, can cause a thousand times: the same is told once a minute, else a step."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, ...], float] = {}

    def tell(self, level: Level, event: str, **facts: str) -> None:
        now, what = time.monotonic(), (event, *facts.values())
        self._told = {each: at for each, at in self._told.items() if now - at < SELDOM}
        is_new = what not in self._told and len(self._told) < MOST_TOLD
        if is_new:
            self._told[what] = now
        getattr(structlog.get_logger(), level if is_new else "debug")(event, **facts)


class _Plain:
    """Reduces every value to text, numbers, lists and mappings, with numbers and secrets masked."""

    def __init__(self, secrets: Iterable[str]) -> None:
        long_ones = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._hidden = re.compile("|".join(map(re.escape, long_ones))) if long_ones else None

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        # What begins with _ is the standard library's record, which its formatter takes out again.
        return {key: value if key.startswith("_") else self._plain(value) for key, value in event.items()}

    def _plain(self, value: object, depth: int = 0) -> object:
        if value is None or type(value) in {bool, int}:
            return value
        if type(value) is float and math.isfinite(value):
            return value
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            return {self._text(key): self._plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset) and depth < MAX_DEPTH:
            return [self._plain(item, depth + 1) for item in value]
        return self._text(value)

    def _text(self, value: object) -> str:
        try:
            text = str(value)
            if self._hidden is not None:
                text = self._hidden.sub("…", text)
            return _NUMBER.sub(lambda found: f"{found[1]}…{found[2][-4:]}", text)
        except Exception:  # noqa: BLE001 - a value that cannot be shown must not stop who logs it
            return f"<{type(value).__name__}>"


def _exception_in_one_line(_logger: object, _method: str, event: Event) -> Event:
    """Types and places only: an exception's message may quote what a customer wrote."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = _chain(TracebackException.from_exception(error, lookup_lines=False, compact=True))
    event.pop("stack_info", None)
    return event


def _chain(error: TracebackException) -> str:
    frames = [(PurePath(frame.filename).parts[-2:], frame) for frame in error.stack[-MAX_FRAMES:]]
    places = [f"{'/'.join(file)}:{frame.lineno} {frame.name}" for file, frame in frames]
    told = f"{error.exc_type.__qualname__} at {' > '.join(places) or 'unknown place'}" if error.exc_type else ""
    inner = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = [_chain(part) for part in error.exceptions or ()]
    return told + (f" [{'; '.join(parts)}]" if parts else "") + (f", after {_chain(inner)}" if inner else "")


def _head_first(_logger: object, _method: str, event: Event) -> Event:
    return {key: event[key] for key in ("timestamp", "level", "event") if key in event} | dict(event)


def _console_line(_logger: object, _method: str, event: Event) -> str:
    head = [event.pop("timestamp", ""), f"{event.pop('level', ''):<7}", event.pop("event", "")]
    pairs = [f"{key}={value}" for key, value in event.items()]
    return escaped(" ".join(part for part in [*map(str, head), *pairs] if part))
