"""What servers of models really answer and how they refuse, recorded from public reports; each with its source.

`expected`: what comes of it. `answer`: the customer reads "Hello". `nothing`: nothing in it may be sent. `adapts`: asked
again in other words. `for_all`: the owner must act, and is told `told`. `waits`: later. `fails`: counts as a failure of
the provider. `own`: this one message is refused. Where a report has only some fields, the rest are the protocol's.
Where it has an answer, "Hello" stands in its place, and INTERNAL in what must never be sent.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

HELLO = "Hello"
INTERNAL = "INTERNAL"


@dataclass(frozen=True)
class Recorded:
    name: str
    source: str
    status: int
    expected: Literal["answer", "nothing", "adapts", "for_all", "waits", "fails", "own"]
    body: Any = None
    text: str = ""  # a body that is no JSON
    told: str = ""
    hidden: str = ""  # a secret in the words


def load() -> dict[str, Recorded]:
    """By server and name."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.json")):
        for record in msgspec.json.decode(path.read_bytes(), type=list[Recorded]):
            found[f"{path.stem}: {record.name}"] = record
    return found


RECORDED = load()
