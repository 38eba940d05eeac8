"""The periodic jobs on demand, for those who trust their own cron more."""

from appliance.errors import RequestError
from appliance.model import JobKind
from appliance.store import Tx

KINDS = (JobKind.IDLE, JobKind.EXPIRED)


def enqueue(tx: Tx, kind: str) -> bool:
    """False where one of this kind is live already: it does the work."""
    if kind not in KINDS:
        raise RequestError("not_found", f"There is no such job; there are {' and '.join(KINDS)}.", "kind", 404)
    return tx.jobs.tick(JobKind(kind)) is not None


def look_at_doubts(tx: Tx) -> None:
    """Have Twilio's log read now for what became of sends that nobody is sure of."""
    tx.jobs.hurry(JobKind.SETTLE)
