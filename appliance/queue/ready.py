"""What may be claimed of the jobs that are due: a pause holds the answers to whoever is paused, and nothing else.

No job is written for it, neither when it begins nor when it ends: it is looked at with each claim.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.model import Contact, Conversation, Job, Resource
from appliance.store import Tx
from appliance.store.pauses import Held, holding


@dataclass(frozen=True, slots=True)
class Ready:
    """The jobs of one resource that are due and not held, and when the next one falls due (ms UTC)."""

    resource: Resource
    due: Sequence[Job]
    next_due: int | None


def ready(tx: Tx, limit: int) -> tuple[list[Ready], Held]:
    """By resource; and what is held."""
    held = tx.pauses.held()
    free = ((name, held.lanes_of(name)) for name in tx.jobs.resources() if not held.has(name))
    return [Ready(name, tx.jobs.due(name, limit, but), tx.jobs.next_due(name, but)) for name, but in free], held


def held_until(tx: Tx, job: Job) -> int:
    """When the last pause that could hold an answer was over (ms UTC); 0 where there was none."""
    conversation = tx.conversations.get(job.payload.get("conversation", 0))
    contact = conversation and tx.contacts.get(conversation.contact_id)
    return held_last(tx, conversation, contact) if conversation and contact else 0


def held_last(tx: Tx, conversation: Conversation, contact: Contact) -> int:
    """The same, of a customer's conversation."""
    return tx.pauses.ended(holding(conversation.organization_id, tx.contacts.aliases(contact)))
