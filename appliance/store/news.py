"""What a unit of work has to tell. It is told once it is on disk: what is rolled back never happened."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

Level = Literal["debug", "info", "warning"]


class Event(StrEnum):
    """Those that are more than a line of the log."""

    DRAFTED = "drafted"  # an answer is written; nobody has it yet
    ANSWERED = "answered"  # Twilio has the answer to a message: one for each message
    DOUBT = "not known whether it was sent"
    FOLLOWED_UP = "asked what became of it"


@dataclass(frozen=True, slots=True)
class News:
    """`facts` hold no body, no secret and no full address. `trouble`: of which this is a sign, and which is told once
    while it lasts; `over`: those that end with this.
    """

    event: str
    level: Level = "debug"
    trouble: str = ""
    over: Collection[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


class Audience(Protocol):
    """Who hears of the writer's work."""

    def hear(self, news: News) -> None: ...

    def committed(self, seconds: float) -> None:
        """A batch is on disk; so long its COMMIT took, in which SQLite syncs the file."""


class Nobody:
    """An Audience that is not there."""

    def hear(self, news: News) -> None: ...

    def committed(self, seconds: float) -> None: ...
