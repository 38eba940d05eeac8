"""Facts about the box that must survive it, each under its one name."""

from enum import StrEnum

from appliance.store.sql import Sql


class Fact(StrEnum):
    """Times are ms UTC, as text."""

    RUN = "run"  # how often the appliance has started on this database
    BOOT_ID = "boot_id"  # the kernel's, at the last start: another one means that the power went
    OPENED_AT = "opened_at"
    PROBE = "probe"  # written and removed again, to see whether there is space
    BACKUP_AT = "backup_at"  # the last daily copy
    RESTORED_AT = "restored_at"  # a copy was put in place, and Twilio's log has not told yet what it does not know
    CLOCK_SET_AT = "clock_set_at"  # times from before do not tell how long ago something was
    CLOCK_AHEAD = "clock_ahead"  # of Twilio's, when its log was last read; milliseconds
    OUTAGE_SINCE = "outage_since"  # empty while there is a way out
    LOG_UNREADABLE_SINCE = "log_unreadable_since"
    FOLLOWED_UP_TO = "followed_up_to"  # the outbox row up to which nothing is left to ask


class Box:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def get(self, fact: Fact) -> str | None:
        value: str | None = self._sql.value("SELECT value FROM box WHERE key = ?", fact)
        return value

    def number(self, fact: Fact) -> int | None:
        """A fact that is a number; None where it is not known, or empty."""
        return int(value) if (value := self.get(fact)) else None

    def remove(self, fact: Fact) -> None:
        self._sql.run("DELETE FROM box WHERE key = ?", fact)

    def put(self, fact: Fact, value: str | int) -> None:
        self._sql.run(
            "INSERT INTO box (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            fact,
            str(value),
        )
