"""What `status` shows: the sentence, what is below it, each card; once, or again and again."""

import asyncio
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import click

from appliance import __version__
from appliance.cli.client import Api, beside, nowhere, talk
from appliance.cli.render import one_line, say, wrapped
from appliance.config import Config
from appliance.config.sections import NO_FILE, Storage
from appliance.errors import AlreadyRunningError, ApplianceError, NothingThereError
from appliance.model import SECOND
from appliance.notices.sentences import Reader
from appliance.operations import lines
from appliance.operations.verdict import Kind, not_running

EVERY = 2.0  # seconds
PATIENCE = 60.0  # seconds for an answer
AT_MOST = 10  # cards, the most urgent ones
WIDEST = 100  # columns
HOME, TO_END_OF_LINE, TO_END = "\x1b[H", "\x1b[K", "\x1b[J"


@dataclass(frozen=True, slots=True)
class Seen:
    """`figures`: of GET status; `cards`: of GET cards; `fault`: why they are not those of now."""

    figures: dict[str, Any]
    cards: list[dict[str, Any]]
    fault: str = ""

    @property
    def exit_status(self) -> int:
        figures = self.figures
        return 0 if figures["running"] and not (figures["reasons"] or figures["cards"] or self.fault) else 1


def look(config: Config, *, totals: bool) -> Seen:
    """`totals`: also the counts of everything there ever was. Raises ApplianceError."""
    try:
        return talk(config, lambda api: fetch(api, totals=totals), makes=False)
    except AlreadyRunningError as error:  # not "stop it first"
        raise ApplianceError(
            f"An appliance is starting, or hangs: nothing answers for {config.storage.directory}."
        ) from error
    except NothingThereError as error:
        if config.source == NO_FILE and config.storage.directory == Storage().directory:
            raise nowhere(f"there is no database in {config.storage.directory}") from error
        return absent(None, Reader(config.server.language or "en", "UTC", 0))


async def fetch(api: Api, *, totals: bool) -> Seen:
    try:
        async with asyncio.timeout(PATIENCE):
            figures = await api.get("status", totals=int(totals))
            return Seen(figures, (await api.get("cards"))["cards"])
    except TimeoutError:
        raise ApplianceError(f"The appliance runs and does not answer within {PATIENCE:g} s.") from None


def absent(since: int | None, reader: Reader) -> Seen:
    """There is nobody to ask. `since`: ms UTC, None where it never ran."""
    verdict = {"kind": Kind.NOT_RUNNING.value, "sentence": not_running(since, reader)}
    about = {"language": reader.language, "timezone": reader.timezone, "lines": [], "reasons": [], "cards": 0}
    state = {"version": __version__, "running": False, "started_at": None, "stopped_at": since, "verdict": verdict}
    return Seen({**state, **about}, [])


def told(seen: Seen) -> Iterator[str]:
    """Lines for a terminal."""
    figures, width = seen.figures, min(shutil.get_terminal_size().columns, WIDEST)
    if seen.fault:
        yield from wrapped(one_line(seen.fault), width)
        return
    reader = Reader(figures["language"], figures["timezone"], int(time.time() * SECOND))
    yield from wrapped(one_line(figures["verdict"]["sentence"]), width)
    if figures["lines"]:
        yield ""
    for line in figures["lines"]:
        yield from wrapped(one_line(line), width)
    urgent = sorted(seen.cards, key=lambda card: -card["priority"])[:AT_MOST]
    for card in urgent:
        heading, *rest = lines.card(card, reader, running=figures["running"])
        yield from ("", *wrapped(one_line(heading), width))
        for line in rest:
            yield from ("  " + part for part in wrapped(one_line(line), width - 2))
    if more := figures["cards"] - len(urgent):
        yield from ("", lines.more(more, reader))


def watch(config: Config) -> int:
    """For ever, whether it runs or not; the exit status at Ctrl-C.

    Only at the beginning this stands in for an appliance that does not run: doing so again and again, it would hold the
    lock just when one starts.
    """
    seen = None
    try:
        seen = look(config, totals=False)
        while True:
            draw(list(told(seen)))
            time.sleep(EVERY)
            seen = asyncio.run(_again(config, seen))
    except KeyboardInterrupt:
        return 1 if seen is None else seen.exit_status


async def _again(config: Config, before: Seen) -> Seen:
    async with beside(config) as api:
        if api is not None:
            try:
                return await fetch(api, totals=False)
            except ApplianceError as error:  # it ends just now, or hangs
                return replace(before, fault=str(error))
    if not before.figures["running"]:
        return before
    now = int(time.time() * SECOND)
    return absent(now, Reader(before.figures["language"], before.figures["timezone"], now))


def draw(shown: list[str]) -> None:
    """In place on a terminal, below each other elsewhere."""
    if not sys.stdout.isatty():
        say([*shown, "-" * 20])
        return
    height = shutil.get_terminal_size().lines - 1
    click.echo(HOME + "".join(f"{line}{TO_END_OF_LINE}\n" for line in shown[:height]) + TO_END, nl=False)
