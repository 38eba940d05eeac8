"""Who was forgotten, beside the database: a random key, and the list of keyed hashes that outlives every copy.

The list is on disk before anything is erased. A copy that is put back, or a file that somebody swaps, knows the
customer again; whoever opens it finds the customer on the list.
"""

import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import DatabaseError
from appliance.store.database import sync

KEY, LIST = "forgotten.key", "forgotten.list"
NOBODY = 0  # in place of a channel's id: who wrote to nobody's number
_LENGTH = 32  # bytes of the key


@dataclass(frozen=True, slots=True)
class Entry:
    """`at`: what is known of the customer from before is forgotten (ms UTC). `opted_out_at`: since when, if at all."""

    who: bytes
    at: int
    opted_out_at: int | None = None


def key_of(directory: Path) -> bytes | None:
    """None where nobody was ever forgotten. Raises DatabaseError for a key that is none."""
    try:
        key = (directory / KEY).read_bytes()
    except FileNotFoundError:
        return None
    if len(key) != _LENGTH:
        raise DatabaseError(f"{directory / KEY} is damaged: put back a copy of it, or remove it and {LIST}.")
    return key


def make_key(directory: Path) -> bytes:
    """The key, made where there is none: whole and on disk, or not there."""
    key = key_of(directory)
    if key is None:
        key = secrets.token_bytes(_LENGTH)
        _write(directory / f"{KEY}.part", os.O_TRUNC, key)
        (directory / f"{KEY}.part").rename(directory / KEY)
        sync(directory)
    return key


def keyed(key: bytes, *parts: object) -> bytes:
    return hmac.digest(key, "|".join(map(str, parts)).encode(), "sha256")


def append(directory: Path, entries: list[Entry]) -> None:
    """Returns when they are on disk. Again does no harm."""
    path = directory / LIST
    lines = [
        json.dumps({"who": entry.who.hex(), "at": entry.at, "opted_out_at": entry.opted_out_at}) for entry in entries
    ]
    torn = path.exists() and not path.read_bytes().endswith(b"\n")  # a power cut in the middle of a line
    _write(path, os.O_APPEND, ("\n" * torn + "\n".join(lines) + "\n").encode())
    sync(directory)


def _write(path: Path, flag: int, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flag, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def listed(directory: Path) -> dict[bytes, Entry]:
    """The newest entry of each; a line that was cut short is none: what it announced had not begun."""
    try:
        lines = (directory / LIST).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return {}
    found: dict[bytes, Entry] = {}
    for line in lines:
        try:
            told = json.loads(line)
            entry = Entry(bytes.fromhex(told["who"]), int(told["at"]), told["opted_out_at"])
        except (ValueError, TypeError, KeyError):
            continue
        if entry.who not in found or found[entry.who].at <= entry.at:
            found[entry.who] = entry
    return found
