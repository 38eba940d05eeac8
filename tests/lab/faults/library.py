"""Small libraries in C that stand between the process and the kernel, and the numbers they share with the test."""

import mmap
import os
import struct
import subprocess
from pathlib import Path


def build(source: str, directory: Path) -> Path:
    """Compile one of the sources beside this file into a library for LD_PRELOAD."""
    library = directory / f"{source}.so"
    place = Path(__file__).with_name(f"{source}.c")
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, place, "-ldl"], check=True)
    return library


class Shared:
    """A few C longs in a file that both sides map."""

    def __init__(self, path: Path) -> None:
        if not path.exists():  # what is mapped already must not be cut
            path.write_bytes(bytes(mmap.PAGESIZE))
        self._file = os.open(path, os.O_RDWR)
        self._memory = mmap.mmap(self._file, mmap.PAGESIZE)

    def put(self, *numbers: int) -> None:
        self._memory[: 8 * len(numbers)] = struct.pack(f"{len(numbers)}l", *numbers)

    def get(self, index: int) -> int:
        return int(struct.unpack_from("l", self._memory, 8 * index)[0])

    def close(self) -> None:
        self._memory.close()
        os.close(self._file)
