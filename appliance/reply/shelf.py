"""What an organization knows, held in memory between questions and read anew when somebody changed it."""

from collections import OrderedDict

from appliance.language.index import Index
from appliance.language.words import search_terms
from appliance.model import Organization, Topic
from appliance.store import Tx

MOST = 64  # organizations held at once; of the others the topics are read for each question


def propose(tx: Tx, organization: Organization, questions: tuple[str, ...]) -> tuple[Topic, ...]:
    """What full-text search finds for the questions of a burst, best first."""
    terms = search_terms("\n".join(questions), organization.language)
    return tuple(tx.knowledge.propose(organization.id, terms))


class Shelves:
    """Used from the store's reading threads; a shelf that two of them make at once is made twice and is the same."""

    def __init__(self) -> None:
        self._held: OrderedDict[int, tuple[int, Index]] = OrderedDict()

    def of(self, tx: Tx, organization: Organization) -> Index:
        version, held = self._held.get(organization.id, (-1, None))
        now = tx.knowledge.version(organization.id)
        if held is None or version != now or held.language != organization.language:
            held = Index(tuple(tx.knowledge.of(organization.id)), organization.language)
        self._held[organization.id] = now, held
        self._held.move_to_end(organization.id)
        while len(self._held) > MOST:
            self._held.popitem(last=False)
        return held
