"""Every statement about a clock that was wrong. Which is run when, and why, is told in `timekeeping`."""

from dataclasses import dataclass

from appliance.store.outbox import UNSETTLED
from appliance.store.sql import Sql

NEWEST = 100  # so many jobs tell the latest time


@dataclass(frozen=True, slots=True)
class Rows:
    """The last job and the last outbox row of the runs before this one, whose clock may have been right."""

    job: int = 0
    outbox: int = 0


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock was set.

    `step`: by how many ms, negative where it went back. `since`: what was written from then on (ms UTC, by the new
    time) was written after it. `before`: what earlier runs wrote. `patience`: ms that deadlines get anew.
    """

    step: int
    since: int
    before: Rows
    patience: int


class Times:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def rows(self) -> Rows:
        newest = (self._sql.value(f"SELECT coalesce(max(id), 0) FROM {table}") for table in ("message_queue", "outbox"))  # noqa: S608
        return Rows(*newest)

    def last_written(self) -> int:
        """The latest time at which one of the newest jobs was made (ms UTC); 0 where there is none."""
        newest = "SELECT created_at FROM message_queue ORDER BY id DESC LIMIT ?"
        return int(self._sql.value(f"SELECT coalesce(max(created_at), 0) FROM ({newest})", NEWEST))  # noqa: S608

    def last_worked(self) -> int:
        """When one of the newest jobs ended (ms UTC); 0 where none did. While it runs one ends every minute."""
        newest = "SELECT finished_at FROM message_queue ORDER BY id DESC LIMIT ?"
        return int(self._sql.value(f"SELECT coalesce(max(finished_at), 0) FROM ({newest})", NEWEST))  # noqa: S608

    def follow(self, jump: Jump) -> None:
        """What waits keeps its distance to the clock, and nothing is left that has not come yet."""
        self._shift_jobs(jump)
        self.shift_outbox(jump.step, jump.since, jump.before.outbox)
        self._shift_waiting(jump)
        self._sql.run(
            "UPDATE message_queue SET created_at = :now "
            "WHERE created_at > :now AND id > (SELECT max(id) - :newest FROM message_queue)",
            now=self._sql.now,
            newest=NEWEST,
        )

    def _shift_jobs(self, jump: Jump) -> None:
        """No live job from before it runs later than planned, this run's keep their age, deadlines start again."""
        self._sql.run(
            "UPDATE message_queue SET run_at = run_at + min(:step, 0), "
            "deadline_at = iif(deadline_at IS NULL, NULL, :now + :patience), "
            "created_at = min(:now, created_at + iif(id <= :last_job, 0, :step)) "
            "WHERE status IN ('ready', 'running') AND created_at NOT BETWEEN :since AND :now",
            step=jump.step,
            since=jump.since,
            now=self._sql.now,
            last_job=jump.before.job,
            patience=jump.patience,
        )

    def shift_outbox(self, step: int, since: int, last_row: int) -> None:
        """What this run wrote and is not settled yet keeps its age; rows up to `last_row` are of earlier runs.

        An attempt only moves back: where it is not known whether the old time was right, Twilio's log is searched from
        the earlier one on.
        """
        self._sql.run(
            "UPDATE outbox SET "  # noqa: S608
            "created_at = min(:now, created_at + "
            "iif(id <= :last_row OR created_at BETWEEN :since AND :now, 0, :step)), "
            "sending_at = sending_at + min(:step, 0) "
            f"WHERE {UNSETTLED} AND state <> 'parked'",
            step=step,
            since=since,
            now=self._sql.now,
            last_row=last_row,
        )
        self._sql.run(
            "UPDATE attempts SET started_at = started_at + min(:step, 0), ended_at = ended_at + min(:step, 0) "  # noqa: S608
            f"WHERE outbox_id IN (SELECT id FROM outbox WHERE {UNSETTLED} AND state <> 'parked')",
            step=step,
        )

    def _shift_waiting(self, jump: Jump) -> None:
        """WhatsApp's 24 hours of those who wait for an answer move with the clock, and so does what they wrote.

        What waits since an earlier run was heard by another clock. No pause that is over ends later than now.
        """
        self._sql.run(
            "UPDATE contacts SET last_inbound_at = last_inbound_at + :step WHERE id IN ("
            "SELECT contact_id FROM conversations WHERE status <> 'closed' AND session_key IN ("
            "SELECT lane FROM message_queue WHERE status IN ('ready', 'running') AND id > :last_job)) "
            "AND last_inbound_at NOT BETWEEN :since AND :now",
            step=jump.step,
            since=jump.since,
            now=self._sql.now,
            last_job=jump.before.job,
        )
        self._sql.run(
            "UPDATE messages SET received_at = received_at + :step "
            "WHERE reply_id IS NULL AND suppressed IS NULL AND card_id IS NULL AND conversation_id IN ("
            "SELECT id FROM conversations WHERE session_key IN ("
            "SELECT lane FROM message_queue WHERE status IN ('ready', 'running') AND id > :last_job)) "
            "AND received_at NOT BETWEEN :since AND :now",
            step=jump.step,
            since=jump.since,
            now=self._sql.now,
            last_job=jump.before.job,
        )
        self._sql.run("UPDATE pauses SET ended_at = :now WHERE ended_at > :now", now=self._sql.now)

    def predate(self, at: int) -> None:
        """Attempts that are later than now were written by a clock that ran ahead: nobody knows when they were made.

        Twilio's log is searched from `at` (ms UTC) on, and what is not there is too old to be sent again by itself.
        """
        self._sql.run(
            "UPDATE outbox SET sending_at = :at, created_at = min(created_at, :at) "  # noqa: S608
            f"WHERE {UNSETTLED} AND state IN ('sending', 'doubt') AND sending_at > :now",
            at=at,
            now=self._sql.now,
        )
        self._sql.run(
            "UPDATE attempts SET started_at = min(started_at, :at), ended_at = min(ended_at, :at) "  # noqa: S608
            f"WHERE started_at > :now AND outbox_id IN (SELECT id FROM outbox WHERE {UNSETTLED})",
            at=at,
            now=self._sql.now,
        )

    def plan_by(self, latest: int) -> None:
        """No ready job later than a time (ms UTC)."""
        self._sql.run(
            "UPDATE message_queue SET run_at = :latest WHERE status = 'ready' AND run_at > :latest", latest=latest
        )
