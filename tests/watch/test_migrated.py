"""Cards of a database from before they held facts."""

import sqlite3
from contextlib import closing
from pathlib import Path

from appliance.clock import SystemClock
from appliance.store import Store, database

FACTS = 11  # the step that brings them


def of_before(directory: Path) -> None:
    """A database as the version before leaves it, with open cards that are sentences."""
    with closing(sqlite3.connect(directory / database.FILE_NAME, isolation_level=None)) as connection:
        for number, script in database.migrations():
            if number < FACTS:
                connection.executescript(script)
        connection.execute(f"PRAGMA user_version = {FACTS - 1}")
        connection.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
        connection.executescript(
            """
            INSERT INTO cards (kind, subject, text, opened_at, last_at) VALUES
            ('twilio', 'account', 'Twilio does not accept the token (Twilio error 20003).', 1, 2),
            ('twilio', 'channel:1', 'Twilio takes nothing (Twilio error 21606).', 1, 2),
            ('orphan', 'account_sid:AC1', 'Unknown account.', 1, 2)
            """
        )


async def test_an_update_keeps_what_is_open_and_tells_nobody_anew(tmp_path: Path) -> None:
    """Refused credentials have a card of another kind now, so that the old one would be a second for one cause."""
    of_before(tmp_path)
    store = await Store.open(tmp_path, SystemClock())
    rows = await store.read(lambda tx: tx.cards.opened(None))
    untold = await store.read(lambda tx: tx.cards.untold_in_the_box())
    await store.close()

    assert [(row["kind"], row["subject"]) for row in rows] == [("stranger", "account_sid:AC1"), ("twilio", "channel:1")]
    assert untold == []
