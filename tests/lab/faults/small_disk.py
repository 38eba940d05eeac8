"""A disk of a few MiB that can be filled to the last byte and emptied again."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
CHUNK = 4096


class SmallDisk:
    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    def fill(self) -> None:
        """Until not one byte more can be written."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, CHUNK):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    def leave(self, mebibytes: int) -> None:
        """Fill it but for so much."""
        free = shutil.disk_usage(self.place).free - (mebibytes << 20)
        with self._ballast.open("ab", buffering=0) as file:
            for _ in range(free >> 20):
                file.write(bytes(1 << 20))

    def empty(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(place: Path, mebibytes: int) -> Iterator[SmallDisk]:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "lab", place], check=True)
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
