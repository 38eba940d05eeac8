"""How long sends stay in doubt, in virtual time, and how many answers end as a card because nobody can know."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from appliance.model import SECOND
from tests.lab.inline import Database
from tests.lab.simulation.world import World

Span = tuple[int, int]


@dataclass(slots=True)
class Doubts:
    seconds: Counter[int] = field(default_factory=Counter)  # from the attempt to the verdict → how many
    answers: int = 0  # what the appliance wanted to say, over all runs
    parked: int = 0  # of these
    _open: dict[int, int] = field(default_factory=dict)

    def before(self, database: Database) -> None:
        """A unit that may settle something is about to run."""
        self._open = dict(database.rows("SELECT id, sending_at FROM outbox WHERE state = 'doubt'"))

    def after(self, database: Database, world: World) -> None:
        still = {row[0] for row in database.rows("SELECT id FROM outbox WHERE state = 'doubt'")}
        for row, since in self._open.items():
            if row not in still:
                self.seconds[(world.now - since - _covered((since, world.now), world.blind())) // SECOND] += 1

    def count(self, database: Database) -> None:
        """At the end of a run."""
        answers, parked = database.rows("SELECT count(*), count(*) FILTER (WHERE state = 'parked') FROM outbox")[0]
        self.answers += answers
        self.parked += parked

    def add(self, other: "Doubts") -> None:
        self.seconds += other.seconds
        self.answers += other.answers
        self.parked += other.parked

    def figures(self) -> dict[str, float | str]:
        return {
            "doubts": self.seconds.total(),
            "p50_s": self.within(0.5),
            "p99_s": self.within(0.99),
            "longest_s": max(self.seconds, default=0),
            "answers": self.answers,
            "parked": self.parked,
            "parked_share": f"{self.parked / max(self.answers, 1):.4%}",
        }

    def within(self, share: float) -> int:
        """In how many seconds this share of the doubts was settled."""
        left = share * self.seconds.total()
        for seconds in sorted(self.seconds):
            left -= self.seconds[seconds]
            if left <= 0:
                return seconds
        return 0


def _covered(span: Span, blind: Iterable[Span]) -> int:
    """How much of a span lies in any of the others."""
    covered, end = 0, span[0]
    for start, stop in sorted(blind):
        part = min(stop, span[1]) - max(start, end)
        covered += max(part, 0)
        end = max(end, min(stop, span[1]))
    return covered
