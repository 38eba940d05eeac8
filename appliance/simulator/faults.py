"""What goes wrong on request: a programmable list of faults, each consumed in order or kept as a rule."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from appliance.simulator.incident import Incident

KINDS = {
    "create": ("error", "hang", "reset", "half_json", "no_sid", "slow"),
    "list": ("error", "hang", "reset", "lag"),
    "fetch": ("error", "hang", "reset"),
    "console": ("error", "hang", "reset"),
    "callback": ("lost", "early", "twice", "out_of_order", "delayed"),
    "delivery": ("failed", "undelivered", "stuck", "held"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, `times` times; `times` None makes it a rule until it is cleared.

    create, list, fetch and console: `error` answers `status` (with Twilio's JSON when `code` is given, else without
    JSON, and with Retry-After when `retry_after` is given), `hang` says nothing for `seconds` and then drops the
    connection, `reset` resets it, `half_json` and `no_sid` answer 201 with a broken body. With `accepted` a message was
    created before that, without it nothing was; `half_json` and `no_sid` always create. `slow` answers well, after
    `seconds`.
    list: `lag` hides messages younger than `seconds`.
    callback, for all callbacks of one message: never sent, first ones before the POST is answered, each sent twice, in
    reverse order, `seconds` late.
    delivery: the message ends as failed or undelivered with ErrorCode `code`, or stays sent for ever, or, held, queued.
    console: what is set, and not the messages; `address` is the path there.
    `address` limits a fault to messages from or to it; delivery and callback know the canonical form of To.
    Raises ValueError for a kind that does not belong to `on`.
    """

    on: Literal["create", "list", "fetch", "console", "callback", "delivery"]
    kind: str
    accepted: bool = False
    status: int = 500
    code: int | None = None
    retry_after: float | None = None
    seconds: float = 30.0
    times: int | None = 1
    address: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS[self.on]:
            raise ValueError(f"kind on {self.on} is one of {', '.join(KINDS[self.on])}")

    @property
    def creates(self) -> bool:
        """Whether the message exists at Twilio although the answer is spoilt."""
        return self.accepted or self.kind in {"half_json", "no_sid", "slow"}


class Faults:
    """The faults still to come. The first one that fits is taken, but an `incident` goes before all of them."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.incident: Incident | None = None
        self._now = now
        self._hit = 0  # POSTs of the incident
        self._waiting: list[tuple[Fault, int | None]] = []

    def add(self, *faults: Fault) -> None:
        self._waiting += [(fault, fault.times) for fault in faults]

    def strike(self, incident: Incident | None) -> None:
        """The only incident from now on; it counts its POSTs anew."""
        self.incident = incident
        self._hit = 0

    def clear(self) -> None:
        self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def callbacks_lost(self) -> bool:
        """Whether an incident swallows what is called back now."""
        incident = self.incident
        return incident is not None and incident.callbacks_lost and incident.lasts(self._now())

    def take(self, on: str, *addresses: str) -> Fault | None:
        """The next fault for this operation, used up once; None when nothing goes wrong."""
        incident = self.incident
        if incident is not None and on in incident.on and incident.lasts(self._now()):
            return self._of_incident(incident, on)
        for index, (fault, left) in enumerate(self._waiting):
            if fault.on == on and fault.address in {"", *addresses}:
                if left is not None:
                    self._waiting[index : index + 1] = [(fault, left - 1)] if left > 1 else []
                return fault
        return None

    def _of_incident(self, incident: Incident, on: str) -> Fault:
        self._hit += on == "create"
        return Fault(
            next(each for each in incident.on if each == on),
            incident.kind,
            accepted=on == "create" and incident.accepts(self._hit),
            status=incident.status,
            code=incident.code,
            retry_after=incident.retry_after,
            seconds=incident.seconds,
        )
