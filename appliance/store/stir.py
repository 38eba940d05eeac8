"""Which organizations a batch of units changed something of, for whoever has a page open; nothing while nobody has.

Temporary triggers on the writer's connection note it, so that no unit of work has to know of pages.
"""

import sqlite3

BOX = 0  # instead of an organization: something of the box itself
_OF_CHANNEL = "(SELECT organization_id FROM channels WHERE id = {row}.channel_id)"
_OF_CONTACT = (
    "(SELECT ch.organization_id FROM contacts c JOIN channels ch ON ch.id = c.channel_id WHERE c.id = {row}.contact_id)"
)
_OWN = "{row}.organization_id"
_WHOSE = {
    "messages": _OWN,
    "outbox": _OWN,
    "conversations": _OWN,
    "cards": _OWN,
    "pauses": _OWN,
    "knowledge": _OWN,
    "texts": _OWN,
    "unanswered": _OWN,
    "statements": _OWN,
    "users": _OWN,
    "contacts": _OF_CHANNEL,
    "handover_events": _OF_CONTACT,
    "organizations": "{row}.id",
    "orphaned_messages": str(BOX),
}
# What is the box's and yet concerns all.
_EVERYBODYS = {"pauses": "UNION SELECT id FROM organizations WHERE {row}.organization_id IS NULL"}
_ROWS = {"INSERT": "new", "UPDATE": "new", "DELETE": "old"}


def begin(connection: sqlite3.Connection) -> None:
    # Without a key: the conflict clause of an upsert holds for its triggers too, and OR IGNORE would not be heeded.
    connection.execute("CREATE TEMP TABLE stirred (organization_id INTEGER)")
    for table, whose in _WHOSE.items():
        for change, row in _ROWS.items():
            also = _EVERYBODYS.get(table, "").format(row=row)
            connection.execute(  # names and expressions are literals of this module
                f"CREATE TEMP TRIGGER stir_{table}_{change.lower()} AFTER {change} ON main.{table} BEGIN "
                f"INSERT INTO stirred SELECT coalesce({whose.format(row=row)}, {BOX}) {also}; END"
            )


def end(connection: sqlite3.Connection) -> None:
    for table in _WHOSE:
        for change in _ROWS:
            connection.execute(f"DROP TRIGGER IF EXISTS temp.stir_{table}_{change.lower()}")
    connection.execute("DROP TABLE IF EXISTS temp.stirred")


def take(connection: sqlite3.Connection) -> frozenset[int]:
    """The organizations since the last call."""
    rows = connection.execute("SELECT DISTINCT organization_id FROM temp.stirred").fetchall()
    if rows:
        connection.execute("DELETE FROM temp.stirred")
    return frozenset(row[0] for row in rows)
