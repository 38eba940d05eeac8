"""The lock that keeps a second process away from the storage directory, held for life.

Whoever holds it is named in it. A process that ends well takes its name out; a name that is found there is of one that
died. Both are written over what stands there, which also works on a full disk.
"""

import fcntl
import os
from pathlib import Path

from appliance.errors import AlreadyRunningError

WIDTH = 16  # bytes


class Lock:
    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"
        self._descriptor: int | None = None
        self.tells_of_death = False  # of the last holder, until somebody has taken up what it left

    def take(self) -> None:
        """Raises AlreadyRunningError, naming the process that has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise AlreadyRunningError(
                f"Another appliance (process {holder}) is using {self._path.parent}; stop it first."
            ) from None
        self.tells_of_death = os.pread(descriptor, WIDTH, 0).strip() != b""
        os.pwrite(descriptor, f"{os.getpid()}\n".encode().rjust(WIDTH), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            if not self.tells_of_death:  # else the next one must hear of it too
                os.pwrite(self._descriptor, b"\n".rjust(WIDTH), 0)
            os.close(self._descriptor)
            self._descriptor = None
