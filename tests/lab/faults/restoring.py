"""Restores a copy again and again, killed before each of its system calls; a process of its own, for LD_PRELOAD.

Prints one line for each kill: what the next start finds, as JSON.
"""

import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from appliance import restoration
from appliance.store.box import Fact
from appliance.store.database import FILE_NAME
from appliance.store.restoration import complete, put_back
from tests.lab.faults.library import Shared


def main(counters: str, present: Path, copy: Path, directory: Path) -> None:
    shared, number = Shared(Path(counters)), 0
    while True:
        number += 1
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(present, directory)
        if (pid := os.fork()) == 0:
            shared.put(1, 0, number)
            put_back(copy, directory, lambda: 1, restoration.distrust)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            assert status == 0, "the restoration itself failed"
            return  # no system call was left to be killed before
        print(json.dumps(found(directory)), flush=True)


def found(directory: Path) -> dict[str, object]:
    """As Store.open does it: what was decided is finished, then the database is opened with the WAL beside it."""
    complete(directory)
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        facts = dict(connection.execute("SELECT key, value FROM box WHERE key IN ('which', ?)", (Fact.RESTORED_AT,)))
        states = [row[0] for row in connection.execute("SELECT state FROM outbox")]
    return facts | {"states": states, "leftovers": len(list(directory.glob("*incoming*")))}


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
