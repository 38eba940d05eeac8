"""What goes wrong on request: a programmable list of faults, each consumed in order or kept as a rule."""

from dataclasses import dataclass
from typing import Literal

KINDS = {
    "create": ("error", "hang", "reset", "half_json", "no_sid", "slow"),
    "list": ("error", "hang", "reset", "lag"),
    "fetch": ("error", "hang", "reset"),
    "callback": ("lost", "early", "twice", "out_of_order", "delayed"),
    "delivery": ("failed", "undelivered", "stuck"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, `times` times; `times` None makes it a rule until it is cleared.

    create and list and fetch: `error` answers `status` (with Twilio's JSON when `code` is given, else without JSON, and
    with Retry-After when `retry_after` is given), `hang` says nothing for `seconds` and then drops the connection,
    `reset` resets it, `half_json` and `no_sid` answer 201 with a broken body. With `accepted` a message was created
    before that, without it nothing was; `half_json` and `no_sid` always create. `slow` answers well, after `seconds`.
    list: `lag` hides messages younger than `seconds`.
    callback, for all callbacks of one message: never sent, first ones before the POST is answered, each sent twice, in
    reverse order, `seconds` late.
    delivery: the message ends as failed or undelivered with ErrorCode `code`, or stays sent for ever.
    `address` limits a fault to messages from or to it.
    Raises ValueError for a kind that does not belong to `on`.
    """

    on: Literal["create", "list", "fetch", "callback", "delivery"]
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
    """The faults still to come. The first one that fits is taken."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int | None]] = []

    def add(self, *faults: Fault) -> None:
        self._waiting += [(fault, fault.times) for fault in faults]

    def clear(self) -> None:
        self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, on: str, *addresses: str) -> Fault | None:
        """The next fault for this operation, used up once; None when nothing goes wrong."""
        for index, (fault, left) in enumerate(self._waiting):
            if fault.on == on and fault.address in {"", *addresses}:
                if left is not None:
                    self._waiting[index : index + 1] = [(fault, left - 1)] if left > 1 else []
                return fault
        return None
