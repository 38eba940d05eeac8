"""A text for whoever helps from afar: how the box is, what it was told to do. No words, full number or secret."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace

import msgspec

from appliance import __version__
from appliance.config import redacted
from appliance.config.sections import secrets_of
from appliance.diagnosis.words import words as in_words
from appliance.model import masked
from appliance.notices.sentences import Reader
from appliance.operations import cards, glance
from appliance.operations.machine import machine, memory
from appliance.printable import escaped
from appliance.store import Tx
from appliance.web.desk import Desk
from appliance.web.pages.checks import Checks

CARDS, LETTERS = 100, 50
_NUMBER = re.compile(r"\+[0-9]{7,15}|(?<![0-9.])[1-9][0-9]{9,11}(?![0-9.])")  # a time in ms has 13 digits


async def report(desk: Desk, checks: Checks) -> str:
    """English, as its reader may be anywhere."""
    process = glance.Process(
        desk.started_at, {each.name: replace(each) for each in desk.links}, desk.untold(), await desk.faults()
    )

    def look(tx: Tx) -> list[str]:
        seen = glance.glance(tx, process, desk.config, desk.store.directory)
        return [
            *_section("Status", [msgspec.json.format(msgspec.json.encode(asdict(seen)), indent=1).decode()]),
            *_section("Cards", _cards(tx)),
            *_section("Given up", _letters(tx)),
        ]

    seen, host = await desk.store.inspect(look), machine()
    head = [f"appliance {__version__}", f"{host.name}, Python {host.python}, SQLite {host.sqlite}", f"{memory()} bytes"]
    found = (f"{each.kind} {in_words(each, 'en').what}" for each in checks.findings)
    lines = [*head, *_section("check --online", found), *_section("Configuration", _configuration(desk)), *seen]
    secrets = [each for each in secrets_of(desk.config) if each]
    return "\n".join(hidden(line, secrets) for line in lines) + "\n"


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
        yield f"{card.opened_at} {card.kind} {card.subject} x{card.times}: {card.title}. {card.text}"


def _letters(tx: Tx) -> Iterator[str]:
    for row in tx.letters.page(None, LETTERS):
        who = masked(row["contact"]) if row["contact"] else ""
        yield f"{row['finished_at']} {row['kind']} {row['id']} {who} attempts {row['attempts']}: {row['error']}"


def hidden(line: str, secrets: Iterable[str]) -> str:
    """One line without a number in full, of which the last digits stay, and without a secret that others repeated."""
    for secret in secrets:
        line = line.replace(secret, "…")
    return "\n".join(escaped(_NUMBER.sub(lambda found: masked(found[0]), part)) for part in line.split("\n"))
