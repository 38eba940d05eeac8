"""Who was promised a person is called to mind once more, and when the organization opens if it was promised for then;
again when WhatsApp takes no free answer any more.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.model import HOUR, SECOND
from appliance.store import Row, Tx, cards
from appliance.store.cards import CardKind, facts

WHATSAPP = "whatsapp:"
WINDOW = 24 * HOUR
BEFORE_ITS_END = 3 * HOUR
AFTER = HOUR
MORNING, EVENING = time(8), time(20)
CALLED = time(9)  # whoever was promised a person at night is called to mind then
CLOSED = "closed"
OPENED = "opened"


def remind(tx: Tx) -> None:
    """One reminder for each card, and a word of its own when the window has closed."""
    for card, case in due(tx):
        tx.cards.remind(card["id"], case)


def due(tx: Tx) -> list[tuple[Row, str | None]]:
    """The cards, and the case in whose words each is told from now on."""
    return [
        (card, case)
        for card in tx.cards.of_kinds_in_the_box([CardKind.WAITING])
        if (found := tx.conversations.whose(cards.id_in(card["subject"])))
        for case in _due(tx, card, found)
    ]


def _due(tx: Tx, card: Row, found: Row) -> Iterator[str | None]:
    """Nothing where it is not due. `found`: whose it is."""
    end, case = _window_end(found), facts(card).get("case")
    due_at = int(facts(card)["until"] or 0) if case == cards.OPENING else None
    if end is not None and tx.now >= end:
        if case != CLOSED and not _is_long_ago(tx, card, end):
            yield CLOSED
        return
    if due_at is not None and tx.now >= due_at:
        yield OPENED
        return
    at = moment(card["opened_at"], found["timezone"], end, due_at)
    if not card["reminders"] and tx.now >= at and not _is_long_ago(tx, card, at):
        yield None


def _is_long_ago(tx: Tx, card: Row, at: int) -> bool:
    """A card from before there were reminders: an update calls to mind what falls due now, not all that ever waited."""
    return bool(card["text"]) and tx.now - at >= AFTER


def moment(opened_at: int, timezone: str, window_end: int | None, due_at: int | None = None) -> int:
    """When to call it to mind: after an hour, at night at nine, or when the person is due; and while WhatsApp still
    takes an answer (ms UTC).
    """
    opened = datetime.fromtimestamp(opened_at / SECOND, ZoneInfo(timezone))
    at = opened_at + AFTER
    if not MORNING <= opened.time() < EVENING:
        day = opened.date() + timedelta(days=int(opened.time() >= EVENING))
        at = int(datetime.combine(day, CALLED, opened.tzinfo).timestamp()) * SECOND
    at = at if due_at is None else due_at
    return at if window_end is None else min(at, max(window_end - BEFORE_ITS_END, opened_at))


def _window_end(found: Row) -> int | None:
    """When WhatsApp takes no free answer any more; None on SMS."""
    return (found["last_inbound_at"] or 0) + WINDOW if str(found["channel"]).startswith(WHATSAPP) else None
