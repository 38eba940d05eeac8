"""Reads the store's methods and finds those that read customers' data without saying whose.

A method reads customers' data where it gives out whole rows of a customers' table, or a statement of its own names a
personal column of one (the table of `store.personal` says which). It must then be told whose: by an organization, or by
something that belongs to one; or its name says that it is the box's.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.store.personal import OF_CUSTOMERS, Told

VIEWS = {"outgoing": "outbox", "dispositions": "messages"}
# What belongs to one organization: who has it was told it by a method that has walls.
SCOPES = {
    "organization_id", "channel_id", "contact_id", "conversation_id", "outbox_id", "reply_id", "message_ids", "job_id",
    "forgetting_id", "row_id", "sid", "sids", "lane", "session_key", "resource", "whose", "contact", "conversation",
    "message",
}  # fmt: skip
BOX = re.compile(r"(^|_)(the_)?box(_|$)")
_FROM = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")


def open_methods(store: Path) -> list[str]:
    """`file: Class.method` of each that reads customers' data and says neither."""
    found = []
    for path in sorted(store.glob("*.py")):
        for owner in ast.parse(path.read_text("utf-8")).body:
            if isinstance(owner, ast.ClassDef):
                found += [f"{path.name}: {owner.name}.{name}" for name in _open(owner)]
    return found


def _open(owner: ast.ClassDef) -> Iterator[str]:
    table = next((_text(node.value) for node in owner.body if isinstance(node, ast.Assign) and _is_table(node)), "")
    for method in owner.body:
        if not isinstance(method, ast.FunctionDef) or method.name.startswith("_"):
            continue
        arguments = {each.arg for each in [*method.args.args, *method.args.kwonlyargs]}
        if _reads(method, table) and not arguments & SCOPES and not BOX.search(method.name):
            yield method.name


def _is_table(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "table" for target in node.targets)


def _reads(method: ast.FunctionDef, table: str) -> bool:
    calls = {
        node.func.attr
        for node in ast.walk(method)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    whole = (not table or VIEWS.get(table, table) in OF_CUSTOMERS) and bool(calls & {"_select", "_find", "_sweep"})
    return whole or any(_names_personal(statement) for statement in _statements(method))


def _statements(method: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(method):
        if (
            isinstance(node, ast.Constant | ast.JoinedStr)
            and (text := _text(node))
            and text.lstrip().startswith("SELECT")
        ):
            yield text


def _text(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or "{}" for part in parts)
    return ""


def _names_personal(statement: str) -> bool:
    tables = {VIEWS.get(name, name) for name in _FROM.findall(statement)} & set(OF_CUSTOMERS)
    shown = statement.partition("SELECT")[2].partition(" FROM ")[0]
    if tables and re.search(r"(^|[\s,.])\*", shown):
        return True
    personal = {column for table in tables for column in OF_CUSTOMERS[table].named(Told.PERSONAL)}
    return bool(personal & set(re.findall(r"\w+", shown)))
