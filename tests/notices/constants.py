"""The sentences that a module has as its constants."""

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType


def constants(module: ModuleType) -> Iterator[str | tuple[str, str]]:
    """Of each public constant that the module itself makes of strings; the two of a plural as a pair."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            value = getattr(module, name)
            if name.isupper() and not name.startswith("_"):
                yield from _sentences(value)


def _sentences(value: object) -> Iterator[str | tuple[str, str]]:
    match value:
        case str():
            yield value
        case dict():
            yield from value.values()
        case (str() as one, str() as several) if "{count}" in one:
            yield one, several
        case tuple():
            yield from value
