"""The parts of the box for the engine room: what is so, how it is, and what it is measured by."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.links import link
from appliance.links.link import NO_ANSWER, Link
from appliance.model import MAIN, SECOND
from appliance.operations.machine import memory
from appliance.store import Tx, backup
from appliance.store.box import Fact
from appliance.store.cards import CardKind
from appliance.web.desk import Desk
from appliance.web.pages.page import Page
from appliance.web.pages.phones import written
from appliance.web.pages.words import Words

_NUMBERS = 3  # of an account, that are named
_UNREACHED = (CardKind.SIGNATURE, CardKind.UNHEARD)


@dataclass(frozen=True, slots=True)
class Part:
    """`measure`: a figure, small. `tone`: good, warn or bad; empty where nothing is known yet."""

    name: str
    text: str
    measure: str = ""
    tone: str = "good"


def of_the_box(tx: Tx, page: Page) -> Iterator[Part]:
    desk, words = page.desk, page.words
    opened = {CardKind(kind) for kind in tx.cards.counted_in_the_box()}
    yield from accounts(tx, desk, words)
    yield address(tx, desk, words, opened)
    yield model(desk, words)
    yield database(desk, words)
    yield copies(desk, words, opened)
    yield disk(desk, words, opened)
    yield clock(tx, words, opened)
    yield Part(words.t("Memory"), words.t("{size} in use", size=words.size(memory())))


def accounts(tx: Tx, desk: Desk, words: Words) -> Iterator[Part]:
    """Each account at Twilio with its numbers, and whether it answers."""
    channels = tx.channels.in_use(1_000)
    for account in desk.config.accounts:
        numbers = [written(each.address) for each in channels if each.account == account.name]
        named = ", ".join(numbers[:_NUMBERS])
        if more := len(numbers) - _NUMBERS > 0 and len(numbers) - _NUMBERS:
            named = words.t("{numbers} and {count} more", numbers=named, count=words.number(more))
        name = "Twilio" if account.name == MAIN else f"Twilio ({account.name})"
        found = desk.links.get(link.of_account(account.name))
        yield _linked(name, found, named or words.t("no number yet"), words)


def _linked(name: str, found: Link, text: str, words: Words) -> Part:
    if found.trouble is not None:
        since = words.when(found.since)
        silent = found.trouble.fault in NO_ANSWER
        said = (
            words.t("does not answer since {when}", when=since)
            if silent
            else words.t("refuses since {when}", when=since)
        )
        return Part(name, text, said, "bad")
    if found.answered_at is None:
        return Part(name, text, words.t("not asked yet"), "")
    return Part(name, text, words.t("answered {age} ago", age=words.age((words.now - found.answered_at) / SECOND)))


def address(tx: Tx, desk: Desk, words: Words, opened: set[CardKind]) -> Part:
    """Where Twilio is to call, and when it did last."""
    at, url = tx.figures.last_webhook(), desk.config.server.public_url
    tone = "bad" if opened & set(_UNREACHED) else "good" if at else ""
    measure = words.t("last call {when}", when=words.when(at)) if at else words.t("nothing yet")
    return Part(words.t("Public address"), url or words.t("server.public_url is not set"), measure, tone)


def model(desk: Desk, words: Words) -> Part:
    """Who answers, and whether it does."""
    if desk.config.ai.provider == "faq":
        return Part(words.t("AI"), words.t("Frequent questions, without a network"))
    return _linked(words.t("AI"), desk.links.get(link.AI), f"{desk.config.ai.model}, {desk.config.ai.base_url}", words)


def database(desk: Desk, words: Words) -> Part:
    """Its size, and how long the last commit took."""
    store = desk.store
    size = store.path.stat().st_size + store.wal_bytes()
    took = words.t("commit {time} ms", time=words.number(store.commit_seconds * 1_000, 1))
    return Part(
        words.t("Database"),
        words.t("{size}, checked at the start; {count} checkpoints", size=words.size(size), count=store.checkpoints),
        took,
    )


def copies(desk: Desk, words: Words, opened: set[CardKind]) -> Part:
    """The last copy, and how many are kept."""
    at = backup.last_at(desk.store.directory)
    tone = "bad" if opened & {CardKind.BACKUP, CardKind.NO_BACKUP} else "good" if at else ""
    if at is None:
        return Part(words.t("Backup"), words.t("There is none yet."), tone=tone)
    kept = sorted((desk.store.directory / backup.FOLDER).glob("appliance-*.db"))
    text = words.n(
        "{when}, opened and checked. {count} kept.", "{when}, opened and checked. {count} kept.", len(kept),
        when=words.when(at),
    )  # fmt: skip
    return Part(words.t("Backup"), text, words.size(kept[-1].stat().st_size), tone)


def disk(desk: Desk, words: Words, opened: set[CardKind]) -> Part:
    """What is left on the disk of the storage."""
    usage = shutil.disk_usage(desk.store.directory)
    tone = "warn" if CardKind.DISK in opened else "good"
    text = words.t("{free} of {total} free", free=words.size(usage.free), total=words.size(usage.total))
    return Part(words.t("Disk"), text, f"{words.number(100 * usage.free / usage.total)} %", tone)


def clock(tx: Tx, words: Words, opened: set[CardKind]) -> Part:
    """How far it is from Twilio's."""
    ahead = tx.box.number(Fact.CLOCK_AHEAD)
    if CardKind.CLOCK in opened:
        return Part(words.t("Clock"), words.t("It is wrong."), "" if ahead is None else _apart(ahead, words), "bad")
    if ahead is None:
        return Part(words.t("Clock"), words.t("Not compared with Twilio’s yet."), tone="")
    return Part(words.t("Clock"), words.t("As Twilio’s, as far as its log tells."), _apart(ahead, words))


def _apart(milliseconds: int, words: Words) -> str:
    return words.t("{time} s apart", time=words.number(abs(milliseconds) / SECOND, 1))
