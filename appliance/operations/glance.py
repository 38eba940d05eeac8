"""How the box is now: one sentence, what waits, what is new today, the last backup, the links."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance import __version__
from appliance.config import Config
from appliance.links import link
from appliance.links.link import Link
from appliance.model import SECOND, Disposition
from appliance.notices.sentences import Card, Reader, notice
from appliance.operations import cards, lines, pauses
from appliance.operations.status import complete
from appliance.operations.verdict import Kind, State, Verdict, verdict
from appliance.store import Tx, backup
from appliance.store.box import Fact
from appliance.store.cards import CardKind

GRAVE = 4  # a notice's priority from which on a card of the box's state is told first
AT_MOST = 10_000  # cards


@dataclass(frozen=True, slots=True)
class Process:
    """`started_at`: ms UTC, None where no appliance runs; `untold`: cards that the disk did not take; `reasons`: why
    it is not ready. Nobody changes it meanwhile: it is looked at on another thread.
    """

    started_at: int | None
    links: Mapping[str, Link]
    untold: Sequence[Card]
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """Of a link; times in ms UTC. `state`: well, trouble or unknown; `since`: when the trouble began."""

    name: str
    state: str
    asked_at: int | None
    answered_at: int | None
    since: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Glance:
    """Times in ms UTC, `disk` in free bytes. `lines`: what to read below the sentence, in `language`.

    `reasons`: why it is not ready. `stopped_at`: since when it does not run; None where it runs or never did.
    """

    version: str
    running: bool
    reasons: list[str]
    started_at: int | None
    stopped_at: int | None
    verdict: Verdict
    lines: list[str]
    language: str
    timezone: str
    waiting: dict[str, float]
    today: dict[str, int]
    backup: dict[str, int | None]
    links: list[Heard]
    disk: int
    cards: int


def glance(tx: Tx, process: Process, config: Config, directory: Path) -> Glance:
    """Costs what is new today and what waits; never what there ever was."""
    reader, running = cards.reader(tx, None, config.server.language), process.started_at is not None
    names = [link.of_account(each.name) for each in config.accounts]
    names += [link.AI] if config.ai.provider == "llm" else []
    links = [process.links.get(name, Link(name)) for name in names]
    customers, oldest = tx.counts.customers_waiting(None), tx.counts.oldest_waiting()
    paused, beside = _paused(tx, reader)
    holds = bool(paused or beside)  # else who waits was written to, and did not write
    waited = None if oldest is None and holds else max(0, tx.now - (oldest or tx.now)) / SECOND
    untold = cards.lacking(tx, process.untold)
    fault, people, others = _sorted(tx, untold, config.server.language)
    stopped_at = None if running else last_sign(tx)
    counts = complete(Disposition, tx.counts.messages_since(midnight(reader)))
    today = {"received": sum(counts.values()), **counts}
    last = backup.last_at(directory)
    waits = lines.waiting(customers, waited, people, reader)
    stumbling, reason = lines.stumbling(links, reader), next(iter(process.reasons), "")
    state = State(running, stopped_at, fault, reason, people, others, stumbling, waits if customers else "", paused)
    found = verdict(state, reader)
    told = [*_hidden(state, reader), *beside, lines.today(today, reader), lines.backup(last, reader)]
    if process.started_at is not None:
        told += [*lines.links(links, reader), lines.running(process.started_at, __version__, reader)]
    return Glance(
        version=__version__,
        running=running,
        reasons=list(process.reasons),
        started_at=process.started_at,
        stopped_at=stopped_at,
        verdict=found,
        lines=told if found.sentence == waits else [waits, *told],
        language=reader.language,
        timezone=reader.timezone,
        waiting={"customers": customers, "oldest_seconds": waited or 0.0},
        today=today,
        backup={"at": last},
        links=[heard(each) for each in links],
        disk=shutil.disk_usage(directory).free,
        cards=tx.counts.cards() + len(untold),
    )


def _paused(tx: Tx, reader: Reader) -> tuple[str, list[str]]:
    """What is said first of answers that are paused, and what below."""
    every = pauses.everywhere(tx)
    names = {each.id: each.name for each in tx.organizations.page_of_the_box(limit=AT_MOST)}
    named = names if len(names) > 1 else {}
    wide = [each for each in every if each.contact_id is None]
    first, *more = [lines.paused(each.until, named.get(each.organization_id or 0, ""), reader) for each in wide] or [""]
    alone = len(every) - len(wide)
    return first, more + ([lines.paused_in(alone, reader)] if alone else [])


def _hidden(state: State, reader: Reader) -> list[str]:
    """What a pause, which is said first, keeps from being the sentence."""
    instead = verdict(replace(state, paused="", waiting=""), reader)
    return [instead.sentence] if state.running and state.paused and instead.kind != Kind.CALM else []


def _sorted(tx: Tx, untold: Sequence[Card], language: str | None) -> tuple[str, int, int]:
    """The title of the worst of the box's faults; how many customers wait for a person; how many other cards."""
    opened: list[Card] = [*untold, *tx.cards.opened(None, AT_MOST)]
    faults = [card for card in opened if notice(card).is_state and notice(card).priority >= GRAVE]
    worst = max(faults, key=lambda card: notice(card).priority, default=None)
    people = sum(card["kind"] == CardKind.WAITING for card in opened)
    title = "" if worst is None else cards.in_words(tx, worst, language).title.rstrip(".")
    return title, people, len(opened) - len(faults) - people


def last_sign(tx: Tx) -> int | None:
    """Since when the appliance does not run (ms UTC): it said so, or nothing that it does was written after. None where
    it never ran.
    """
    if tx.box.get(Fact.RUN) is None:
        return None
    stopped = tx.box.number(Fact.STOPPED_AT)
    return stopped or max(tx.box.number(Fact.OPENED_AT) or 0, tx.times.last_worked()) or None


def midnight(reader: Reader) -> int:
    """When the reader's day began (ms UTC)."""
    now = datetime.fromtimestamp(reader.now / SECOND, ZoneInfo(reader.timezone))
    return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * SECOND


def heard(each: Link) -> Heard:
    state = "unknown" if each.asked_at is None else "trouble" if each.trouble else "well"
    since, error = (each.since, str(each.trouble)) if each.trouble else (None, None)
    return Heard(each.name, state, each.asked_at, each.answered_at, since, error)
