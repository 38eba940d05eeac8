"""Which (step, state of the outbox row, what Twilio made of the POST) a crash can meet, and that each was met.

A triple counts where the step acts on the row. What cannot be met is said below with its reason; meeting one all the
same is a failure of this table, as is missing one of the others.
"""

from tests.lab.simulation.terms import NOT_SENT, SHAPES

Triple = tuple[str, str, str]
NONE = "none"  # nothing was handed to Twilio in this attempt
_HELD = {shape for shape, (held, _) in SHAPES.items() if held}  # Twilio has it
_PROMPT = _HELD - {"late_accept"}  # … before the caller gives up
_ABSENT = SHAPES.keys() - _HELD
_ALL = SHAPES.keys() | {NONE}
_DOUBTFUL = SHAPES.keys() - {"accept", "refuse", *NOT_SENT}  # the caller cannot tell
_KNOWN = ("sent", "delivered", "read", "failed")  # states in which Twilio's sid is known

_TABLE: dict[str, dict[str, set[str]]] = {
    "begin.before": {"ready": {NONE}},
    "begin.after": {"sending": {NONE}, "superseded": {NONE}, "suppressed": {NONE}, "failed": {NONE}},
    "post.before": {"sending": {NONE}},
    "post.sent": {"sending": set(SHAPES)},
    "post.arrived": {"sending": SHAPES.keys() - {"late_accept"}, "doubt": {"late_accept"}},
    "post.answered": {"sending": set(SHAPES)} | dict.fromkeys(_KNOWN, _PROMPT),
    "result.before": {"sending": set(SHAPES)} | dict.fromkeys(_KNOWN, _PROMPT),
    "result.after": dict.fromkeys(_KNOWN, _PROMPT)
    | {"ready": {NONE}, "failed": _PROMPT | {"refuse"}, "doubt": _DOUBTFUL},
    "callback.before": {"sending": _PROMPT, "doubt": _HELD} | dict.fromkeys(_KNOWN, _HELD),
    "callback.after": dict.fromkeys(_KNOWN, _HELD),
    "settle.before": {"doubt": _ALL},
    "settle.after": dict.fromkeys(_KNOWN, _HELD)
    | {"ready": {NONE}, "parked": _ABSENT | {NONE}, "superseded": (_ABSENT - {"refuse", *NOT_SENT}) | {NONE}}
    | {"doubt": _ALL},
    "start.before": {"sending": _ALL},
    "start.after": {"doubt": _ALL},
}
REACHABLE: frozenset[Triple] = frozenset(
    (step, state, shape) for step, states in _TABLE.items() for state, shapes in states.items() for shape in shapes
)
_STEPS = {step for step, _, _ in REACHABLE}
UNREACHABLE = {
    "ready, superseded, suppressed × an outcome": "the row stands for an attempt that has not been made",
    "post.sent × a state other than sending": "the row is set to sending before the POST, callbacks need Twilio's answer",
    "post.arrived × late_accept × sending": "the caller has given up, and the row is in doubt",
    "post.arrived × doubt × another shape": "a request is on the wire for a third of a second, a restart takes one",
    "post.answered × a known state × an absent shape": "nothing calls back for what Twilio does not have",
    "callback × an absent shape": "nothing calls back for what Twilio does not have",
    "callback × ready or parked": "both need proof of absence from a complete list, read after the grace",
    "settle × sending": "a contact that is being written to is not settled",
    "settle.after × parked × a held shape": "the list shows it before it can be called absent: the lag is that short",
    "start.after × sending": "whatever was sending when the process died is in doubt",
}


def counts(step: str) -> bool:
    """Whether a crash at these joined steps can meet a triple at all."""
    names, _, when = step.partition(".")
    return any(f"{name}.{when}" in _STEPS for name in names.split("+"))


def triples(step: str, state: str, shape: str, *, own: bool) -> list[Triple]:
    """What a crash at these joined steps counts for a row. `own`: this life made the row's POST."""
    names, _, when = step.partition(".")
    found = []
    for name in names.split("+"):
        outcome = NONE if name == "begin" or state == "ready" else shape
        if _acts(name, when, state, own=own and not (state == "failed" and shape in NOT_SENT)):
            found.append((f"{name}.{when}", state, outcome))
    return found


def _acts(name: str, when: str, state: str, *, own: bool) -> bool:
    match name:
        case "begin":
            return state == "ready" if when == "before" else state in ("sending", "superseded", "suppressed", "failed")
        case "post":
            return True
        case "result":
            return state == "ready" or (own and state not in ("superseded", "suppressed"))  # ready: the attempt is void
        case "start":
            return state == ("sending" if when == "before" else "doubt")
        case "callback" | "settle":
            return True
    return False
