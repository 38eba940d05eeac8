"""How far the message list is behind: for each read and each message the seconds until the one shows the other."""

from collections.abc import Callable
from random import Random
from typing import TypeAlias

from appliance.simulator.ledger import Entry
from appliance.simulator.listing import Query

Lag: TypeAlias = Callable[[Query, Entry], float]


def each_its_own(longest: float, seed: int = 0) -> Lag:
    """Each message is late by its own time up to `longest`, in every read the same: not in order."""

    def lag(_query: Query, entry: Entry) -> float:
        name = f"{seed}/{entry.date_created}/{entry.recipient}/{entry.body}"  # not the sid, which no seed repeats
        return Random(name).uniform(0, longest)  # noqa: S311 - a die, not a secret

    return lag


def by_filter(*, recipient: float = 0.0, sender: float = 0.0) -> Lag:
    """A query with To reads an index that is `recipient` seconds behind, another one that is `sender` behind."""

    def lag(query: Query, _entry: Entry) -> float:
        return recipient if query.recipient else sender

    return lag


def replicas(*behind: float) -> Lag:
    """Each request meets the next replica, so what one page showed the next may hide again."""

    def lag(query: Query, _entry: Entry) -> float:
        return behind[query.read % len(behind)]

    return lag
