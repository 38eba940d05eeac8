"""What is wrong with the box at a moment: the cards that must be open, and no others of their kinds."""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.config import Config
from appliance.links import link
from appliance.links.link import Links
from appliance.model import HOUR, MINUTE, SECOND
from appliance.store import Tx, cards
from appliance.store.box import Fact
from appliance.store.cards import BOX, CardKind, Subject
from appliance.store.cards import Fact as CardFact
from appliance.timekeeping import MOST_APART
from appliance.wire import Fault

# The watch alone opens and closes these.
WATCHED = (
    CardKind.UNREACHABLE,
    CardKind.CREDENTIALS,
    CardKind.NO_ORGANIZATION,
    CardKind.NO_KNOWLEDGE,
    CardKind.NOTHING_YET,
    CardKind.NO_BACKUP,
    CardKind.DISK,
    CardKind.CLOCK,
    CardKind.UNANSWERED,
)
OF_LINKS = (CardKind.UNREACHABLE, CardKind.CREDENTIALS)
PATIENCE = 30 * SECOND  # a link may stumble
NEW = MINUTE  # a box, or an organization, that is being set up
BACKUP_LATE = 36 * HOUR
SPARE = 200_000_000  # bytes beside the next copy of the database
MB = 1_000_000
_FAULTS = tuple(f"{fault} (" for fault in Fault)  # how the reason of a send begins whose link failed
STEP = 20 * MB  # in which what is left is told, as each change is written


@dataclass(frozen=True, slots=True)
class Condition:
    """A card that must be open. `facts` fill its sentence; where they change the card is told anew."""

    kind: CardKind
    subject: Subject
    organization_id: int | None = None
    facts: Mapping[str, CardFact] = field(default_factory=dict)

    def as_card(self, now: int) -> Mapping[str, Any]:
        """A row as the store has them, for where it takes none."""
        return {
            "id": None,
            "organization_id": self.organization_id,
            "kind": self.kind,
            "subject": self.subject,
            "text": "",
            "facts": json.dumps(dict(self.facts)),
            "times": 1,
            "opened_at": self.facts.get("since") or now,
            "last_at": now,
        }


@dataclass(frozen=True, slots=True)
class Space:
    """Of the disk that the storage is on, in bytes."""

    free: int
    needed: int


def space(directory: Path, file_name: str) -> Space:
    database = directory / file_name
    size = database.stat().st_size if database.exists() else 0
    return Space(shutil.disk_usage(directory).free, size + SPARE)


def of_links(links: Links, config: Config, now: int) -> Iterator[Condition]:
    """Of those that were asked: what nobody has asked since the start is as it was."""
    for account in config.accounts:
        found = links.get(link.of_account(account.name))
        if found.trouble is None:
            continue
        subject = cards.account(account.name)
        if found.trouble.fault == Fault.CREDENTIALS:
            yield Condition(CardKind.CREDENTIALS, subject, facts={"account": account.name, "since": found.since})
        elif not is_fresh(found.since, now):
            about: dict[str, CardFact] = {"why": found.trouble.fault, "said": found.trouble.said}
            about |= {"account": account.name, "since": found.since}
            yield Condition(CardKind.UNREACHABLE, subject, facts=about)


def of_the_sends(tx: Tx, config: Config, found: Iterable[Condition]) -> Iterator[Condition]:
    """Twilio answers what the watch asks and takes no message: each send ends in doubt. `found`: of the links."""
    told = {each.subject for each in found if each.kind in OF_LINKS}
    for account in config.accounts:
        subject = cards.account(account.name)
        doubts = [row for row in tx.outbox.doubts_of(account.name) if str(row["reason"]).startswith(_FAULTS)]
        if subject in told or not doubts:
            continue
        first, last = doubts[0]["sending_at"], doubts[-1]["sending_at"]
        again = any(row["attempt"] > 1 for row in doubts)
        if tx.outbox.was_taken_since(account.name, last if again else first):
            continue
        if again or last - first >= PATIENCE:
            why, _, said = str(doubts[-1]["reason"]).removesuffix(")").partition(" (")
            about: dict[str, CardFact] = {"why": why, "said": said, "account": account.name, "since": first}
            yield Condition(CardKind.UNREACHABLE, subject, facts=about)


def of_the_clock(tx: Tx, latest: int) -> Iterator[Condition]:
    """`latest`: what any clock had shown before this run (ms UTC)."""
    ahead = tx.box.number(Fact.CLOCK_AHEAD) or 0
    if tx.now < latest:
        yield Condition(CardKind.CLOCK, BOX)
    elif abs(ahead) >= MOST_APART:
        yield Condition(CardKind.CLOCK, BOX, facts={"case": "twilio", "minutes": abs(ahead) // MINUTE})


def is_unsure(links: Links, account: str, now: int) -> bool:
    """Nobody has asked its link since the start, or it is in trouble for too short a time to be told of: no reason to
    take back what was told before.
    """
    found = links.get(link.of_account(account))
    if found.asked_at is None:
        return True
    is_in_trouble = found.trouble is not None and found.trouble.fault != Fault.CREDENTIALS
    return is_in_trouble and is_fresh(found.since, now)


def is_fresh(since: int, now: int) -> bool:
    """Too short a time to be told of. A clock that was set back meanwhile makes nothing fresh."""
    return 0 <= now - since < PATIENCE


def of_the_box(tx: Tx, config: Config, disk: Space, started_at: int) -> Iterator[Condition]:
    """What the database and the disk tell."""
    if disk.free < disk.needed:
        yield Condition(CardKind.DISK, BOX, facts={"free": disk.free // STEP * STEP // MB, "needed": disk.needed // MB})
    is_new = tx.now - started_at < NEW
    for each in _lacks(tx, config):
        if not is_new or tx.cards.find_in_the_box(each.kind, each.subject):  # a start takes nothing back
            yield each


def _lacks(tx: Tx, config: Config) -> Iterator[Condition]:
    first = next(iter(tx.organizations.page_of_the_box(limit=1)), None)
    if first is None:
        yield Condition(CardKind.NO_ORGANIZATION, BOX)
        return
    began = tx.channels.first_at()
    if tx.counts.is_none_received():
        if began is not None and tx.now - began >= NEW:
            yield Condition(CardKind.NOTHING_YET, BOX, facts={"since": began})
    else:
        yield from _backup(tx)
    if config.ai.provider == "faq":
        for organization_id, name in tx.knowledge.untaught(tx.now - NEW):
            yield Condition(
                CardKind.NO_KNOWLEDGE, cards.organization(organization_id), organization_id, {"organization": name}
            )
    if (count := tx.letters.without_a_card_in_the_box()) and not tx.cards.find_in_the_box(CardKind.AI, BOX):
        yield Condition(CardKind.UNANSWERED, BOX, facts={"count": count})


def _backup(tx: Tx) -> Iterator[Condition]:
    since = tx.box.number(Fact.BACKUP_AT) or tx.channels.first_at() or tx.now
    if tx.now - since >= BACKUP_LATE and not tx.cards.find_in_the_box(CardKind.BACKUP, BOX):
        yield Condition(CardKind.NO_BACKUP, BOX, facts={"since": since})
