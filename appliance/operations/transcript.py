"""What was said with a customer, message by message: where each answer came from, and what became of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from appliance.config import Config
from appliance.errors import RequestError
from appliance.inbox import keywords
from appliance.inbox.keywords import ALREADY_OUT, Change
from appliance.model import ANSWER, FORGETTING, LET_GO, MANUAL, Held, OutboxState, TextKey
from appliance.notices.translation import translated
from appliance.operations import sources
from appliance.operations.sources import Author, Source
from appliance.store import Row, Tx
from appliance.store.contacts import session_key
from appliance.store.threads import Correspondent
from appliance.twilio import codes

PAGE = 50  # messages
_PLACE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
WITHDRAWN = (OutboxState.SUPERSEDED, OutboxState.SUPPRESSED)
_OPEN = (OutboxState.READY, OutboxState.SENDING, OutboxState.DOUBT)
BY_TWILIO = "answered by Twilio"
OVERTAKEN = "a later word counts"

# Why a message gets no answer, by the reason that is stored, as the business reads it.
WHY = {
    Held.IN_CHARGE: "Waits for you.",
    Held.PROMISED: "Waits for you: no topic says it.",
    "opted out": "Not answered: asked for no more messages before.",
    ALREADY_OUT: "Asked for no more messages once more; that is not confirmed twice.",
    BY_TWILIO: "Twilio answers this word by itself.",
    OVERTAKEN: "A later word counts.",
    "own channel": "Not answered: this number is one of yours, and two machines would answer each other.",
    "short code": "Not answered: nobody reads at a short number.",
    "alphanumeric sender": "Not answered: the sender has a name instead of a number.",
    "paused": "Not answered: this customer was paused.",
    "loop guard": "Not answered: too many answers within an hour. It may be another machine.",
    "a reaction": "A reaction needs no answer.",
    "only emoji": "Emoji alone need no answer.",
    "a sticker": "A sticker needs no answer.",
    "nothing to read": "Nothing to read here, or it was said already that it cannot be opened.",
    "needs no reply": "A thank-you needs no answer.",
    "window closed": "Not answered: WhatsApp allows a free answer only within 24 hours of the customer's message.",
    FORGETTING: "Not answered: this customer is being forgotten.",
    LET_GO: "Not answered: this customer is being forgotten.",
}
NOTHING_TO_ANSWER = "The assistant saw nothing to answer here."
UNANSWERED = "Nobody could answer this."
BEHIND_A_DOUBT = "Waits until it is known whether the answer above arrived."


@dataclass(frozen=True, slots=True)
class Heard:
    """What the customer wrote. `media`: content types. `consent`: `left` or `back`, where it changed whether the
    customer may be written to. `why`: why nothing answers it, in English words that the pages translate. `letter`: the
    dead letter of what nobody could answer, to be tried again or discarded.
    """

    id: int
    sid: str
    at: int
    body: str
    media: tuple[str, ...]
    type: str
    consent: Literal["", "left", "back"] = ""
    why: str = ""
    letter: int | None = None
    direction: Literal["in"] = "in"


@dataclass(frozen=True, slots=True)
class Said:
    """What the customer was told. `author`: whose words; `by`: the model, the user's e-mail or the program. `why`: why
    it did not arrive, in the reader's language. In doubt: `again_at`, when it is sent once more unless Twilio has it.
    """

    id: int
    sid: str | None
    at: int
    body: str
    kind: str
    state: OutboxState
    author: Author
    by: str = ""
    topics: tuple[Source, ...] = ()
    why: str = ""
    code: int | None = None
    again_at: int | None = None
    letter: int | None = None
    direction: Literal["out"] = "out"


Message = Heard | Said


@dataclass(frozen=True, slots=True)
class Reader:
    """Of whose customer, in which language the reasons are told, and what the settings say."""

    organization_id: int
    language: str
    config: Config


@dataclass(frozen=True, slots=True)
class Transcript:
    """Oldest first. `older`: the place from which to read on; empty where nothing is older."""

    messages: tuple[Message, ...]
    older: str


@dataclass(slots=True)
class _Letters:
    """Dead letters by what they are about."""

    of_rows: dict[int, int] = field(default_factory=dict)
    of_messages: dict[int, int] = field(default_factory=dict)
    of_conversations: dict[int, int] = field(default_factory=dict)


def transcript(tx: Tx, who: Correspondent, reader: Reader, before: str = "") -> Transcript:
    """The newest part, or what is older than a place. Raises RequestError."""
    heard_before, said_before = place(before) or (None, None)
    heard = tx.threads.heard(who.contact_id, heard_before, PAGE + 1)
    said = tx.threads.said(who.contact_id, said_before, PAGE + 1)
    heard, said, is_more = _newest(heard, said)
    letters = _letters(tx, who)
    doubted = any(row["state"] == OutboxState.DOUBT for row in said)
    theirs = [_heard(row, who, letters, doubted) for row in heard]
    shown = [row for row in said if row["state"] not in WITHDRAWN or _is_lost(row)]
    ours = _said(tx, shown, reader, letters.of_rows)
    both: list[Message] = [*theirs, *ours]
    messages = sorted(both, key=lambda each: (each.at, each.direction == "out", each.id))
    older = "-".join(str(rows[-1]["id"] if rows else 0) for rows in (heard, said)) if is_more else ""
    return Transcript(tuple(_each_letter_once(messages)), older)


def place(text: str, refusal: str = "There is no such place in the conversation.") -> tuple[int, int] | None:
    """From where to read on, as a link names it; None where none does. Raises RequestError."""
    found = _PLACE.fullmatch(text)
    if text and found is None:
        raise RequestError("bad_place", refusal, "before")
    return (int(found[1]), int(found[2])) if found else None


def _newest(heard: Sequence[Row], said: Sequence[Row]) -> tuple[list[Row], list[Row], bool]:
    """Of both the newest, each from its own newest on without a gap; whether there are older ones."""
    taken = (0, 0)
    while sum(taken) < PAGE:
        left = (heard[taken[0] :], said[taken[1] :])
        if not any(left):
            break
        is_heard = bool(left[0]) and (not left[1] or left[0][0]["at"] > left[1][0]["at"])
        taken = (taken[0] + is_heard, taken[1] + (not is_heard))
    is_more = len(heard) > taken[0] or len(said) > taken[1]
    return list(heard[: taken[0]]), list(said[: taken[1]]), is_more


def _letters(tx: Tx, who: Correspondent) -> _Letters:
    found = _Letters()
    for row in tx.threads.letters(session_key(who.channel_id, who.address)):
        if row["outbox"] is not None:
            found.of_rows.setdefault(row["outbox"], row["id"])
        elif row["messages"]:
            for each in msgspec.json.decode(row["messages"]):
                found.of_messages.setdefault(each, row["id"])
        elif row["conversation"] is not None:
            found.of_conversations.setdefault(row["conversation"], row["id"])
    return found


def _heard(row: Row, who: Correspondent, letters: _Letters, doubted: bool) -> Heard:
    is_live = row["reply_id"] is None and row["suppressed"] is None and row["card_id"] is None
    reason = row["suppressed"] or (row["reply_reason"] if row["reply_state"] == OutboxState.SUPPRESSED else "")
    why = WHY.get(reason) or (NOTHING_TO_ANSWER if reason.endswith("no reply needed") else "")
    if row["card_id"] is not None:
        why = UNANSWERED
    elif is_live and doubted:
        why = BEHIND_A_DOUBT
    letter = letters.of_messages.get(row["id"])
    if letter is None and row["card_id"] is not None:
        letter = letters.of_conversations.get(row["conversation_id"])
    if letter is not None:
        why = why or UNANSWERED
    media = tuple(content_type for _, content_type in msgspec.json.decode(row["media"]))
    consent = _consent(row, who, reason)
    if consent and reason != ALREADY_OUT:
        why = ""
    return Heard(
        row["id"], row["sid"], row["at"], row["body"], media, row["message_type"], consent, why, letter
    )  # fmt: skip


def _consent(row: Row, who: Correspondent, reason: str) -> Literal["", "left", "back"]:
    if row["notice"] in (TextKey.OPTED_OUT, TextKey.OPTED_IN):
        return "left" if row["notice"] == TextKey.OPTED_OUT else "back"
    if reason in (ALREADY_OUT, OVERTAKEN, "opted out") or not row["body"]:
        return ""
    said = keywords.says(row["body"], who.channel) if reason in (BY_TWILIO, "about consent") else Change.NONE
    return "left" if said == Change.OUT else "back" if said == Change.IN else ""


def _each_letter_once(messages: Sequence[Message]) -> Iterator[Message]:
    """What a dead letter is about ends with the buttons for it."""
    told: set[int] = set()
    found: list[Message] = []
    for each in reversed(messages):
        is_told = isinstance(each, Heard) and each.letter in told
        if isinstance(each, Heard) and each.letter is not None:
            told.add(each.letter)
        found.append(replace(each, letter=None, why="") if is_told else each)
    return reversed(found)


def _is_lost(row: Row) -> bool:
    """A person's own words that were not sent; what was sent once more has a row of its own."""
    return bool(row["kind"] == MANUAL and row["reason"] != "retried")


def _said(tx: Tx, rows: Sequence[Row], reader: Reader, letters: Mapping[int, int]) -> list[Said]:
    asked = {title for row in rows if row["kind"] == ANSWER for title in sources.titles(row)}
    known = tx.threads.topics(reader.organization_id, sorted(asked)) if asked else {}
    return [_one(tx, row, reader, known, letters) for row in rows]


def _one(tx: Tx, row: Row, reader: Reader, known: Mapping[str, int], letters: Mapping[int, int]) -> Said:
    state = OutboxState(row["state"])
    letter = letters.get(row["id"])
    author, by, topics = sources.author(row, reader.config.ai.model, known)
    lost = state in (OutboxState.FAILED, *WITHDRAWN)
    if letter is None and (lost or state == OutboxState.PARKED):  # of a customer without a conversation it has no lane
        letter = next(iter(tx.letters.about_row(row["id"])), None)
    return Said(
        id=row["id"],
        sid=row["sid"],
        at=row["created_at"],
        body=row["body"],
        kind=row["kind"],
        state=state,
        author=author,
        by=by,
        topics=topics,
        why=_why(row, reader.language) if lost or state == OutboxState.PARKED else "",
        code=row["error_code"] if lost else None,
        again_at=_again_at(tx, row, reader.config) if state == OutboxState.DOUBT else None,
        letter=letter,
    )


def _why(row: Row, language: str) -> str:
    if row["error_code"] is not None:
        return translated(codes.words(row["error_code"]), language)
    reason = str(row["reason"]).rstrip(".")
    return translated(_LONG.get(reason, reason), language)


# A check's short reasons, in the words of a card.
_LONG = {
    "too old": "it waited too long",
    "damaged": "it was damaged on disk",
    "window closed": "WhatsApp allows a free answer only within 24 hours of the customer's message",
    "opted out": "the customer asked for no more messages (STOP)",
}


def _again_at(tx: Tx, row: Row, config: Config) -> int | None:
    """After two looks at Twilio's log, each a grace after what it looks for; None: nobody sends it by itself."""
    if config.twilio.on_doubt == "park":
        return None
    grace = config.twilio.doubt_grace
    ended = max((each.ended_at or each.started_at for each in tx.attempts.of(row["id"])), default=row["sending_at"])
    return (row["absent_at"] or (ended or row["created_at"]) + grace) + grace
