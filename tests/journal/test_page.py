"""Every sentence of the log is found by searching `docs/`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import appliance
from appliance.queue import telling
from appliance.store.news import Event

PACKAGE = Path(appliance.__file__).parent
PAGE = PACKAGE.parent / "docs" / "log.md"
LEVELS = {"debug", "info", "warning", "error", "exception"}

ENDS = ("given up", "failed, to be tried again", "put off", "apologised")  # put together where they are told
ENDS_IN = [PACKAGE / "queue" / "telling.py"] * 3 + [PACKAGE / "outbox" / "binding.py"]


def events(path: Path) -> Iterator[str]:
    """The first words of each call that writes a line, or tells one."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        whose, name = ast.unparse(node.func.value), node.func.attr
        if name in LEVELS and whose in ("log", "_log"):
            yield from (str(each.value) for each in node.args[:1] if isinstance(each, ast.Constant))
        if name == "tell" and whose in ("tx", "self._seldom"):
            words = [str(each.value) for each in node.args[:2] if isinstance(each, ast.Constant)]
            yield from (each for each in words if each not in LEVELS)


def test_every_event_is_on_the_page() -> None:
    """With what it means; nothing stands there that nobody writes."""
    rooms = [path for path in PACKAGE.rglob("*.py") if "simulator" not in path.parts]
    written = {event for path in rooms for event in events(path)}
    written |= set(telling.GIVEN_UP.values()) | set(Event) | set(ENDS)
    page = PAGE.read_text("utf-8")

    assert len(written) > 30
    assert all(f'"{end}"' in path.read_text("utf-8") for end, path in zip(ENDS, ENDS_IN, strict=True))
    assert [event for event in sorted(written) if f"`{event}`" not in page] == []
