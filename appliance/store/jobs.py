"""The queue: one table of jobs, claimed, finished and resumed by the one process that owns the file.

A lane holds at most one live job (a unique partial index). There are no leases: at start every running job belongs to
a process that is dead.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from appliance.model import NOTHING, Job, JobKind, JobStatus, OutboxMessage, Resource, channel_resource
from appliance.store.repository import Repository
from appliance.store.sql import Row

_BUT = "AND lane NOT IN (SELECT value FROM json_each(?))"
ALONE_AFTER = 2  # a conversation's job that was running in so many crashes is the only one of those next


class Jobs(Repository[Job]):
    table = "message_queue"
    type = Job

    def _load(self, row: Row) -> Job:
        values = {name: row[name] for name in self._names}
        return Job(**values | {"kind": JobKind(row["kind"]), "payload": msgspec.json.decode(row["payload"])})

    def enqueue(
        self,
        kind: JobKind,
        *,
        resource: Resource = NOTHING,
        lane: str | None = None,
        run_at: int | None = None,
        message_sid: str | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> int | None:
        """The new job's id, or None where the lane has a live job already."""
        now = self._sql.now
        return self._sql.insert_new(
            "message_queue",
            "(lane) WHERE lane IS NOT NULL AND status IN ('ready', 'running')",
            kind=kind,
            lane=lane,
            resource=resource,
            message_sid=message_sid,
            payload=msgspec.json.encode(payload or {}).decode(),
            status=JobStatus.READY,
            run_at=now if run_at is None else run_at,
            created_at=now,
        )

    def tick(self, kind: JobKind) -> int | None:
        """Enqueue a job that is nobody's conversation; None where one of its kind is live already."""
        return self.enqueue(kind, lane=f"tick:{kind}")

    def is_ticking(self, kind: JobKind) -> bool:
        """Whether a job of this kind is live."""
        return self.in_lane(f"tick:{kind}") is not None

    def hurry(self, kind: JobKind) -> None:
        """A tick, now: one that waits for a later time does not wait any longer."""
        lane = f"tick:{kind}"
        if self.enqueue(kind, lane=lane) is None:
            self._sql.run(
                "UPDATE message_queue SET run_at = min(run_at, ?) WHERE lane = ? AND status IN ('ready', 'running') "
                "AND status = 'ready'",
                self._sql.now,
                lane,
            )

    def send(self, row: OutboxMessage, lane: str, message_sid: str | None = None) -> int | None:
        """Enqueue the sending of an outbox row in its contact's lane; None where that is busy."""
        about = {"conversation": row.conversation_id} if row.conversation_id is not None else {}
        return self.enqueue(
            JobKind.SEND,
            resource=channel_resource(row.channel_id, row.account),
            lane=lane,
            message_sid=message_sid,
            payload={"outbox": row.id} | about,
        )

    def postpone_reply(self, lane: str, run_at: int) -> None:
        """Debounce: move the lane's reply job that has not run yet."""
        self._sql.run(
            "UPDATE message_queue SET run_at = ? WHERE lane = ? AND status IN ('ready', 'running') "
            "AND status = 'ready' AND kind = ? AND attempts = 0",
            run_at,
            lane,
            JobKind.REPLY,
        )

    def move(self, channel_id: int, resources: Mapping[Resource, Resource]) -> None:
        """A channel's account is another: its live jobs need other resources from now on (old: new)."""
        for old, new in resources.items():
            self._sql.run(
                "UPDATE message_queue SET resource = ? WHERE status IN ('ready', 'running') AND resource = ? "
                "AND substr(lane, 1, instr(lane, '|')) = ?",
                new,
                old,
                f"{channel_id}|",
            )

    def give_way(self, lane: str) -> None:
        """A reply job that was never claimed leaves the lane; the end of whatever takes it looks for messages again."""
        self._sql.run(
            "UPDATE message_queue SET status = 'done', finished_at = ?, error = 'an older answer goes first' "
            "WHERE lane = ? AND status IN ('ready', 'running') "
            "AND status = 'ready' AND kind = ? AND deadline_at IS NULL",
            self._sql.now,
            lane,
            JobKind.REPLY,
        )

    def withdraw(self, lane: str, why: str) -> None:
        """What waits in a lane is not done any more; what it was about is looked after by the caller."""
        self._sql.run(
            "UPDATE message_queue SET status = 'done', finished_at = ?, error = ? "
            "WHERE lane = ? AND status IN ('ready', 'running') AND status = 'ready'",
            self._sql.now,
            why,
            lane,
        )

    def in_lane(self, lane: str) -> Job | None:
        return self._find("lane = ? AND status IN ('ready', 'running')", lane)

    def resources(self) -> list[Resource]:
        """What ready jobs wait for; one index step each."""
        found: list[Resource] = []
        name = self._sql.value("SELECT min(resource) FROM message_queue WHERE status = 'ready'")
        while name is not None:
            found.append(Resource(name))
            name = self._sql.value(
                "SELECT min(resource) FROM message_queue WHERE status = 'ready' AND resource > ?", name
            )
        return found

    def due(self, resource: Resource, limit: int, but: Sequence[str] = ()) -> list[Job]:
        """Ready jobs of one resource whose time has come, longest waiting first. `but`: without these lanes'."""
        return self._select(
            f"status = 'ready' AND resource = ? AND run_at <= ? {_BUT if but else ''} ORDER BY run_at, id LIMIT ?",
            resource,
            self._sql.now,
            *_lanes(but),
            limit,
        )

    def next_due(self, resource: Resource, but: Sequence[str] = ()) -> int | None:
        """When the next ready job of a resource falls due that is not due yet."""
        time = self._sql.value(
            "SELECT run_at FROM message_queue WHERE status = 'ready' AND resource = ? AND run_at > ? "  # noqa: S608
            f"{_BUT if but else ''} ORDER BY run_at LIMIT 1",
            resource,
            self._sql.now,
            *_lanes(but),
        )
        return None if time is None else int(time)

    def start(self, job: Job, *, run: int, alone: bool, deadline_at: int | None, held_until: int = 0) -> Job | None:
        """Mark a due job as running; its deadline begins at the first claim, and anew where it was held since the last
        one (ms UTC). None where it is not due any more.
        """
        changed = self._sql.run(
            "UPDATE message_queue SET status = 'running', attempts = attempts + 1, run = ?, alone = ?, started_at = ?, "
            "deadline_at = iif(started_at <= ?, ?, coalesce(deadline_at, ?)) "
            "WHERE id = ? AND status = 'ready' AND run_at <= ?",
            run,
            alone,
            self._sql.now,
            held_until,
            deadline_at,
            deadline_at,
            job.id,
            self._sql.now,
        )
        return self.get(job.id) if changed else None

    def finish(self, job: Job, status: JobStatus, error: str = "") -> bool:
        """End this attempt of this run; False where another attempt has the job by now (fencing)."""
        changed = self._sql.run(
            "UPDATE message_queue SET status = ?, finished_at = ?, error = ? "
            "WHERE id = ? AND status = 'running' AND attempts = ? AND run = ?",
            status,
            self._sql.now,
            error,
            job.id,
            job.attempts,
            job.run,
        )
        return changed == 1

    def remember(self, job_id: int, **facts: Any) -> None:
        """Add to a job's payload what a retry by an operator will need."""
        self._sql.run(
            "UPDATE message_queue SET payload = json_patch(payload, ?) WHERE id = ?",
            msgspec.json.encode(facts).decode(),
            job_id,
        )

    def put_back(self, job: Job, run_at: int, error: str = "", *, refund: bool, acquitted: bool = False) -> bool:
        """Ready again at a time. `refund`: this attempt does not count; `acquitted`: nor do the crashes until now."""
        changed = self._sql.run(
            "UPDATE message_queue SET status = 'ready', run_at = ?, attempts = attempts - ?, error = ?, "
            "crashes = iif(?, 0, crashes) WHERE id = ? AND status = 'running' AND attempts = ? AND run = ?",
            run_at,
            int(refund),
            error,
            int(acquitted),
            job.id,
            job.attempts,
            job.run,
        )
        return changed == 1

    def resume_the_box(self, *, crashed: bool) -> list[Job]:
        """Make the jobs of the dead run ready again, at once; give back those that killed it.

        `crashed`: the process died by itself. A power cut does not count against a job. A conversation's job is to
        blame where it was tried alone; a tick at its third crash, whatever ran beside it, because the next one comes by
        the schedule.
        """
        guilty = "status = 'running' AND (alone = 1 OR resource = '' AND crashes >= ?) ORDER BY id"
        poison = self._select(guilty, ALONE_AFTER) if crashed else []
        if not crashed:  # without power there was no way out: the deadlines stood still
            self._sql.run(
                "UPDATE message_queue SET deadline_at = deadline_at + max(0, ? - started_at) WHERE status = 'running'",
                self._sql.now,
            )
        self._sql.run(
            "UPDATE message_queue SET status = 'ready', run_at = ?, attempts = attempts - 1, crashes = crashes + ? "
            "WHERE status = 'running' AND id NOT IN (SELECT value FROM json_each(?))",
            self._sql.now,
            int(crashed),
            msgspec.json.encode([job.id for job in poison]).decode(),
        )
        return poison

    def extend_deadlines(self, milliseconds: int) -> None:
        """There was no way out for so long: the deadlines stood still."""
        self._sql.run(
            "UPDATE message_queue SET deadline_at = deadline_at + ? WHERE status IN ('ready', 'running')", milliseconds
        )

    def bury(self, kind: JobKind, lane: str | None, error: str, message_sid: str | None, **payload: Any) -> int:
        """A dead letter of what no job is left to tell of; its id."""
        now = self._sql.now
        return self._sql.insert(
            "message_queue",
            kind=kind,
            lane=lane,
            resource=NOTHING,
            message_sid=message_sid,
            payload=msgspec.json.encode(payload).decode(),
            status=JobStatus.DEAD,
            error=error,
            run_at=now,
            created_at=now,
            finished_at=now,
        )

    def dead(self, job_id: int) -> Job | None:
        """The dead letter with this id."""
        return self._find("id = ? AND status = 'dead'", job_id)

    def settle_dead(self, job_id: int, status: JobStatus) -> bool:
        """A dead letter was retried (done) or discarded."""
        return (
            self._sql.run("UPDATE message_queue SET status = ? WHERE id = ? AND status = 'dead'", status, job_id) == 1
        )

    def prune(self, before: int, limit: int) -> int:
        """Forget finished jobs; dead letters stay until somebody decides."""
        return self._sql.run(
            "DELETE FROM message_queue WHERE id IN (SELECT id FROM message_queue "
            "WHERE id < (SELECT coalesce(max(id), 0) FROM message_queue) - 1000 "
            "AND status IN ('done', 'discarded') AND finished_at < ? ORDER BY id LIMIT ?)",
            before,
            limit,
        )


def _lanes(but: Sequence[str]) -> list[str]:
    return [msgspec.json.encode(but).decode()] if but else []
