"""Who wrote, newest first: with their last words, what needs the owner, filters and search."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from appliance.errors import RequestError
from appliance.language.text import fold
from appliance.model import OutboxState, is_forgotten
from appliance.operations.threads import kind_of
from appliance.operations.transcript import WITHDRAWN, place
from appliance.store import Row, Tx
from appliance.store.cards import CardKind
from appliance.store.threads import Correspondent, Side
from appliance.wire import forms

SHOWS = ("all", "waiting", "yours", "trouble")
SEARCHED_PEOPLE = 2_000  # of those who were in touch last, by name and number; a whole number is always found
SEARCHED_MESSAGES = 5_000  # of the box's newest, of each side, by their words
MAX_QUERY = 100  # characters
_FOUND = 1_000  # people that a filter or a search can list
_HITS = 500  # messages of each side that a search finds
_LOOKED_AT = 8  # of ours to somebody, for the newest that was not withdrawn
_TYPED = re.compile(r"[-+().\s/0-9]+", re.ASCII)  # how people type a number
_MAY_BEAR_AN_ACCENT = re.compile(r"[aceinouy]|[^\x00-\x7f]")

# What the owner should know of somebody first, by the open card.
State = Literal["waiting", "doubt", "undelivered", "unanswered", "yours", "left", "forgotten", ""]
_OF_CARDS: dict[CardKind, State] = {
    CardKind.WAITING: "waiting",
    CardKind.DOUBT: "doubt",
    CardKind.NOT_SENT: "undelivered",
    CardKind.UNDELIVERED: "undelivered",
    CardKind.COULD_NOT_ANSWER: "unanswered",
    CardKind.TOO_LATE: "unanswered",
}
_TROUBLE: tuple[State, ...] = ("doubt", "undelivered", "unanswered")


@dataclass(frozen=True, slots=True)
class Last:
    """Somebody's last words, or ours. `state`: of ours. `media`: content types."""

    direction: Literal["in", "out"]
    text: str
    media: tuple[str, ...]
    at: int
    state: OutboxState | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """`id`: the newest conversation. `found`: the words of a message that was looked for."""

    id: int
    contact_id: int
    name: str
    address: str
    kind: str
    channel: str
    updated_at: int
    state: State
    last: Last | None
    found: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """`counts`: how many each filter would show. `older`: the place from which to read on. `since`: when a search did
    not look at all messages, back to when it did (ms UTC); `people`: … at how many people's names.
    """

    entries: tuple[Entry, ...]
    counts: Mapping[str, int]
    older: str = ""
    since: int | None = None
    people: int | None = None


def listing(
    tx: Tx, organization_id: int, *, show: str = "all", query: str = "", before: str = "", limit: int = 30
) -> Listing:
    """Raises RequestError."""
    if show not in SHOWS:
        raise RequestError("bad_show", f"“show” must be one of {', '.join(SHOWS)}.", "show")
    begins = place(before, "There is no such place in the list.")
    states = _states(tx, organization_id)
    chosen = {name: {each for each, state in states.items() if _belongs(state, name)} for name in SHOWS[1:]}
    counts = {name: len(each) for name, each in chosen.items()}
    found = _search(tx, organization_id, query) if (query := " ".join(query.split())[:MAX_QUERY]) else None
    if found is None and show == "all":
        rows = tx.threads.recent(organization_id, begins, limit + 1)
    else:
        wanted = set(states) if found is None else set(found.words)
        wanted &= wanted if show == "all" else chosen[show]
        listed = tx.threads.of_contacts(organization_id, wanted, _FOUND)
        rows = [each for each in listed if begins is None or each.place < begins]
    words = found.words if found else {}
    entries = tuple(_entry(tx, who, states.get(who.contact_id, ""), words) for who in rows[:limit])
    older = "-".join(map(str, rows[limit - 1].place)) if len(rows) > limit else ""
    return Listing(entries, counts, older, found.since if found else None, found.people if found else None)


def _belongs(state: State, show: str) -> bool:
    return state in _TROUBLE if show == "trouble" else state == show


def _states(tx: Tx, organization_id: int) -> dict[int, State]:
    """Of everybody of whom something is open: the gravest."""
    order = list(_OF_CARDS.values())
    states: dict[int, State] = dict.fromkeys(tx.threads.handed_over(organization_id), "yours")
    for row in tx.threads.matters(organization_id):
        state, known = _OF_CARDS[CardKind(row["kind"])], states.get(row["contact_id"])
        if row["contact_id"] is not None and (known in (None, "yours") or order.index(state) < order.index(known)):
            states[row["contact_id"]] = state
    return states


def _entry(tx: Tx, who: Correspondent, state: State, found: Mapping[int, str]) -> Entry:
    is_gone = is_forgotten(who.address)
    if not state:
        state = "forgotten" if is_gone else "left" if _has_left(tx, who) else ""
    return Entry(
        id=who.id,
        contact_id=who.contact_id,
        name=who.name,
        address="" if is_gone else who.address,
        kind=kind_of(who.channel),
        channel=who.channel,
        updated_at=who.updated_at,
        state=state,
        last=_last(tx, who.contact_id),
        found=found.get(who.contact_id, ""),
    )


def _has_left(tx: Tx, who: Correspondent) -> bool:
    if who.person_id is None:
        return who.opted_out_at is not None
    contact = tx.contacts.get(who.contact_id)
    return contact is not None and tx.contacts.as_person(contact).opted_out_at is not None


def _last(tx: Tx, contact_id: int) -> Last | None:
    heard = next(iter(tx.threads.heard(contact_id, None, 1)), None)
    ours = tx.threads.said(contact_id, None, _LOOKED_AT)
    said = next((row for row in ours if row["state"] not in WITHDRAWN), None)
    if heard is not None and (said is None or heard["at"] > said["at"]):
        media = tuple(content_type for _, content_type in msgspec.json.decode(heard["media"]))
        return Last("in", heard["body"], media, heard["at"])
    return Last("out", said["body"], (), said["at"], OutboxState(said["state"])) if said is not None else None


# Search.


@dataclass(slots=True)
class _Search:
    """`words`: whom it finds, with the newest message that has what was looked for, where one has; the rest as in
    Listing.
    """

    words: dict[int, str]
    since: int | None = None
    people: int | None = None


def _search(tx: Tx, organization_id: int, query: str) -> _Search:
    terms = fold(query).split()
    people = tx.threads.names(organization_id, SEARCHED_PEOPLE + 1)
    found = _Search(dict.fromkeys(_named(tx, organization_id, query, terms, people[:SEARCHED_PEOPLE]), ""))
    found.people = SEARCHED_PEOPLE if len(people) > SEARCHED_PEOPLE else None
    hits = []
    for side in get_args(Side) if terms else ():
        patterns = [_pattern(term) for term in terms]
        rows = tx.threads.mentioning(organization_id, side, patterns, SEARCHED_MESSAGES, _HITS)
        hits += [row for row in rows if _has_all(row["body"], terms)]
        cut = rows[-1]["at"] if len(rows) == _HITS else tx.threads.looked_back_to(side, SEARCHED_MESSAGES)
        found.since = max(filter(None, (found.since, cut)), default=None)
    for row in sorted(hits, key=lambda row: int(row["at"])):
        found.words[row["contact_id"]] = row["body"]
    return found


def _named(tx: Tx, organization_id: int, query: str, terms: list[str], people: Iterable[Row]) -> Iterator[int]:
    digits = re.sub(r"\D", "", query, flags=re.ASCII) if _TYPED.fullmatch(query) else ""
    if len(digits) >= 8:
        yield from tx.threads.with_addresses(organization_id, sorted(_numbers(tx, organization_id, digits)))
    for row in people:
        if (row["name"] and _has_all(row["name"], terms)) or (len(digits) >= 3 and digits in _digits(row["address"])):
            yield row["contact_id"]


def _digits(address: str) -> str:
    return "" if is_forgotten(address) else re.sub(r"\D", "", address, flags=re.ASCII)


def _numbers(tx: Tx, organization_id: int, digits: str) -> set[str]:
    """The addresses that may be meant: as typed, and with the country code of one of our channels."""
    ours = tx.channels.of(organization_id)
    codes = {""} | {_digits(channel.address)[:length] for channel in ours for length in (1, 2, 3)}
    return {
        prefix + form for code in codes for form in forms(f"+{code}{digits}") for prefix in ("", "whatsapp:")
    }  # fmt: skip


def _pattern(term: str) -> str:
    """For LIKE, which knows neither accents nor the case of letters that have one; what it finds is looked at again."""
    escaped = re.sub(r"([\\%_])", r"\\\1", term)
    return f"%{_MAY_BEAR_AN_ACCENT.sub('_', escaped)}%"


def _has_all(text: str, terms: Iterable[str]) -> bool:
    folded = text.lower() if text.isascii() else fold(text)
    return all(term in folded for term in terms)
