"""Which questions nobody could answer, kept for whoever teaches the appliance."""

from appliance.language.courtesy import asks_for_person
from appliance.language.words import equal_words
from appliance.model import TextKey
from appliance.ports import Reply
from appliance.reply.case import Case
from appliance.reply.rules import Reading, reading
from appliance.store import Tx
from appliance.store.unanswered import LONGEST


def note(tx: Tx, case: Case, reply: Reply) -> None:
    """In the unit of work that says so to the customer, or promised a person before."""
    if not _is_lost(case, reply):
        tx.unanswered.answered(case.contact.id, case.message_ids)
        return
    for message in case.messages:
        question = message.body[:LONGEST] if reading(message) == Reading.TEXT else ""
        if words := equal_words(question, case.organization.language):  # "Olá?" asks nothing that could be taught
            tx.unanswered.note(case.organization.id, case.contact.id, message.id, words, question)


def _is_lost(case: Case, reply: Reply) -> bool:
    """A model does not tell why it wants a person: where the customer did not ask for one, it did not know."""
    is_handed_over = reply.key in (TextKey.HANDOFF, TextKey.AWAY)
    return reply.unknown or (is_handed_over and not any(asks_for_person(each.body) for each in case.messages))
