"""What needs somebody of an organization: its open cards with the customer's own words, the gravest first."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.model import Handover, is_forgotten
from appliance.notices.sentences import Card as Stored
from appliance.notices.sentences import Reader, notice
from appliance.operations import cards
from appliance.operations.cards import Card
from appliance.operations.threads import kind_of
from appliance.store import Tx
from appliance.store.cards import CardKind, facts, id_in

NEWEST = 200  # cards among which the gravest are looked for
WRONG = 3  # a notice's priority from which on something went wrong
LONGEST = 280  # characters of a customer's words
Call = Callable[[str, str], str]  # what somebody with this name and address is called


@dataclass(frozen=True, slots=True)
class Asker:
    """Of the conversation that a card is about. `words`: the last of the customer's; empty where none can be read.
    `kind`: SMS, WhatsApp, or what else Twilio calls the channel.

    `is_unknown`: what the customer asked is not in the knowledge.
    """

    conversation_id: int
    name: str
    words: str
    kind: str
    is_unknown: bool


@dataclass(frozen=True, slots=True)
class Need:
    card: Card
    asker: Asker | None
    is_dismissible: bool


def needs(
    tx: Tx,
    organization_id: int,
    reader: Reader,
    call: Call,
    limit: int,
    *,
    sees_box: bool,
    untold: Sequence[Stored] = (),
) -> tuple[list[Need], int, int]:
    """The gravest of the newest, how many more there are, and how many of all tell that something went wrong.

    `untold`: of the box, where the disk took no card.
    """
    missing = cards.lacking(tx, untold) if sees_box else []
    rows: list[Stored] = [*missing, *tx.cards.newest(organization_id, NEWEST, with_the_box=sees_box)]
    rows.sort(key=lambda row: -notice(row).priority)  # stable: the newest of equal ones first
    count = len(missing) + tx.cards.open_of(organization_id, with_the_box=sees_box)
    found = [_need(tx, row, organization_id, reader, call) for row in rows[:limit]]
    wrong = sum(notice(row).priority >= WRONG and row["kind"] != CardKind.WAITING for row in rows)
    return found, count - len(found), wrong


def _need(tx: Tx, row: Stored, organization_id: int, reader: Reader, call: Call) -> Need:
    asker = _asker(tx, row["subject"], organization_id, call)
    if asker is not None and "who" in facts(row):
        row = _named(row, asker.name)
    return Need(cards.as_read(tx, row, reader), asker, row["id"] is not None and cards.is_dismissible(tx, row))


def _asker(tx: Tx, subject: str, organization_id: int, call: Call) -> Asker | None:
    kind, _, rest = subject.partition(":")
    if kind not in ("conversation", "outbox"):
        return None
    conversation_id = int(rest) if kind == "conversation" else tx.history.conversation_of(id_in(subject))
    row = conversation_id and tx.history.asker(conversation_id, organization_id)
    if not conversation_id or not row:
        return None
    words = " ".join((row["body"] or "").split())
    return Asker(
        conversation_id,
        call(row["profile_name"].strip(), "" if is_forgotten(row["address"]) else row["address"]),
        words if len(words) <= LONGEST else f"{words[: LONGEST - 1].rstrip()}…",
        kind_of(row["channel"]),
        row["handover"] == Handover.UNKNOWN,
    )


def _named(row: Stored, name: str) -> Mapping[str, Any]:
    """The card with the customer's name in place of the masked address: it is shown to the organization alone."""
    return {key: row[key] for key in row.keys()} | {"facts": json.dumps(dict(facts(row)) | {"who": name})}  # noqa: SIM118
