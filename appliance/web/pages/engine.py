"""/engine: every part of the box, what it works on, what it gave up, what it does not know; a report for support."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from appliance import __version__
from appliance.errors import RequestError
from appliance.model import MAIN, SECOND, JobKind, masked
from appliance.notices.translation import translated
from appliance.operations import dead_letters, jobs
from appliance.operations.machine import machine
from appliance.operations.status import PHASES, complete
from appliance.store import Tx
from appliance.store.box import Fact
from appliance.web.desk import Desk
from appliance.web.pages import parts, statement
from appliance.web.pages.books import Books
from appliance.web.pages.checks import Checks
from appliance.web.pages.page import Page, back
from appliance.web.pages.phones import written
from appliance.web.pages.report import report
from appliance.web.pages.site import Site

LETTERS, DOUBTS, ORPHANS = 50, 50, 1_000  # that are looked at


@dataclass(frozen=True, slots=True)
class Number:
    """That somebody wrote to and that is nobody's here. `add`: the command that makes it ours."""

    address: str
    count: int
    last_at: int
    add: str


class Engine:
    def __init__(self, desk: Desk, books: Books, checks: Checks) -> None:
        self._store = desk.store
        self._books = books
        self._checks = checks

    def add_to(self, site: Site) -> None:
        site.get("/engine", self.engine, box=True)
        site.get("/engine/report", self.report, box=True)
        site.post("/engine/dead-letters/retry", self.retry_all, shows=self.engine, box=True)
        site.post("/engine/doubts/look", self.look_at_doubts, shows=self.engine, box=True)
        site.at_stop(self._stop)

    async def _stop(self, _app: web.Application) -> None:
        await self._books.stop()

    async def engine(self, page: Page) -> web.StreamResponse:
        self._books.look(page.words.now)

        def look(tx: Tx) -> Mapping[str, object]:
            oldest = tx.counts.oldest_waiting()
            return {
                "parts": list(parts.of_the_box(tx, page)),
                "checked_at": self._checks.at,
                "work": complete(PHASES, tx.counts.queue()),
                "oldest": None if oldest is None else max(0, tx.now - oldest) / SECOND,
                "letters": tx.letters.page(None, LETTERS),
                "doubts": tx.history.unsure_in_the_box(DOUBTS),
                "masked": masked,
                "told": lambda error: translated(error, page.words.language),
                "reply": JobKind.REPLY,
                "numbers": list(_numbers(tx)),
                "version": __version__,
                "machine": machine(),
                "started_at": page.desk.started_at,
                "directory": str(page.desk.store.directory),
                "source": page.desk.config.source,
                "books": self._books,
                **statement.section(tx, page.visit.organization, page.words),
            }

        return await page.show("engine.html", look)

    async def retry_all(self, page: Page) -> web.StreamResponse:
        """But for those of which nobody knows whether the customer has an answer: they are retried one by one."""
        by, config = page.visit.user.email, page.desk.config
        _, refused = await dead_letters.each(
            self._store, lambda tx, letter: dead_letters.retry(tx, letter, by, config), clear=True
        )
        page.desk.bell.ring()
        if refused:
            raise RequestError(
                "refused", "Some could not be tried again; each says why when you try it alone.", status=409
            )
        raise back("/engine")

    async def look_at_doubts(self, page: Page) -> web.StreamResponse:
        await page.write(jobs.look_at_doubts)
        raise back("/engine")

    async def report(self, page: Page) -> web.StreamResponse:
        text = await report(page.desk, self._checks)
        headers = {"Content-Disposition": 'attachment; filename="appliance-report.txt"'}
        return web.Response(text=text, content_type="text/plain", headers=headers)


def _numbers(tx: Tx) -> Iterator[Number]:
    for row in tx.history.orphaned_numbers_in_the_box(ORPHANS):
        account = tx.box.get(Fact.ACCOUNT_OF, row["account_sid"])
        command = f"appliance channel add {shlex.quote(row['recipient'])}"
        if account not in (None, MAIN):
            command += f" --account {shlex.quote(str(account))}"
        yield Number(written(row["recipient"]), row["count"], row["last_at"], command if account else "")
