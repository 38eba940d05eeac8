"""Reads a package's imports and finds those that its table of rooms does not allow."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAZY = {"import_module", "__import__"}
SQL_MODULES = {"sqlite3", "aiosqlite"}
SQL_CALLS = {"execute", "executemany", "executescript"}
SQL = re.compile(r"\s*(SELECT|INSERT( OR \w+)? INTO|UPDATE \w+ SET|DELETE FROM|PRAGMA)\s")


Rooms = Mapping[str, Sequence[str]]
"""Room → the rooms that it may import. A room is a module or a package with all that is in it; one that stands in the
table with a longer name is a room of its own. A room may name only those that stand before it.
"""


@dataclass(frozen=True, slots=True)
class Import:
    line: int
    module: str
    name: str = ""


class Tree:
    """All modules of a package by dotted name, each with what it imports of its own package."""

    def __init__(self, directory: Path) -> None:
        self.package = directory.name
        self.sources = {self._name(directory, path): ast.parse(path.read_text("utf-8")) for path in _files(directory)}
        self.imports = {name: list(self._imports(source)) for name, source in self.sources.items()}

    def _name(self, directory: Path, path: Path) -> str:
        parts = path.relative_to(directory.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _imports(self, source: ast.Module) -> Iterator[Import]:
        """`from package import x` counts as importing the module x where there is one."""
        for node in ast.walk(source):
            for line, module, name in _imported(node):
                if module == self.package or module.startswith(self.package + "."):
                    whole = f"{module}.{name}" in self.sources
                    yield Import(line, f"{module}.{name}") if whole else Import(line, module, name)


def _files(directory: Path) -> list[Path]:
    """But for a room's `__init__.py` that only says what the room is for."""
    return [
        path
        for path in sorted(directory.rglob("*.py"))
        if path.name != "__init__.py" or path.parent == directory or len(ast.parse(path.read_text("utf-8")).body) > 1
    ]


def _imported(node: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, module and the name that is taken from it."""
    match node:
        case ast.Import(names=names):
            yield from ((node.lineno, alias.name, "") for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            yield from ((node.lineno, "." * level + (module or ""), alias.name) for alias in names)
        case ast.Call(func=ast.Name(id=function), args=[ast.Constant(value=str(module)), *_]) if function in LAZY:
            yield node.lineno, module, ""
        case ast.Call(args=[ast.Name(id=function), ast.Constant(value=str(module)), *_]) if function in LAZY:
            yield node.lineno, module, ""  # on another thread


def faults(directory: Path, rooms: Rooms, sql_room: str) -> list[str]:
    """One line per fault; empty when every arrow points down and is in the table, and the table has no others."""
    tree = Tree(directory)
    homes = {module: _home(module, tree.package, rooms) for module in tree.sources}
    found = [f"{module}: is in no room of the table" for module, home in homes.items() if home is None]
    found += _upward(rooms)
    used: set[tuple[str, str]] = set()
    for module, imports in tree.imports.items():
        found += [f"{module}:{each.line}: imports the private name {each.name}" for each in imports if _private(each)]
        for each in imports:
            room, target = homes[module], homes.get(each.module)
            if room is None or target is None or room == target:
                continue
            used.add((room, target))
            if target not in rooms[room]:
                found.append(f"{module}:{each.line}: {room} must not import {target} ({each.module})")
    allowed = [(room, target) for room, targets in rooms.items() for target in targets]
    found += [f"table: nothing in {room} imports {target}" for room, target in allowed if (room, target) not in used]
    found += [f"cycle: {' -> '.join(cycle)}" for cycle in _cycles(tree)]
    for module, source in tree.sources.items():
        if not f"{module}.".startswith(f"{tree.package}.{sql_room}."):
            found += [f"{module}:{line}: SQL outside {sql_room}" for line in _sql(source)]
        found += [f"{module}:{line}: relative import" for line in _relative(source)]
    return found


def _home(module: str, package: str, rooms: Rooms) -> str | None:
    """The room with the longest name that holds the module; the package itself is a room called after it."""
    if module == package:
        return package if package in rooms else None
    holding = [room for room in rooms if f"{module}.".startswith(f"{package}.{room}.")]
    return max(holding, key=len, default=None)


def _upward(rooms: Rooms) -> Iterator[str]:
    order = {room: number for number, room in enumerate(rooms)}
    for room, targets in rooms.items():
        yield from (
            f"table: {room} may not import {target}, which stands after it"
            for target in targets
            if order.get(target, len(order)) >= order[room]
        )


def _private(each: Import) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in (*each.module.split("."), each.name))


def _cycles(tree: Tree) -> Iterator[list[str]]:
    """One cycle for each module that can reach itself by way of its first import that leads back."""
    graph = {name: {each.module for each in imports} & tree.sources.keys() for name, imports in tree.imports.items()}
    done: set[str] = set()
    for start in graph:
        yield from _walk(start, graph, [], done)


def _walk(module: str, graph: Mapping[str, set[str]], path: list[str], done: set[str]) -> Iterator[list[str]]:
    if module in path:
        yield [*path[path.index(module) :], module]
    elif module not in done:
        for target in sorted(graph[module]):
            yield from _walk(target, graph, [*path, module], done)
        done.add(module)


def _sql(source: ast.Module) -> Iterator[int]:
    """Statements, calls that run one and use of the drivers; their errors may be known outside."""
    for node in ast.walk(source):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in SQL_CALLS:
                yield node.lineno
            case ast.Constant(value=str(text)) if SQL.match(text):
                yield node.lineno
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in SQL_MODULES:
                yield from [] if name.endswith("Error") else [node.lineno]
            case ast.ImportFrom(module=module, names=names) if module in SQL_MODULES:
                yield from (node.lineno for alias in names if not alias.name.endswith("Error"))


def _relative(source: ast.Module) -> Iterator[int]:
    return (node.lineno for node in ast.walk(source) if isinstance(node, ast.ImportFrom) and node.level)
