"""Facts about the box that must survive it, each under its one name."""

from enum import StrEnum

from appliance.model import MAIN
from appliance.store.sql import Sql


class Fact(StrEnum):
    """Times are ms UTC, as text."""

    RUN = "run"  # how often the appliance has started on this database
    BOOT_ID = "boot_id"  # the kernel's, at the last start: another one means that the power went
    OPENED_AT = "opened_at"
    STOPPED_AT = "stopped_at"  # not there while it runs, nor where it did not stop by itself
    PROBE = "probe"  # written and removed again, to see whether there is space
    BACKUP_AT = "backup_at"  # the last daily copy
    RESTORED_AT = "restored_at"  # a copy was put in place, and the account's log has not told what it does not know
    LOST_SINCE = "lost_since"  # when the copy was taken that was put in place last; …
    LOST_UNTIL = "lost_until"  # … and when it was: what the lost box did between them is not known here
    CLOCK_SET_AT = "clock_set_at"  # times from before do not tell how long ago something was
    CLOCK_AHEAD = "clock_ahead"  # of Twilio's, when its log was last read; milliseconds
    OUTAGE_SINCE = "outage_since"  # empty while there is a way out
    LOG_UNREADABLE_SINCE = "log_unreadable_since"  # of an account
    ACCOUNT_OF = "account_of"  # by a sid of Twilio's: our account; what older rows say is told by it
    FOLLOWED_UP_TO = "followed_up_to"  # the outbox row up to which nothing is left to ask an account


class Box:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def get(self, fact: Fact, account: str = MAIN) -> str | None:
        value: str | None = self._sql.value("SELECT value FROM box WHERE key = ?", _key(fact, account))
        return value

    def number(self, fact: Fact, account: str = MAIN) -> int | None:
        """A fact that is a number; None where it is not known, or empty."""
        return int(value) if (value := self.get(fact, account)) else None

    def accounts(self, fact: Fact) -> list[str]:
        """The accounts of which a fact is known."""
        rows = self._sql.all("SELECT key FROM box WHERE key = ? OR key GLOB ? ORDER BY key", fact, f"{fact}:*")
        return [row["key"].partition(":")[2] or MAIN for row in rows]

    def remove(self, fact: Fact, account: str = MAIN) -> None:
        self._sql.run("DELETE FROM box WHERE key = ?", _key(fact, account))

    def put(self, fact: Fact, value: str | int, account: str = MAIN) -> None:
        self._sql.run(
            "INSERT INTO box (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            _key(fact, account),
            str(value),
        )


def _key(fact: Fact, account: str) -> str:
    """Older files know one account."""
    return fact if account == MAIN else f"{fact}:{account}"
