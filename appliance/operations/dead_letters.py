"""Dead letters: jobs that gave up and wait for a person. Retry is a new intent, discard accepts the silence."""

from collections.abc import Callable, Sequence
from typing import Any

from appliance.config import Config
from appliance.errors import RequestError
from appliance.model import (
    ANSWER,
    MANUAL,
    Conversation,
    ConversationStatus,
    Job,
    JobKind,
    JobStatus,
    OutboxState,
    StoredMessage,
    TextKey,
    ai_resource,
)
from appliance.operations import hands, messages
from appliance.outbox.permission import refusal
from appliance.store import Store, Tx, cards
from appliance.store.cards import CardKind

_MAYBE_SENT = (OutboxState.SENDING, OutboxState.DOUBT)
_NOTHING_SAID = (OutboxState.FAILED, OutboxState.SUPPRESSED, OutboxState.PARKED, OutboxState.SUPERSEDED)


def page(tx: Tx, owner: int | None, limit: int) -> list[dict[str, Any]]:
    """Of an organization, or all of the box; newest first. `contact` and `channel` are null where about no customer."""
    return [dict(row) for row in tx.letters.page(owner, limit)]


def retry(tx: Tx, job_id: int, intended_by: str, config: Config) -> int:
    """Try once more; the new job's id. Raises RequestError (409) with the reason where that would be wrong."""
    letter = _dead(tx, job_id)
    if letter.kind == JobKind.REPLY:
        new_job = _answer_again(tx, letter, letter.payload.get("messages", []), intended_by)
    elif letter.kind == JobKind.SEND:
        new_job = _send_again(tx, letter, intended_by, config)
    else:
        new_job = tx.jobs.enqueue(letter.kind, lane=letter.lane)
    _settle(tx, letter, JobStatus.DONE)
    if new_job is None:
        raise _refused("busy", "This is being done right now.")
    return new_job


def discard(tx: Tx, job_id: int) -> None:
    """Nobody will answer what it was about. Raises RequestError where there is no such dead letter."""
    _settle(tx, _dead(tx, job_id), JobStatus.DISCARDED)


async def each(
    store: Store, work: Callable[[Tx, int], object], *, clear: bool = False
) -> tuple[list[int], list[dict[str, object]]]:
    """Every dead letter in a unit of work of its own, oldest first: (done, refused with the reason). `clear`: without
    those of which nobody knows whether the customer has an answer.
    """
    done: list[int] = []
    refused: list[dict[str, object]] = []
    for letter in await store.read(lambda tx: tx.letters.ids(clear=clear)):
        try:
            await store.write(lambda tx, letter=letter: work(tx, letter))  # type: ignore[misc]
        except RequestError as error:
            refused.append({"id": letter, "code": error.code, "message": error.message})
        else:
            done.append(letter)
    return done, refused


def _dead(tx: Tx, job_id: int) -> Job:
    letter = tx.jobs.dead(job_id)
    if letter is not None:
        return letter
    if tx.jobs.get(job_id) is None:
        raise RequestError("not_found", "There is no such dead letter.", "id", 404)
    raise _refused("settled", "This is no dead letter (any more).")


def _refused(code: str, message: str, **values: str) -> RequestError:
    return RequestError(code, message, status=409, **values)


def _settle(tx: Tx, letter: Job, status: JobStatus) -> None:
    """Also closes its card, unless another dead letter of the conversation still needs it."""
    tx.jobs.settle_dead(letter.id, status)
    if "outbox" in letter.payload:
        for kind in (CardKind.NOT_SENT, CardKind.DOUBT, CardKind.UNDELIVERED):
            tx.cards.close(kind, cards.reply(letter.payload["outbox"]))
    if "conversation" in letter.payload and not tx.letters.in_lane(letter.lane):
        for kind in (CardKind.COULD_NOT_ANSWER, CardKind.TOO_LATE):
            tx.cards.close(kind, cards.conversation(letter.payload["conversation"]))


def _send_again(tx: Tx, letter: Job, intended_by: str, config: Config) -> int | None:
    """What answered messages is made anew; a manual message is sent with the same words."""
    row = tx.outbox.get(letter.payload["outbox"])
    assert row is not None
    if row.state in _MAYBE_SENT:
        raise _refused("in_doubt", "It is not known yet whether this was sent.")
    if row.state != OutboxState.READY and row.state not in _NOTHING_SAID:
        raise _refused("sent", "This was sent after all.")
    tx.outbox.end(row.id, OutboxState.SUPERSEDED, expected=OutboxState.READY, reason="retried")
    reply_no = tx.letters.reply_no(row.id)
    if row.kind != MANUAL:
        about = [message.id for message in tx.messages.answered_by(row.id)]
        return _answer_again(tx, letter, about, intended_by, reply_no)
    _check_allowed(tx, MANUAL, row.channel_id, row.contact_id)
    messages.write(
        tx,
        config,
        organization_id=row.organization_id,
        channel_id=row.channel_id,
        contact_id=row.contact_id,
        conversation_id=row.conversation_id,
        body=row.body,
        intended_by=intended_by,
        reply_no=reply_no + 1,
    )
    job = tx.jobs.in_lane(tx.contacts.lane(row.contact_id))
    return job.id if job else None


def _answer_again(
    tx: Tx, letter: Job, about: Sequence[int], intended_by: str, reply_no: int | None = None
) -> int | None:
    """The messages are live again, and a fresh job answers them."""
    conversation = tx.conversations.get(letter.payload["conversation"])
    assert conversation is not None
    channel = tx.channels.get(conversation.channel_id)
    assert channel is not None
    _check_allowed(tx, ANSWER, channel.id, conversation.contact_id)
    if conversation.status == ConversationStatus.CLOSED:
        raise _refused("conversation_closed", "The conversation is closed; write to the customer instead.")
    if tx.jobs.in_lane(conversation.session_key) is not None:
        raise _refused("busy", "An answer to this customer is on its way.")
    last = _check_unanswered(tx, conversation, about)
    tx.messages.revive(list(about))
    number = reply_no or letter.payload.get("reply_no", 1)
    return tx.jobs.enqueue(
        JobKind.REPLY,
        resource=ai_resource(conversation.organization_id, channel.account),
        lane=conversation.session_key,
        message_sid=last.sid,
        payload={"conversation": conversation.id, "reply_no": number + 1, "intended_by": intended_by},
    )


def _check_allowed(tx: Tx, kind: str, channel_id: int, contact_id: int) -> None:
    """The checks of the moment of sending, now, while somebody is there to read the reason."""
    contact, channel = tx.contacts.get(contact_id), tx.channels.get(channel_id)
    assert contact is not None and channel is not None
    if not tx.channels.is_in_use(channel_id):
        text = "The channel {channel} was removed; add it again first: appliance channel add {channel}"
        raise _refused("channel_removed", text, channel=channel.address)
    found = refusal(kind, channel.address, tx.contacts.as_person(contact), tx.now)
    if found is not None:
        shut = hands.told(found)
        raise _refused(shut.code, shut.message)


def _check_unanswered(tx: Tx, conversation: Conversation, about: Sequence[int]) -> StoredMessage:
    """The last of the messages."""
    if not about:
        raise _refused("answered", "Nothing is left to answer here.")
    replies = tx.letters.replies_to(about)
    if any(row["kind"] != TextKey.UNAVAILABLE and row["state"] not in _NOTHING_SAID for row in replies):
        raise _refused("answered", "The customer has an answer already.")
    last = tx.messages.get(max(about))
    assert last is not None
    than = max((row["id"] for row in replies), default=0) or tx.letters.newest_until(
        conversation.contact_id, last.received_at
    )
    if tx.outbox.newer_reply(conversation.contact_id, than):
        raise _refused("newer_reply", "A newer reply reached the customer.")
    return last
