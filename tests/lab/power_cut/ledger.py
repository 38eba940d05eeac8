"""The whole content of a database as one number: two contents are equal or they are not."""

import hashlib
import marshal
from typing import Any


def digest(connection: Any) -> bytes:
    """Of every row of every table. Works for sqlite3's and apsw's connections, before and after the migration."""
    connection.row_factory, row_factory = None, connection.row_factory
    try:
        return _digest(connection)
    finally:
        connection.row_factory = row_factory


def _digest(connection: Any) -> bytes:
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'knowledge_fts%' ORDER BY name"
    ).fetchall()
    found = hashlib.blake2b(digest_size=12)
    for (table,) in tables:
        rows = connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
        found.update(marshal.dumps((table, rows), 2))  # version 2: equal values, equal bytes
    return found.digest()
