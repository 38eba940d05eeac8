"""Boxes whose process has a library of ours between it and the kernel: it counts its system calls, or moves its clock."""

from typing import ClassVar, Self

from tests.lab.faults.forked import ForkedBox
from tests.lab.faults.library import Shared, preload


class PreloadedBox(ForkedBox):
    source: ClassVar[str]

    async def __aenter__(self) -> Self:
        self._shared = Shared(self.directory / "shared")
        self._stack.callback(self._shared.close)
        self.environment = preload(self.source, self._shared)
        return await super().__aenter__()


class CountedBox(PreloadedBox):
    """Shares whether it is armed, the count, and where to die."""

    source = "killer"

    def arm(self, kill_at: int) -> None:
        """Count from here on; die before that call. 0: never."""
        self._shared.put(0, 0, 0)
        self._shared.put(1, 0, kill_at)

    def disarm(self) -> None:
        self._shared.put(0, 0, 0)

    @property
    def count(self) -> int:
        return self._shared.get(1)


class MovedBox(PreloadedBox):
    """Shares how many seconds its clock is from ours."""

    source = "clock"

    def move(self, seconds: int) -> None:
        self._shared.put(seconds)
