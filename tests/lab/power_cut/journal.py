"""What a disk was told, in order, and the states it may be in when the power goes.

What was synced is there. Of what was not, any part may be: none, all, some writes without earlier ones, and each write
only in some of its sectors. A name that was not synced with its directory may be missing or be the old one.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

SECTOR = 512
Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Step:
    """`kind`: create, write, truncate, sync, sync_dir, delete, rename. Times are places in the journal."""

    kind: str
    file: int = 0
    name: str = ""
    new_name: str = ""
    at: int = 0
    data: bytes = b""


@dataclass(slots=True)
class Disk:
    """Contents by file number, numbers by name."""

    contents: dict[int, bytearray] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "Disk":
        return Disk({file: content[:] for file, content in self.contents.items()}, dict(self.names))

    def change(self, step: Step) -> None:
        content = self.contents.setdefault(step.file, bytearray())
        if step.kind == "truncate":
            del content[step.at :]
            content.extend(bytes(step.at - len(content)))
        elif step.kind == "write":
            content.extend(bytes(max(0, step.at - len(content))))
            content[step.at : step.at + len(step.data)] = step.data

    def name(self, step: Step) -> None:
        if step.kind == "create":
            self.names[step.name] = step.file
        elif step.kind == "delete":
            self.names.pop(step.name, None)
        else:
            self.names[step.new_name] = self.names.pop(step.name)

    def files(self) -> Files:
        return {name: bytes(self.contents.get(file, b"")) for name, file in self.names.items()}


@dataclass(frozen=True, slots=True)
class Promise:
    """What the outside had been told when the power went: batches acknowledged, rows handed to Twilio."""

    place: int
    batches: int
    handed: tuple[int, ...]


class Journal:
    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.promises = [Promise(0, 0, ())]

    def write(self, step: Step) -> None:
        self.steps.append(step)

    def promise(self, batches: int, handed: tuple[int, ...]) -> None:
        self.promises.append(Promise(len(self.steps), batches, handed))


@dataclass(frozen=True, slots=True)
class Image:
    files: Files
    promise: Promise
    place: int
    shape: str


class Cutter:
    """Goes through a journal; at each place it builds images of what the disk may hold."""

    def __init__(self, journal: Journal, seed: int) -> None:
        self._journal = journal
        self._chance = random.Random(seed)
        self._durable = Disk()
        self._changes: list[Step] = []  # since their file was synced
        self._namings: list[Step] = []  # since the directory was synced
        self._seen: set[object] = set()

    def images(self, each: int, every: int = 1, first: int = 0) -> Iterator[Image]:
        """At most `each` images, no two alike, at every place that is `first` modulo `every`."""
        waiting = list(self._journal.promises)
        promise = waiting.pop(0)
        for place, step in enumerate(self._journal.steps, 1):
            while waiting and waiting[0].place < place:
                promise = waiting.pop(0)
            self._take(step)
            after = [later for later in waiting if later.place == place]
            if place % every == first:
                yield from self._cut(place, after[-1] if after else promise, each)

    def _take(self, step: Step) -> None:
        if step.kind == "sync":
            for change in [change for change in self._changes if change.file == step.file]:
                self._durable.change(change)
            self._changes = [change for change in self._changes if change.file != step.file]
        elif step.kind == "sync_dir":
            for naming in self._namings:
                self._durable.name(naming)
            self._namings = []
        elif step.kind in ("write", "truncate"):
            self._changes.append(step)
        else:
            self._namings.append(step)

    def _cut(self, place: int, promise: Promise, each: int) -> Iterator[Image]:
        for number in range(each):
            shape = ("dropped", "kept", "subset", "torn")[min(number, 2 + number % 2)]
            namings, chosen = self._choose(shape)
            key = (promise, namings, tuple(chosen))
            if key not in self._seen:
                self._seen.add(key)
                yield Image(self._build(namings, chosen), promise, place, shape)
        self._forget()

    def _forget(self) -> None:
        """Images of one place can equal only those of the places since the last sync."""
        if not self._changes and not self._namings:
            self._seen.clear()

    def _choose(self, shape: str) -> tuple[int, list[tuple[int, int]]]:
        """How many of the namings took place, and (number of a change, its sectors as bits; -1 all)."""
        changes = range(len(self._changes))
        if shape == "dropped":
            return 0, []
        if shape == "kept":
            return len(self._namings), [(number, -1) for number in changes]
        share = self._chance.choice((0.1, 0.5, 0.9))
        kept = [number for number in changes if self._chance.random() < share]
        return self._chance.randint(0, len(self._namings)), [(number, self._sectors(shape, number)) for number in kept]

    def _sectors(self, shape: str, number: int) -> int:
        change = self._changes[number]
        if shape != "torn" or change.kind == "truncate" or self._chance.random() < 0.5:
            return -1
        return self._chance.getrandbits((change.at % SECTOR + len(change.data)) // SECTOR + 1)

    def _build(self, namings: int, chosen: list[tuple[int, int]]) -> Files:
        disk = self._durable.copy()
        for naming in self._namings[:namings]:
            disk.name(naming)
        for number, sectors in chosen:
            for part in _parts(self._changes[number], sectors):
                disk.change(part)
        return disk.files()


def _parts(change: Step, sectors: int) -> Iterator[Step]:
    """The parts of a write that reached the disk, cut where the disk's sectors end."""
    if sectors == -1:
        yield change
        return
    first = change.at // SECTOR
    end = change.at + len(change.data)
    for sector in range(first, (end + SECTOR - 1) // SECTOR):
        if sectors >> (sector - first) & 1:
            start, stop = max(change.at, sector * SECTOR), min(end, (sector + 1) * SECTOR)
            yield Step("write", change.file, at=start, data=change.data[start - change.at : stop - change.at])
