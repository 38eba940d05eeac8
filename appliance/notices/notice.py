"""A kind of trouble in words: what it is called, what happened, what happens by itself, and one thing to do."""

from dataclasses import dataclass

MINUTES = 60  # seconds


@dataclass(frozen=True, slots=True)
class Notice:
    """English, with {facts} of the card; the translations have the same words as keys.

    `closes`: when it takes itself back. `waits`: how many customers wait is told behind the text. `is_state`: it lasts
    as long as what it tells of, so nobody can put it away. `alert_after`: seconds that it must be open before anybody
    is told elsewhere, for what mostly settles itself. `priority`: 1 to 5, as ntfy has them.
    """

    title: str
    text: str
    itself: str
    todo: str
    closes: str
    waits: bool = False
    is_state: bool = False
    alert_after: int = 0
    priority: int = 3
    tags: str = "bell"
