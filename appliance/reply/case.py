"""What a reply job is about: the live messages of one conversation and all that is known around them."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.model import MINUTE, Contact, Conversation, Job, Organization, StoredMessage, TextKey, masked
from appliance.ports import Dialogue, Turn
from appliance.reply.hours import Closing, closing
from appliance.reply.shelf import Shelves, propose
from appliance.store import Tx

FEW_TOPICS = 40  # so small a knowledge base is told to a model whole
HISTORY = 40  # messages each way; the responder cuts to its token budget
APOLOGY_EVERY = 30 * MINUTE
MEDIA_TEXT_EVERY = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Case:
    job: Job
    conversation: Conversation
    organization: Organization
    contact: Contact
    who: str  # the customer, as on a card
    messages: tuple[StoredMessage, ...]
    dialogue: Dialogue
    recent_apology: int | None  # the outbox row later messages share
    media_text_is_recent: bool
    read_at: int
    seen: int  # the customer's newest message that is known here, by whichever address
    closing: Closing | None  # the organization is closed
    was_told_away: bool  # in this closing

    @property
    def message_ids(self) -> list[int]:
        return [message.id for message in self.messages]


def load(tx: Tx, job: Job, shelves: Shelves) -> Case | None:
    """None where nothing waits for an answer."""
    conversation = tx.conversations.get(job.payload["conversation"])
    assert conversation is not None
    messages = tuple(tx.messages.live(conversation.id))
    if not messages:
        return None
    organization = tx.organizations.get(conversation.organization_id)
    contact = tx.contacts.get(conversation.contact_id)
    assert organization is not None and contact is not None
    recent = tx.outbox.recent
    beside = tx.conversations.open_beside(contact.id) if contact.person_id is not None else []
    shut = closing(organization, tx.now)
    dialogue = _dialogue(tx, conversation, organization, messages, shelves, beside)
    return Case(
        job,
        conversation,
        organization,
        contact,
        masked(contact.address),
        messages,
        dialogue,
        recent(conversation.id, TextKey.UNAVAILABLE, tx.now - APOLOGY_EVERY),
        recent(conversation.id, TextKey.MEDIA_UNSUPPORTED, tx.now - MEDIA_TEXT_EVERY) is not None,
        tx.now,
        tx.messages.newest(beside, messages[-1].id),
        shut,
        shut is not None and recent(conversation.id, TextKey.AWAY, shut.since) is not None,
    )


def _dialogue(
    tx: Tx,
    conversation: Conversation,
    organization: Organization,
    messages: tuple[StoredMessage, ...],
    shelves: Shelves,
    beside: Sequence[int],
) -> Dialogue:
    """`beside`: the customer's conversations by other addresses, which belong to what was said."""
    questions = tuple(message.body for message in messages)
    received = tx.history.received(conversation.id, messages[0].id, HISTORY, beside)
    said = tx.history.said(conversation.id, HISTORY, beside)
    topics = propose(tx, organization, questions)
    shelf = shelves.of(tx, organization)
    few = shelf.topics if len(shelf.topics) <= FEW_TOPICS else ()
    return Dialogue(
        organization=organization,
        questions=questions,
        turns=tuple(turns([tuple(row) for row in received], [tuple(row) for row in said])),
        topics=topics,
        background=tuple(topic for topic in few if topic not in topics),
        menu=tx.outbox.menu(conversation.id),
        shelf=shelf,
        asked_at=tx.now,
        first_contact=not said,
        unknown_streak=tx.outbox.streak(conversation.id, TextKey.DONT_KNOW, 3),
    )


def turns(received: Sequence[tuple[int, str, int | None, int]], said: Sequence[tuple[int, str, int]]) -> list[Turn]:
    """History in the order a model should see it.

    `received`: (id, body, reply_id, at), `said`: (id, body, at), both oldest first. Each of ours stands directly after
    the last message it answers; what answers nothing (a manual message) stands where its time puts it.
    """
    last_answered = {reply_id: message_id for message_id, _, reply_id, _ in received if reply_id is not None}
    answers = {last_answered[row_id]: body for row_id, body, _ in said if row_id in last_answered}
    loose = [(at, body) for row_id, body, at in said if row_id not in last_answered]
    found: list[Turn] = []
    for message_id, body, _, at in received:
        while loose and loose[0][0] <= at:
            found.append(Turn("assistant", loose.pop(0)[1]))
        found.append(Turn("user", body))
        if message_id in answers:
            found.append(Turn("assistant", answers[message_id]))
    return found + [Turn("assistant", body) for _, body in loose]
