"""A process that has imported the appliance already and forks it on demand: a real process, ten times sooner.

On standard input: {"arguments", "environment"} of a command; on standard output: "started <pid>" and, when it ends,
"ended <pid> <exit status>". BROKEN in its environment names what is taken away from the product, as `module.function` of tests.support.
"""

import importlib
import json
import os
import select
import sys

from appliance import app  # noqa: F401
from appliance.__main__ import main
from appliance.cli import serve  # noqa: F401
from appliance.twilio import log, sender  # noqa: F401  # imported once, for every child

LOOK = 0.005  # seconds between two looks for ended children


def live(arguments: list[str], environment: dict[str, str]) -> None:
    """What the command line does with these; never returns."""
    status = 1
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(0, 1)
    sys.argv = ["appliance", *arguments]
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(status)


def look_for_ended() -> None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return
    if pid:
        print("ended", pid, os.waitstatus_to_exitcode(status), flush=True)


def take_away(name: str) -> None:
    import pytest

    module, _, function = name.rpartition(".")
    getattr(importlib.import_module(f"tests.support.{module}"), function)(pytest.MonkeyPatch())


def serve_orders() -> None:
    if name := os.environ.get("BROKEN"):
        take_away(name)
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], LOOK)
        if readable:
            order = sys.stdin.readline()
            if not order:
                return
            pid = os.fork()
            if pid == 0:
                live(**json.loads(order))
            print("started", pid, flush=True)
        look_for_ended()


if __name__ == "__main__":
    serve_orders()
