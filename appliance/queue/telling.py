"""How a job's end is told: what failed, of which message and whose, at which attempt."""

from typing import Any

from appliance.model import NOTHING, Job, JobKind
from appliance.queue.outcome import Dead, Done, Outcome, Retry
from appliance.store import Tx

GIVEN_UP = {JobKind.REPLY: "could not answer", JobKind.SEND: "not sent"}


def tell(tx: Tx, job: Job, outcome: Outcome) -> None:
    """A trouble is the outcome's, a tick's, which is over when it ends well, or this one job's."""
    own = job.kind if job.resource == NOTHING else f"job {job.id}"
    about: dict[str, Any] = {"job": job.id, "kind": job.kind, "message": job.message_sid, "attempt": job.attempts}
    match outcome:
        case Done(over=over):
            tx.tell("job ended", over=[own, *over], **about)
            return
        case Dead(error=error):
            event, is_quiet = GIVEN_UP.get(job.kind, "given up"), False
        case Retry(error=error):
            event, is_quiet = "failed, to be tried again", False
        case _:
            event, error, is_quiet = "put off", outcome.reason, outcome.quiet
    whose = organization(tx, job)
    if is_quiet:
        tx.tell(event, error=error, organization=whose, **about)
    else:
        tx.tell(event, "warning", trouble=outcome.trouble or own, error=error, organization=whose, **about)


def organization(tx: Tx, job: Job) -> int | None:
    """Whose a conversation's job is; None for a tick, or where all of it is forgotten."""
    row = tx.outbox.get(job.payload["outbox"]) if "outbox" in job.payload else None
    conversation = tx.conversations.get(job.payload["conversation"]) if "conversation" in job.payload else None
    found = row or conversation
    return found.organization_id if found else None
