"""Messages that nobody has answered and that are too old to be answered without being asked: a card, a dead letter."""

from appliance.model import Conversation, JobKind
from appliance.store import Tx, cards
from appliance.store.cards import CardKind

TOO_LATE = "too late to be answered by itself"


def too_late(tx: Tx, conversation: Conversation, message_ids: list[int], who: str, *, why: str) -> None:
    """One dead letter for each conversation, however many messages it has."""
    subject = cards.conversation(conversation.id)
    card = tx.cards.open(CardKind.TOO_LATE, subject, conversation.organization_id, who=who, why=why)
    tx.messages.give_up(message_ids, card)
    if known := tx.letters.too_late(conversation.id):
        letter_id, earlier = known
        tx.jobs.remember(letter_id, messages=earlier + message_ids)
        return
    first = tx.messages.get(message_ids[0])
    payload = {"conversation": conversation.id, "messages": message_ids, "too_late": True}
    tx.jobs.bury(JobKind.REPLY, conversation.session_key, TOO_LATE, first.sid if first else None, **payload)
