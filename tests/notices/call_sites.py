"""Finds, where they are written, the reasons that a card may come to show."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# What says a reason, by the name that is called: which argument it is, and in which files where the name has namesakes.
CALLS: dict[str, tuple[int, str]] = {
    "park": (2, "outbox operations"),
    "doubt": (2, "outbox"),
    "supersede": (2, "outbox"),
    "_withdraw": (2, "outbox"),
    "strand": (2, "outbox operations"),
    "abandon": (1, "reply"),
    "Refusal": (1, "outbox"),
    "Unavailable": (0, "reply"),
    "give_up": (1, "queue"),
    "_failed": (2, "queue"),
    "Permanent": (0, "responder"),
    "Retryable": (0, "responder"),
    "Flaw": (0, "responder"),
    "TooMuchError": (0, "twilio"),
    "Wait": (0, "privacy"),
}
# Names of arguments that are reasons wherever they are passed, and parameters whose defaults are.
KEYWORDS = ("why", "empty")
# Expressions whose values come from a place that is looked at itself, or are another program's words.
KNOWN = frozenset(
    {
        "why",  # a parameter or a fact that is handed on
        "error",
        "empty",
        "reason",
        "detail",
        "str(error)",
        "why.card",
        "wait.why",
        "found.card",
        "found.trouble.fault",
        "answer.why_empty()",
        "str(late)",
        "str(found)",  # a Trouble: its fault, and what was said in parentheses
        "str(trouble_of(error) or type(error).__name__)",
        "self._link.why or 'it does not answer'",
        "f'HTTP {self.status}' + (f': {words}' if words else '')",  # what the provider says
    }
)
OTHERS = ("HTTP ", ": ")  # what another server said


@dataclass(frozen=True, slots=True)
class Found:
    """Reasons, and the expressions of which nobody can tell which words they are."""

    reasons: set[str]
    unclear: list[str]


def found(package: Path) -> Found:
    reasons: set[str] = set()
    unclear: list[str] = []
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).parts[0]
        # Whose `why` is no card's.
        if room in ("simulator", "cli", "notices", "web") or path.name in ("lines.py", "transcript.py"):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        for scope, expression in _expressions(tree, room):
            for words in _words(expression, scope, tree):
                if isinstance(words, str):
                    reasons.add(words)
                else:
                    unclear.append(f"{path.relative_to(package)}:{words.lineno} {ast.unparse(words)}")
    return Found({words for words in reasons if words and not words.startswith(OTHERS)}, unclear)


Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Module


def _expressions(tree: ast.Module, room: str) -> Iterator[tuple[Scope, ast.expr]]:
    """Each expression that is a reason, with the function that it stands in."""
    scopes: list[Scope] = [tree]
    scopes += [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for scope in scopes:
        if not isinstance(scope, ast.Module):
            yield from ((scope, default) for default in _defaults(scope))
            if scope.name == "why_empty":
                returns = (node for node in ast.walk(scope) if isinstance(node, ast.Return) and node.value)
                yield from ((scope, node.value) for node in returns if node.value)
        for node in _own(scope):
            if isinstance(node, ast.Call):
                yield from ((scope, argument) for argument in _arguments(node, room))
            if isinstance(node, ast.Dict):  # facts that are handed on
                pairs = zip(node.keys, node.values, strict=True)
                yield from (
                    (scope, value) for key, value in pairs if isinstance(key, ast.Constant) and key.value == "why"
                )


def _own(scope: Scope) -> Iterator[ast.AST]:
    """All below it but for the functions in it, which are scopes of their own; lambdas belong to it."""
    rest: list[ast.AST] = list(ast.iter_child_nodes(scope))
    while rest:
        node = rest.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            rest.extend(ast.iter_child_nodes(node))


def _defaults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if argument.arg in KEYWORDS and default is not None:
            yield default


def _arguments(call: ast.Call, room: str) -> Iterator[ast.expr]:
    yield from (keyword.value for keyword in call.keywords if keyword.arg in KEYWORDS)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if ast.unparse(call.func).endswith("messages.give_up"):  # a namesake
        return
    if name == "Trouble" and len(call.args) > 1:  # its second part is others' words, unless they are ours
        yield from (part for part in call.args[1:] if isinstance(part, ast.Constant))
    place, rooms = CALLS.get(name, (0, ""))
    if room in rooms.split() and len(call.args) > place:
        yield call.args[place]


def _words(node: ast.expr, scope: Scope, tree: ast.Module) -> Iterator[str | ast.expr]:
    """What an expression can be: words, or itself where that cannot be told."""
    if isinstance(node, ast.Name) and (values := _assigned(node.id, scope) or _assigned(node.id, tree)):
        yield from (words for value in values for words in _words(value, scope, tree))
    elif ast.unparse(node) in KNOWN:
        yield from (str(part.value) for part in ast.walk(node) if isinstance(part, ast.Constant))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (words for part in (node.body, node.orelse) for words in _words(part, scope, tree))
    elif isinstance(node, ast.JoinedStr):
        yield _head(node) or node
    else:
        yield node


def _head(node: ast.JoinedStr) -> str | None:
    """Of "words (what others said)"."""
    first, last = (
        str(part.value) if isinstance(part, ast.Constant) else "" for part in (node.values[0], node.values[-1])
    )
    return first.partition(" (")[0] if " (" in first and last.endswith(")") else None


def _assigned(name: str, scope: Scope) -> Sequence[ast.expr]:
    return [
        node.value
        for node in _own(scope)
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets)
    ]
