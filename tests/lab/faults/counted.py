"""A box whose process counts its system calls and dies before the n-th of them."""

from typing import Self

from lab.faults.forked import ForkedBox
from lab.faults.library import Shared, build


class Counters(Shared):
    """Armed, count, kill_at."""

    def arm(self, kill_at: int) -> None:
        """Count from here on; die before that call. 0: never."""
        self.put(0, 0, 0)
        self.put(1, 0, kill_at)

    def disarm(self) -> None:
        self.put(0, 0, 0)

    @property
    def count(self) -> int:
        return self.get(1)


class CountedBox(ForkedBox):
    async def __aenter__(self) -> Self:
        place = self.directory / "counters"
        self.counters = Counters(place)
        self._stack.callback(self.counters.close)
        self.environment = {"LD_PRELOAD": str(build("killer", self.directory)), "LAB_COUNTERS": str(place)}
        return await super().__aenter__()
