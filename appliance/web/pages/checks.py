"""What `appliance check --online` finds, asked for on a page; the last result is kept in memory."""

import asyncio
from collections.abc import Sequence

from appliance.diagnosis.finding import Finding, Kind
from appliance.web.desk import Desk

PATIENCE = 60.0  # seconds


class Checks:
    """One for all pages. `at`: when it was asked last (ms UTC); None: not since the start."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._busy = asyncio.Lock()
        self.at: int | None = None
        self.findings: Sequence[Finding] = ()

    async def run(self) -> None:
        """Ask everything outside now; who comes while somebody else's is under way gets that one's result."""
        if self._busy.locked():
            async with self._busy:
                return
        async with self._busy, asyncio.timeout(PATIENCE):
            self.findings = await self._desk.examine()
            self.at = await self._desk.store.read(lambda tx: tx.now)

    @property
    def is_reached(self) -> bool:
        """Whether a call from outside came in as it should."""
        return any(each.kind == Kind.WAY_IN for each in self.findings)
