"""Writes tests/lab/RESIDUAL.md from a run of its own: what is left to be sent twice, and what is waited for the rest.

python -m tests.lab.residue
"""

from pathlib import Path

from tests.lab.simulation.residual import CELLS, TRAFFIC, Cell
from tests.lab.simulation.waiting import Residue, compared

PLACE = Path(__file__).with_name("RESIDUAL.md")
HEAD = """\
# What is left to be sent twice

One send whose outcome is unknown, in virtual time. Twilio's list is late in one of five ways: all messages alike
(ordered), each on its own, all that our number sends (channel), one shard in four, or by the replica that happens to
answer, so that what was shown is gone again (replicas). The lag is in graces (`twilio.doubt_grace`, three minutes). The
process is killed once, at each step of the answer in turn, or not at all. `.venv/bin/python -m tests.lab.residue` writes
this page; both rules are of one run.

*Before*: absent is what one read at the grace after the last attempt does not show, under the exact address, and it is
sent again without another look. *Now*: evidence from the first attempt on, two reads a grace apart of which the second
shows a younger message, or one at four graces; and one more directly before the POST.

*Doubled*: runs in which a customer got an answer twice, of so many. *Waited*: milliseconds from the customer's message to
its answer where Twilio had not taken the first POST, median and longest (the process was killed again at the second
POST: a second doubt); *busy*: other customers write every two minutes, *quiet*: nobody does. Callbacks that come are lost
where the process is dead at that moment.

| list late | by graces | callbacks | runs | doubled before | doubled now | waited, busy, before | now | waited, quiet, before | now |
|---|---|---|---|---|---|---|---|---|---|
"""


def row(cell: Cell, before: Residue, now: Residue) -> str:
    runs = f"{before.runs:,} / {now.runs:,}"
    waits = [f"{each.median(traffic):,} … {each.worst(traffic):,}" for traffic in TRAFFIC for each in (before, now)]
    cells = [cell.kind, f"{cell.graces:g}", cell.callbacks, runs, before.doubled, now.doubled, *waits]
    return f"| {' | '.join(map(str, cells))} |\n"


def main() -> None:
    measured = compared(2, CELLS)
    rows = [row(cell, *both) for cell, both in zip(CELLS, measured, strict=True)]
    PLACE.write_text(HEAD + "".join(rows), "utf-8")


if __name__ == "__main__":
    main()
