"""Small libraries in C that stand between the process and the kernel, and the numbers they share with the test."""

import mmap
import os
import struct
import subprocess
from pathlib import Path


def preload(source: str, shared: "Shared") -> dict[str, str]:
    """The environment of a process with one of the sources beside this file in it; they share these numbers."""
    return {"LD_PRELOAD": str(_build(source, shared.path.parent)), "LAB_SHARED": str(shared.path)}


def _build(source: str, directory: Path) -> Path:
    library = directory / f"{source}.so"
    place = Path(__file__).with_name(f"{source}.c")
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, place, "-ldl"], check=True)
    return library


class Shared:
    """A few C longs in a file that both sides map."""

    def __init__(self, path: Path) -> None:
        self.path = path
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
