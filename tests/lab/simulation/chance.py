"""Chance that fits into one integer: copied in no time, the same on every machine."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1


_FIRST_MILLION = 1_000_000


class Dice:
    """SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators")."""

    __slots__ = ("state",)

    def __init__(self, seed: int) -> None:
        self.state = (seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & _MASK

    def bits(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, bound: int) -> int:
        return self.bits() % bound

    def between(self, low: int, high: int) -> int:
        """Both ends included."""
        return low + self.bits() % (high - low + 1)

    def one_in(self, count: int) -> bool:
        return self.below(count) == 0

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def random(self) -> float:
        return self.bits() / (_MASK + 1)

    def copy(self) -> "Dice":
        other = Dice(0)
        other.state = self.state
        return other


def chance(seed: int, purpose: int) -> Dice:
    """The seed's dice for the scenario (0), the world in it (1), the faults of its box (2), trouble with Twilio (3).

    Far apart, so that no two share their throws; the first million lie side by side, and some of them are tests.
    """
    return Dice(seed + purpose if seed < _FIRST_MILLION else (seed << 20) + (purpose << 18))
