"""A box whose process counts its system calls and dies before the n-th of them."""

import mmap
import os
import struct
import subprocess
from pathlib import Path
from typing import Self

from lab.faults.forked import ForkedBox

SOURCE = Path(__file__).with_name("killer.c")


class Counters:
    """What the counter in the process and the test share: armed, count, kill_at."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(mmap.PAGESIZE))
        self._file = os.open(path, os.O_RDWR)
        self._memory = mmap.mmap(self._file, mmap.PAGESIZE)

    def arm(self, kill_at: int) -> None:
        """Count from here on; die before that call. 0: never."""
        self._put(0, 0, 0)
        self._put(1, 0, kill_at)

    def disarm(self) -> None:
        self._put(0, 0, 0)

    def _put(self, armed: int, count: int, kill_at: int) -> None:
        self._memory[:24] = struct.pack("lll", armed, count, kill_at)

    @property
    def count(self) -> int:
        return int(struct.unpack_from("l", self._memory, 8)[0])

    def close(self) -> None:
        self._memory.close()
        os.close(self._file)


class CountedBox(ForkedBox):
    async def __aenter__(self) -> Self:
        library, place = self.directory / "killer.so", self.directory / "counters"
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
        self.counters = Counters(place)
        self._stack.callback(self.counters.close)
        self.environment |= {"LD_PRELOAD": str(library), "LAB_COUNTERS": str(place)}
        return await super().__aenter__()
