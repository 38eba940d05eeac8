"""The machine that the appliance runs on, as far as it tells."""

import platform
import resource
from dataclasses import dataclass
from pathlib import Path

from appliance.store.sql import VERSION

_MODEL = Path("/proc/device-tree/model")  # a board's
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class Machine:
    name: str
    python: str
    sqlite: str


def machine() -> Machine:
    model = _MODEL.read_text("utf-8", "replace").strip("\0 \n") if _MODEL.exists() else platform.machine()
    try:
        system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        system = platform.system()
    return Machine(f"{model}, {system}", platform.python_version(), VERSION)


def memory() -> int:
    """Bytes of main memory that this process has in use."""
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
