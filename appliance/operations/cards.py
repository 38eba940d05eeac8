"""The open cards in words, and putting one away."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.errors import RequestError
from appliance.notices.sentences import Card as Stored
from appliance.notices.sentences import Reader, notice, told
from appliance.store import Tx, cards
from appliance.store.cards import CardKind, facts

MAX_REASON = 500  # characters
# What tells of a dead letter; without its card nobody would know that it waits.
_OF_A_REPLY = (CardKind.NOT_SENT, CardKind.UNDELIVERED, CardKind.DOUBT)
_OF_A_CONVERSATION = (CardKind.COULD_NOT_ANSWER, CardKind.TOO_LATE)


@dataclass(frozen=True, slots=True)
class Card:
    """What an owner reads. `itself`: what happens without the owner; `todo`: one thing to do. Times in ms UTC.

    `id`: None where the disk did not take the card.
    """

    id: int | None
    organization_id: int | None
    kind: str
    subject: str
    title: str
    text: str
    itself: str
    todo: str
    times: int
    opened_at: int
    last_at: int
    priority: int
    tags: str


def opened(tx: Tx, owner: int | None, language: str | None, untold: Sequence[Stored] = ()) -> list[Card]:
    """Newest first; an organization's own, or with None all of the box. `language`: server.language, where set.

    `untold`: what is wrong with the box and has no card, as the disk takes none.
    """
    missing = (card for card in lacking(tx, untold) if owner in (None, card["organization_id"]))
    return [in_words(tx, row, language) for row in (*missing, *tx.cards.opened(owner))]


def people_waiting(tx: Tx, organization_id: int) -> int:
    """How many customers wait for a person."""
    return tx.cards.count(CardKind.WAITING, organization_id)


def lacking(tx: Tx, untold: Sequence[Stored]) -> list[Stored]:
    """Those that are not stored after all."""
    return [card for card in untold if tx.cards.find_in_the_box(card["kind"], card["subject"]) is None]


def in_words(tx: Tx, row: Stored, language: str | None) -> Card:
    """One card, as the owner of its organization or of the box reads it."""
    return as_read(tx, row, reader(tx, row["organization_id"], language))


def as_read(tx: Tx, row: Stored, reader: Reader) -> Card:
    """One card, as somebody reads it."""
    account = facts(row).get("account")
    waiting = tx.counts.customers_waiting(str(account) if account else None) if notice(row).waits else 0
    words = told(row, reader, waiting)
    return Card(
        id=row["id"],
        organization_id=row["organization_id"],
        kind=row["kind"],
        subject=row["subject"],
        title=words.title,
        text=words.text,
        itself=words.itself,
        todo=words.todo,
        times=row["times"],
        opened_at=row["opened_at"],
        last_at=row["last_at"],
        priority=words.priority,
        tags=words.tags,
    )


def reader(tx: Tx, organization_id: int | None, language: str | None) -> Reader:
    """The owner of the organization; of a card that is the box's whoever looks after the box."""
    if organization_id is not None and (own := tx.organizations.get(organization_id)) is not None:
        return Reader(own.language, own.timezone, tx.now)
    first = next(iter(tx.organizations.page_of_the_box(limit=1)), None)
    if language is None:
        language = "pt-BR" if first is not None and first.language == "pt-BR" else "en"
    return Reader(language, first.timezone if first else "UTC", tx.now)


def dismiss(tx: Tx, card_id: int, reason: str) -> None:
    """Put a card away; what it tells of stays as it is. Raises RequestError."""
    row = tx.cards.get_in_the_box(card_id)
    if row is None:
        raise RequestError("not_found", "There is no such card.", "id", 404)
    if row["closed_at"] is not None:
        raise RequestError("closed", "This card is closed already.", "id", 409)
    if not reason.strip() or len(reason) > MAX_REASON:
        raise RequestError("reason", "Say why, in at most {most} characters.", "reason", most=MAX_REASON)
    kind = notice(row)
    if kind.is_state:
        text = "This card stays as long as what it tells of: it closes {when}."
        raise RequestError("lasts", text, "id", 409, when=kind.closes)
    if not is_dismissible(tx, row):
        raise RequestError("dead_letter", "Retry or discard its dead letter first: appliance dead-letters.", "id", 409)
    tx.cards.dismiss(card_id, reason.strip())


def is_dismissible(tx: Tx, row: Stored) -> bool:
    """Whether it may be put away: what it tells of is over, or no decision waits for it."""
    if notice(row).is_state:
        return False
    if row["kind"] in _OF_A_CONVERSATION:
        return not tx.letters.about_conversation(cards.id_in(row["subject"]))
    if row["kind"] in _OF_A_REPLY and row["subject"].startswith(
        "outbox:"
    ):  # else it was held back before there was one
        return not tx.letters.about_row(cards.id_in(row["subject"]))
    return True
