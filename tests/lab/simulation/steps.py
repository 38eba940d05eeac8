"""The steps between which a process can die, named after the unit of work or the call that makes them.

A unit of the product that is not named here stops the simulation: a new step must be put into the table.
"""

from typing import Any

from appliance.model import JobKind
from appliance.store.writer import Unit

_UNITS = {
    "Engine.resume": "start",
    "Intake.receive": "intake",
    "Worker._start_all": "claim",
    "SendHandler.run": "begin",
    "SettleHandler._settle_pair": "settle",
    "CatchUpHandler._receive": "fetch",
    "CatchUpHandler._heed": "heed",
    "CatchUpHandler._channel": "watermark",
    "CatchUpHandler._review": "review",
    "CatchUpHandler._trust": "review",
    "Overheard": "overheard",
    "FollowUpHandler": "follow_up",
    "Engine._reconcile": "tick",
    "Schedule.tick": "tick",
    "Timekeeper": "replan",
    "Life.report": "callback",
    "Life.join": "join",
    "Outage": "outage",
    "Unheard": "unheard",
}
_RECORDED = {
    JobKind.REPLY: "reply",
    JobKind.SEND: "result",
    JobKind.SETTLE: "settled",
    JobKind.CATCH_UP: "caught_up",
    JobKind.FOLLOW_UP: "followed_up",
    JobKind.HOUSEKEEPING: "swept",
    JobKind.IDLE: "swept",
    JobKind.EXPIRED: "swept",
}


def step_of(unit: Unit) -> tuple[str, tuple[int, ...]]:
    """The step a unit of work is, and the outbox rows it is about. Raises KeyError for one that is not named here."""
    owner = unit.__qualname__.partition(".<locals>")[0]
    if owner == "Worker._record":
        job = _free(unit, "job")
        return _RECORDED[job.kind], tuple(row for name, row in job.payload.items() if name == "outbox")
    step = _UNITS.get(owner) or _UNITS[owner.partition(".")[0]]
    match step:
        case "begin":
            return step, (_free(unit, "job").payload["outbox"],)
        case "callback":
            return step, (int(_free(unit, "report").reference.partition(".")[0]),)
        case "settle":
            return step, tuple(claim.row.id for claim in _free(unit, "doubtful"))
    return step, ()


def _free(unit: Unit, name: str) -> Any:
    assert unit.__closure__ is not None
    return unit.__closure__[unit.__code__.co_freevars.index(name)].cell_contents
