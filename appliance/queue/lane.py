"""A conversation's lane: at most one live job, moved while the customer goes on writing, started anew at its end."""

from appliance.config import Config
from appliance.model import Conversation, Job, JobKind, ai_resource
from appliance.store import Tx


def reply_due(last_at: int, first_live_at: int, delay: int, longest: int) -> int:
    """When to answer: `delay` after the last message, at most `longest` after the first unanswered one."""
    return min(last_at + delay, first_live_at + longest)


def arm(tx: Tx, conversation: Conversation, config: Config) -> None:
    """See that the lane has a job when live messages wait; a reply job that has not run yet is moved (debounce)."""
    live = tx.messages.live(conversation.id)
    if not live:
        return
    delays = config.conversations
    due = reply_due(live[-1].received_at, live[0].received_at, delays.reply_delay, delays.reply_delay_max)
    job_id = tx.jobs.enqueue(
        JobKind.REPLY,
        resource=ai_resource(conversation.organization_id),
        lane=conversation.session_key,
        run_at=due,
        message_sid=live[0].sid,
        payload={"conversation": conversation.id},
    )
    if job_id is None:
        tx.jobs.postpone_reply(conversation.session_key, due)


def rearm(tx: Tx, job: Job, config: Config) -> None:
    """Messages that came while the lane was busy get their reply job, also those of a conversation opened meanwhile."""
    conversation = tx.conversations.get(job.payload["conversation"]) if "conversation" in job.payload else None
    if conversation is None:
        return
    for waiting in (conversation, tx.conversations.open_with(conversation.session_key)):
        if waiting is not None and tx.jobs.in_lane(conversation.session_key) is None:
            arm(tx, waiting, config)
