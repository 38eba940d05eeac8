"""The reference promises nothing that nothing does: a key that no code reads says that it is not yet in force."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.config.sections import KEYS

ROOT = Path(__file__).parents[2]
KEY = re.compile(r"#?(\w+) = ")
ALSO = {"account": "twilio"}  # each account has that section's keys, and [twilio] itself is one


def last_name(node: ast.expr) -> str:
    """The name next to the dot: `server` of `self.config.server` and of `server`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name, what it stands for): `delays = config.conversations` gives ("delays", "conversations")."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                yield from ((last_name(name), last_name(value)) for name, value in zip(names, values, strict=False))
            case ast.Assign(targets=[name]):
                yield last_name(name), last_name(node.value)


def read_in(source: str) -> set[str]:
    """The keys that a module's code reads, as `<section>.<key>`; what it only writes or mentions does not count."""
    tree = ast.parse(source)
    known = dict(aliases(tree))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            section = last_name(node.value)
            found |= {f"{name}.{node.attr}" for name in (section, known.get(section), ALSO.get(section))}
    return found & KEYS.keys()


def comments(text: str) -> dict[str, str]:
    """Per key of the reference the comment that stands before it."""
    found, section, comment = {}, "", ""
    for line in text.splitlines():
        if match := re.fullmatch(r"\[(\w+)]", line):
            section = match[1]
        elif match := KEY.match(line):
            found[f"{section}.{match[1]}"] = comment
        comment = f"{comment} {line}" if line.startswith("# ") else ""
    return found


def test_each_key_is_read_or_says_that_it_is_not() -> None:
    """Both ways: what nothing outside the configuration reads says so, and what says so is read by nothing."""
    modules = [path for path in (ROOT / "appliance").rglob("*.py") if path.parent.name != "config"]
    read = set().union(*(read_in(path.read_text("utf-8")) for path in modules))
    told = comments((ROOT / "config.example.toml").read_text("utf-8"))

    assert told.keys() == KEYS.keys()
    assert {name for name, comment in told.items() if "not yet in force" in comment.lower()} == KEYS.keys() - read


def test_what_counts_as_read() -> None:
    """A chain and a section under another name; not a text, not an assignment, not another thing's attribute."""
    assert read_in("x = config.alerts.url") == {"alerts.url"}
    assert read_in("delays = config.conversations\nuse(delays.reply_delay)") == {"conversations.reply_delay"}
    assert read_in("self._http, n = config.server, 1\nuse(self._http.listen)") == {"server.listen"}
    assert read_in("'alerts.url'\nconfig.alerts.url = 1\nuse(media.url)") == set()
