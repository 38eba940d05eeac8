"""What customers asked and nobody knew, for whoever teaches it or puts it away."""

from dataclasses import dataclass

from appliance.errors import RequestError
from appliance.language.words import equal_words
from appliance.model import Organization
from appliance.operations import hands
from appliance.store import Tx
from appliance.store.cards import CardKind
from appliance.store.topic_answers import WEEK
from appliance.store.unanswered import Asker, Group

MOST = 20  # groups, and people of one


@dataclass(frozen=True, slots=True)
class Lesson:
    """What may be taught. `group`: of who asked the same, if anybody did. `waiting`: who waits for a person since, and
    can be written to.
    """

    question: str
    group: Group | None = None
    waiting: tuple[Asker, ...] = ()


def of_the_week(tx: Tx, organization: Organization) -> list[Group]:
    """What most people asked first."""
    return tx.unanswered.groups(organization.id, tx.now - WEEK, MOST)


def lesson(tx: Tx, organization: Organization, question: str) -> Lesson:
    """A question as it is taught, with everybody who asked it in whatever order and spelling."""
    words = equal_words(question, organization.language)
    group = tx.unanswered.group(organization.id, words) if words else None
    if group is None:
        return Lesson(question)
    waiting: dict[object, Asker] = {}
    for asker in tx.unanswered.askers(organization.id, words, MOST):
        contact, cards = tx.contacts.get(asker.contact_id), tx.cards.of_contact(CardKind.WAITING, asker.contact_id)
        if cards and contact and hands.shut(tx, contact) is None:
            waiting.setdefault(cards[0], asker)  # a person's addresses share one
    return Lesson(question, group, tuple(waiting.values()))


def question(tx: Tx, organization: Organization, question_id: int) -> str:
    """The words of one, also where it is settled by now: a page that is open shows it. Raises RequestError."""
    found = tx.unanswered.of(organization.id, question_id)
    if found is None:
        raise RequestError("not_found", "There is no such question.", status=404)
    return found.question


def put_away(tx: Tx, organization: Organization, question_id: int) -> None:
    """All of the same words are not needed. Asked again, it is shown again. Raises RequestError."""
    settle(tx, organization, question(tx, organization, question_id))


def settle(tx: Tx, organization: Organization, question: str) -> None:
    if words := equal_words(question, organization.language):
        tx.unanswered.settle(organization.id, words)
