"""Follows the code while it runs: which files a message, a job, a send and a callback pass through, in their order."""

import dis
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import appliance

ROOT = Path(appliance.__file__).parent
# What every step uses, who is told of it, and the store's statements: a walk is told without them.
APART = (
    "model",
    "wire",
    "errors",
    "clock",
    "ports",
    "metrics",
    "logs",
    "printable",
    "config",
    "store",
    "journal",
    "assembly",
    "links",
)


class Walk:
    """The files that one call enters from another one, in order, until it ends: in its own task, and in the units of
    work that this task writes or reads. `files[:mark]` is what comes before the call of `until`.
    """

    def __init__(self, begin: str, until: str = "", where: Callable[[FrameType], bool] = bool) -> None:
        """`begin` and `until` are qualified names; `where` chooses among the calls of the first."""
        self.files: list[str] = []
        self.mark = 0
        self._begin, self._until, self._where = begin, until, where
        self._first: FrameType | None = None
        self._task = ContextVar("walk", default=False)  # also in the tasks that it makes
        self._units: set[CodeType] = set()
        self._seen: set[FrameType] = set()
        self._over = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        threading.setprofile(self._watch)
        sys.setprofile(self._watch)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _watch(self, frame: FrameType, event: str, _argument: Any) -> None:
        file = _file(frame.f_code)
        if not file or self._over:
            return
        if event == "return":
            self._over = frame is self._first and not _is_waiting(frame)
        elif event == "call" and frame not in self._seen:
            self._seen.add(frame)  # a coroutine that goes on later is not called again
            self._called(frame, file)

    def _called(self, frame: FrameType, file: str) -> None:
        name = frame.f_code.co_qualname
        if self._first is None and name == self._begin and self._where(frame):
            self._first = frame
            self._task.set(True)
            self.files.append(file)
        if self._first is None or not self._is_ours(frame):
            return
        if name in ("Store.write", "Store.read"):
            unit = frame.f_locals["unit"]
            self._units.add(getattr(unit, "func", unit).__code__)
        if name == self._until:
            self.mark = len(self.files)
        if not file.startswith(APART) and file != _caller(frame) and self.files[-1:] != [file]:
            self.files.append(file)

    def _is_ours(self, frame: FrameType) -> bool:
        above: FrameType | None = frame
        if threading.current_thread() is threading.main_thread():
            return self._task.get()
        while above is not None and above.f_code not in self._units:
            above = above.f_back
        return above is not None


def _is_waiting(frame: FrameType) -> bool:
    """A coroutine also "returns" whenever it waits."""
    name = dis.opname[frame.f_code.co_code[frame.f_lasti]]
    return name == "RETURN_GENERATOR" or not name.startswith("RETURN")


def _file(code: CodeType) -> str:
    """Below the package and without its ending; empty for what is not the product's."""
    path = Path(code.co_filename)
    return path.relative_to(ROOT).with_suffix("").as_posix() if path.is_relative_to(ROOT) else ""


def _caller(frame: FrameType) -> str:
    """The file of the product that called this; libraries in between do not count."""
    above = frame.f_back
    while above is not None and not _file(above.f_code):
        above = above.f_back
    return "" if above is None else _file(above.f_code)
