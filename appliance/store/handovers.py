"""Who answered a customer and since when: what happened, for whoever reads the conversation."""

from dataclasses import dataclass
from enum import StrEnum

from appliance.store.contacts import ALIASES
from appliance.store.repository import Repository
from appliance.store.sql import Row

# Who did it, where it was not a user of the pages.
CONSOLE = "console"  # somebody in Twilio's console or with another tool, as Twilio's log tells
LOOP = "loop"  # the appliance itself, as a machine seems to write
NOBODY = ""  # the customer, or time


class Change(StrEnum):
    ASKED = "asked"  # the customer, or a model, asked for a person
    PROMISED = "promised"  # the FAQ did not know and promised one
    TAKEN = "taken"  # a person took over, or wrote
    ASKED_BACK = "asked_back"  # somebody wants the appliance to answer again
    GIVEN_BACK = "given_back"  # it does


@dataclass(frozen=True, slots=True)
class HandoverEvent:
    """`who`: a user's e-mail, "api", "cli", CONSOLE, LOOP or NOBODY; `at`: ms UTC."""

    id: int
    contact_id: int
    what: Change
    who: str
    at: int


class Handovers(Repository[HandoverEvent]):
    table = "handover_events"
    type = HandoverEvent

    def _load(self, row: Row) -> HandoverEvent:
        values = {name: row[name] for name in self._names}
        return HandoverEvent(**values | {"what": Change(row["what"])})

    def note(self, contact_id: int, what: Change, who: str = NOBODY) -> None:
        self._sql.insert("handover_events", contact_id=contact_id, what=what, who=who, at=self._sql.now)

    def of(self, contact_id: int, since: int, until: int, limit: int) -> list[HandoverEvent]:
        """The person's newest between two times (ms UTC), by whichever address of the channel; oldest first."""
        newest = f"contact_id IN {ALIASES} AND at BETWEEN ?2 AND ?3 ORDER BY at DESC, id DESC LIMIT ?4"
        return self._select(newest, contact_id, since, until, limit)[::-1]

    def last(self, contact_id: int, what: Change) -> HandoverEvent | None:
        return self._find(f"contact_id IN {ALIASES} AND what = ?2 ORDER BY at DESC, id DESC LIMIT 1", contact_id, what)
