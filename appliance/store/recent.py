"""What is new, found without an index of its own: rows get their ids in the order in which they come."""

import sys

from appliance.store.sql import Sql

BLOCK = 1_000  # rows; more than come late at once, as what Twilio's log tells


def first_since(sql: Sql, table: str, time: str, at: int) -> int:
    """An id from which on all rows lie whose `time` is not before `at`; costs what is new, not what there is.

    Some rows are older than their neighbours. So the ids are followed back until a whole block is older. The table and
    the expression for the time are literals of this package.
    """
    first = sys.maxsize
    while True:
        newest = f"SELECT id, {time} AS at FROM {table} WHERE id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608
        block = sql.all(f"SELECT min(id), max(at) FROM ({newest})", first, BLOCK)[0]  # noqa: S608
        if block[0] is None or block[1] < at:
            return first
        first = block[0]
