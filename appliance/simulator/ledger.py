"""Twilio's own log: every message it knows. Append-only, one JSON line per change; a sid's last line is in force."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from appliance.wire import Media

UNSENT = frozenset({"accepted", "scheduled", "queued"})
FINAL = frozenset({"received", "delivered", "read", "undelivered", "failed", "canceled"})


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One status a message took, at milliseconds UTC."""

    at: int
    status: str
    error_code: int | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename={"sender": "from", "recipient": "to"}):
    """One message. Times are milliseconds UTC; direction is `inbound`, `outbound-api` or `outbound-reply`."""

    sid: str
    account_sid: str
    direction: str
    sender: str
    recipient: str
    body: str
    status: str
    date_created: int
    date_updated: int
    date_sent: int | None = None
    error_code: int | None = None
    media: tuple[Media, ...] = ()
    status_callback: str = ""
    validity: int = 36_000  # seconds that it may wait in the queue
    service: str = ""  # the Messaging Service that it goes through
    opt_out: str = ""  # STOP or START, when this inbound message changed what may be sent back
    history: tuple[Change, ...] = ()
    deleted: bool = False
    price: str | None = None  # Twilio says it some time after the message was sent

    @property
    def inbound(self) -> bool:
        return self.direction == "inbound"

    @property
    def shown_sender(self) -> str | None:
        """From as Twilio tells it: a Messaging Service has not chosen a number yet while it holds the message."""
        return None if self.service and self.unsent else self.sender

    @property
    def unsent(self) -> bool:
        return self.status in UNSENT

    @property
    def finished(self) -> bool:
        return self.status in FINAL


class Ledger:
    """All entries in the order Twilio got them. `path` None keeps them in memory only.

    Raises OSError when the file cannot be used and msgspec.DecodeError when it is not a ledger.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.listeners: set[Callable[[Entry], None]] = set()
        self._entries: dict[str, Entry] = {}
        self._opted_out: set[tuple[str, str]] = set()
        self._last_inbound: dict[tuple[str, str], int] = {}
        self._file: BinaryIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            self._file.seek(0)
            lines = self._file.read().splitlines(keepends=True)
            if lines and not lines[-1].endswith(b"\n"):
                # A killed process leaves a torn last line; appending to it would spoil the next one as well.
                torn = lines.pop()
                self._file.truncate(self._file.tell() - len(torn))
            for line in lines:
                self._apply(msgspec.json.decode(line, type=Entry))

    def _apply(self, entry: Entry) -> None:
        if entry.inbound and entry.sid not in self._entries:
            pair = (entry.sender, entry.recipient)
            self._last_inbound[pair] = entry.date_created
            if entry.opt_out == "STOP":
                self._opted_out.add(pair)
            elif entry.opt_out == "START":
                self._opted_out.discard(pair)
        self._entries[entry.sid] = entry

    def record(self, entry: Entry) -> Entry:
        """Write an entry, new or changed, and tell the listeners."""
        if self._file is not None:
            self._file.write(msgspec.json.encode(entry) + b"\n")
            self._file.flush()
        self._apply(entry)
        for listener in tuple(self.listeners):
            listener(entry)
        return entry

    def erase(self, entry: Entry) -> None:
        """Deleted or redacted: in the file nothing of what it was is left either.

        Twilio keeps who opted out apart from the messages; here it lasts until the simulator ends.
        """
        self._entries[entry.sid] = entry
        if self._file is not None:
            path = Path(self._file.name)
            fresh = path.with_name(f"{path.name}.part")
            fresh.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in self._entries.values()))
            self._file.close()
            fresh.replace(path)
            self._file = path.open("ab")
        for listener in tuple(self.listeners):
            listener(entry)

    def set_status(self, entry: Entry, status: str, at: int, error_code: int | None = None) -> Entry:
        """Move a message to another status and remember when."""
        return self.record(
            msgspec.structs.replace(
                entry,
                status=status,
                error_code=error_code,
                date_updated=at,
                date_sent=at if status == "sent" else entry.date_sent,
                history=(*entry.history, Change(at, status, error_code)),
            )
        )

    def get(self, sid: str) -> Entry | None:
        entry = self._entries.get(sid)
        return None if entry is None or entry.deleted else entry

    def __iter__(self) -> Iterator[Entry]:
        """What is not deleted, oldest first."""
        return (entry for entry in list(self._entries.values()) if not entry.deleted)

    def numbered(self) -> Iterator[tuple[int, Entry]]:
        """What is not deleted, each with its place in the order Twilio got them, which never changes."""
        return ((number, entry) for number, entry in enumerate(list(self._entries.values())) if not entry.deleted)

    def opted_out(self, contact: str, channel: str) -> bool:
        return (contact, channel) in self._opted_out

    def last_inbound(self, contact: str, channel: str) -> int | None:
        """When the contact last wrote to the channel, milliseconds UTC."""
        return self._last_inbound.get((contact, channel))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
