"""A file of zeros that is given back when the disk is full, so that what is under way can still be written."""

import os
import shutil
from pathlib import Path

SIZE = 8 * 1024 * 1024


class Reserve:
    def __init__(self, directory: Path, size: int = SIZE) -> None:
        self._path = directory / "reserve"
        self._size = size

    def keep(self) -> None:
        """Set the space aside where there is plenty; otherwise later."""
        present = self._path.exists() and self._path.stat().st_size == self._size
        if present or shutil.disk_usage(self._path.parent).free < 4 * self._size:
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size)
        finally:
            os.close(descriptor)

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
