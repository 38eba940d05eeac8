"""A conversation's lane: at most one live job, moved while the customer goes on writing, started anew at its end."""

from appliance.config import Config
from appliance.model import Conversation, Job, JobKind, OutboxMessage, ai_resource
from appliance.store import Tx


def reply_due(last_at: int, first_live_at: int, delay: int, longest: int) -> int:
    """When to answer: `delay` after the last message, at most `longest` after the first unanswered one."""
    return min(last_at + delay, first_live_at + longest)


def arm(tx: Tx, conversation: Conversation, config: Config) -> None:
    """See that the lane has a job when live messages wait; a reply job that has not run yet is moved (debounce)."""
    live = tx.messages.live(conversation.id)
    if not live:
        return
    channel = tx.channels.get(conversation.channel_id)
    assert channel is not None
    delays = config.conversations
    due = reply_due(live[-1].received_at, live[0].received_at, delays.reply_delay, delays.reply_delay_max)
    job_id = tx.jobs.enqueue(
        JobKind.REPLY,
        resource=ai_resource(conversation.organization_id, channel.account),
        lane=conversation.session_key,
        run_at=due,
        message_sid=live[0].sid,
        payload={"conversation": conversation.id},
    )
    if job_id is None:
        tx.jobs.postpone_reply(conversation.session_key, due)


def rearm(tx: Tx, job: Job, config: Config) -> None:
    """At the end of a job: its contact's lane goes on."""
    row = tx.outbox.get(job.payload["outbox"]) if "outbox" in job.payload else None
    conversation = tx.conversations.get(job.payload["conversation"]) if "conversation" in job.payload else None
    if about := row or conversation:
        go_on(tx, about.contact_id, config)


def follow(tx: Tx, row: OutboxMessage, config: Config) -> None:
    """A row's fate changed: what is to be sent goes before an answer that nobody has begun."""
    if tx.outbox.unsent_to(row.contact_id):
        tx.jobs.give_way(tx.contacts.lane(row.contact_id))
    go_on(tx, row.contact_id, config)


def go_on(tx: Tx, contact_id: int, config: Config) -> None:
    """Where a lane is free: the oldest row that waits to be sent, else an answer to the messages that wait longest.

    They may be of a conversation that was closed meanwhile.
    """
    lane = tx.contacts.lane(contact_id)
    if tx.jobs.in_lane(lane) is not None:
        return
    if rows := tx.outbox.unsent_to(contact_id):
        tx.jobs.send(rows[0], lane)
    elif conversations := tx.conversations.waiting(contact_id):
        arm(tx, conversations[0], config)
