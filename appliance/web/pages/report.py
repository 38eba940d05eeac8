"""A text for whoever helps from afar: how the box is, what it was told to do. No words, full number or secret."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime

import msgspec

from appliance import __version__
from appliance.config import redacted
from appliance.config.sections import secrets_of
from appliance.diagnosis.words import words as in_words
from appliance.model import SECOND, masked
from appliance.notices.sentences import Reader
from appliance.operations import cards, glance
from appliance.operations.machine import machine, memory
from appliance.printable import escaped
from appliance.store import Tx
from appliance.web.desk import Desk
from appliance.web.pages.checks import Checks

CARDS, LETTERS = 100, 50
_NUMBER = re.compile(r"\+[0-9]{7,15}")  # as Twilio has them
_DIGITS = re.compile(r"\+?[0-9]{8,15}")  # as others may repeat them


async def report(desk: Desk, checks: Checks) -> str:
    """English, as its reader may be anywhere."""
    process = glance.Process(
        desk.started_at, {each.name: replace(each) for each in desk.links}, desk.untold(), await desk.faults()
    )

    secrets = [each for each in secrets_of(desk.config) if each]

    def others(line: str) -> str:
        """With words of others in it: in one line, and whatever looks like a number is one."""
        return escaped(_DIGITS.sub(_last, without(line, secrets)))

    def look(tx: Tx) -> list[str]:
        seen = glance.glance(tx, process, desk.config, desk.store.directory)
        return [
            *_section("Status", [msgspec.json.format(msgspec.json.encode(asdict(seen)), indent=1).decode()]),
            *_section("Cards", map(others, _cards(tx))),
            *_section("Given up", map(others, _letters(tx))),
        ]

    seen, host = await desk.store.inspect(look), machine()
    head = [f"appliance {__version__}", f"{host.name}, Python {host.python}, SQLite {host.sqlite}", f"{memory()} bytes"]
    found = (f"{each.kind} {in_words(each, 'en').what}" for each in checks.findings)
    lines = [*head, *_section("check --online", found), *_section("Configuration", _configuration(desk)), *seen]
    return "\n".join(_NUMBER.sub(_last, without(line, secrets)) for line in lines) + "\n"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"\n== {title}"
    yield from lines


def _configuration(desk: Desk) -> Iterator[str]:
    yield f"# {desk.config.source}"
    for section, keys in redacted(desk.config).items():
        yield f"[{section}]"
        for key, value in keys.items():
            yield f"{key} = {msgspec.json.encode(value).decode()}"


def _cards(tx: Tx) -> Iterator[str]:
    for row in tx.cards.opened(None, CARDS):
        card = cards.as_read(tx, row, Reader("en", "UTC", tx.now))
        yield f"{_time(card.opened_at)} {card.kind} {card.subject} x{card.times}: {card.title}. {card.text}"


def _letters(tx: Tx) -> Iterator[str]:
    for row in tx.letters.page(None, LETTERS):
        who = masked(row["contact"]) if row["contact"] else ""
        yield f"{_time(row['created_at'])} {row['kind']} {row['id']} {who} attempts {row['attempts']}: {row['error']}"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _last(found: re.Match[str]) -> str:
    return masked(found[0])


def without(text: str, secrets: Iterable[str]) -> str:
    """Somebody else may have repeated one."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return text
