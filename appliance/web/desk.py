"""What the API and the pages work with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from appliance.config import Config
from appliance.diagnosis.finding import Finding
from appliance.links.link import Links
from appliance.notices.sentences import Card
from appliance.operations.knowledge import Offline
from appliance.ports import Missed, Responder
from appliance.queue.bell import Bell
from appliance.reply.shelf import Shelves
from appliance.store import Store

Faults = Callable[[], Awaitable[list[str]]]  # why the appliance is not ready; empty: it is
Examine = Callable[[], Awaitable[list[Finding]]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the API works with. `bell`: of the workers. `offline` and `responder`, whom customers are answered by, are
    for `knowledge/test`; `missed` for a channel that moves. `untold`: cards that the disk did not take; `faults`: why
    it is not ready; `examine`: asks everything outside, as `check --online` does.

    `started_at`: ms UTC; None where this process only stands in for an appliance that does not run.
    """

    store: Store
    config: Config
    bell: Bell
    offline: Offline
    responder: Responder
    shelves: Shelves
    missed: Missed
    links: Links
    untold: Callable[[], list[Card]]
    faults: Faults
    started_at: int | None
    examine: Examine
