"""Who asked for silence and who was left without an answer, told from what the customers wrote, not from our columns."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from appliance.inbox.missed import Fate
from appliance.model import SECOND, Held, TextKey
from appliance.texts import TEXTS
from appliance.twilio import codes
from tests.lab.inline import Database
from tests.lab.simulation.terms import SMS
from tests.lab.simulation.world import Entry, World

OUT, BACK = ("STOP", "PARAR"), ("START",)
_TWILIOS_OWN = ("STOP", "START")  # on SMS Twilio answers these by itself
_EXEMPT = (TextKey.OPTED_OUT, TextKey.OPTED_OUT_REMINDER)
_CONFIRMED = {TEXTS["pt-BR"][TextKey.OPTED_OUT]: OUT, TEXTS["pt-BR"][TextKey.OPTED_IN]: BACK}


def is_word(body: str) -> bool:
    return body in OUT + BACK


@dataclass(frozen=True, slots=True)
class _Word:
    """`first`, `last`: when it may have been said, ms on our clock.

    Twilio's log has whole seconds, and a webhook has no time at all: what comes late by it counts as said late.
    """

    sid: str
    out: bool
    first: int
    last: int


def _words(world: World, contacts: Collection[str]) -> list[_Word]:
    return [
        _Word(
            entry.sid,
            entry.body in OUT,
            (start := world.second(entry) * SECOND - world.scenario.offset),
            max(start + SECOND - 1, world.acknowledged.get(entry.sid, 0), world.hooked.get(entry.sid, 0)),
        )
        for entry in world.inbound()
        if entry.sender in contacts and is_word(entry.body)
    ]


def problems(database: Database, world: World) -> Iterator[str]:
    yield from _contradicted(database, world)
    yield from _spoken_to(database, world)
    yield from _left_alone(database, world)
    yield from _confirmed_again(world)


def _contradicted(database: Database, world: World) -> Iterator[str]:
    """A contact's last word stands."""
    for row, contact in database.rows("SELECT id, address FROM contacts"):
        whole = database.tx.contacts.get(row)
        assert whole is not None
        is_out = database.tx.contacts.as_person(whole).opted_out_at is not None
        last = _last(world, contact)
        for address in world.person(contact):
            last = _as_twilio_says(database, world, address, last)
        if is_out not in last:
            said = ", ".join(entry.body for entry in world.inbound() if entry.sender == contact and is_word(entry.body))
            yield f"consent: {contact} said {said or 'nothing'} and counts as {'out' if is_out else 'in'}"


def _last(world: World, contact: str) -> set[bool]:
    """What the last word may be: whether it says out. What was said before anybody knew that it is one person's may
    count for the one address alone: who never left cannot come back.
    """
    whose: list[Collection[str]] = [world.person(contact)]
    if any(word.first <= (world.joined or 0) for word in _words(world, whose[0])):
        whose += [(address,) for address in whose[0]]
    found: set[bool] = set()
    for each in whose:
        words = _words(world, each)
        found |= {word.out for word in words if all(other.first <= word.last for other in words)} or {False}
    return found


def _as_twilio_says(database: Database, world: World, contact: str, last: set[bool]) -> set[bool]:
    """Twilio may tell of a STOP that we never saw, by refusing a message: an answer that came to nothing by it has been
    heard. A later START takes it back.
    """
    if not _told(world, contact, codes.OPTED_OUT):
        return last
    heard = "SELECT 1 FROM outgoing WHERE recipient = ? AND state = 'failed' AND error_code = ?"
    came_back = any(not word.out for word in _words(world, world.person(contact)))
    return {True} if database.rows(heard, contact, codes.OPTED_OUT) and not came_back else last | {True}


def _told(world: World, contact: str, code: int) -> bool:
    """Whether Twilio gave this code for a message to the contact."""
    return any(code == each for entry in world.entries if entry.recipient == contact for *_, each in entry.statuses)


def _spoken_to(database: Database, world: World) -> Iterator[str]:
    """Once a STOP is stored nothing but its confirmation is handed to Twilio."""
    if not world.heard:
        return
    exempt = dict(database.rows("SELECT id, kind IN (?, ?) FROM outbox", *_EXEMPT))
    recipients = dict(database.rows("SELECT id, recipient FROM outgoing"))
    for reference, (_, at, _) in world.posts.items():
        row = int(reference.partition(".")[0])
        if reference in world.forgotten or exempt[row]:
            continue
        words = _words(world, world.person(recipients[row]))
        own = {word.sid for word in _words(world, [recipients[row]])}
        for stop in words:
            back = any(not word.out and word.last >= stop.first and word.first <= at for word in words)
            known = max(world.heard.get(stop.sid, at), 0 if stop.sid in own else world.joined or at)
            if stop.out and known < at and not back:
                yield f"unexpected: row {row} was sent {at - world.heard[stop.sid]} ms after {stop.sid} said STOP"


def _left_alone(database: Database, world: World) -> Iterator[str]:
    """Whoever gets no answer of ours is left alone for a reason that the world knows of as well."""
    entries = {entry.sid: entry for entry in world.inbound()}
    for sid, reason in database.rows(
        "SELECT m.sid, coalesce(m.suppressed, o.reason) FROM messages m LEFT JOIN outbox o ON o.id = m.reply_id "
        "WHERE m.suppressed IS NOT NULL OR o.state = 'suppressed'"
    ):
        if not _is_excused(world, entries[sid], reason):
            yield f"lost: {sid} was left alone ({reason}), and that is not so"


def _is_excused(world: World, message: Entry, reason: str) -> bool:
    person = world.person(message.sender)
    stops = sum(entry.sender in person and entry.body in OUT for entry in world.inbound())
    was_refused = any(_told(world, address, codes.OPTED_OUT) for address in person)
    match reason:
        case Fate.ANSWERED_ELSEWHERE:
            return any(
                entry.recipient in person and world.second(entry) >= world.second(message)
                for entry in world.elsewhere()
            )
        case Held.IN_CHARGE:  # by that word, which may be older than the message
            return any(entry.recipient in person for entry in world.elsewhere())
        case "silence":
            return "silence" in world.scenario.answers
        case "answered by Twilio":
            return world.scenario.channel == SMS and message.body in _TWILIOS_OWN
        case "opted out already":
            return message.body in OUT and (stops > 1 or was_refused)
        case "a later word counts":
            return is_word(message.body) and _is_overtaken(world, message)
        case "opted out":
            return stops > 0 or was_refused
        case "window closed":
            return any(_told(world, address, codes.WINDOW_CLOSED) for address in person)
    return False


def _is_overtaken(world: World, message: Entry) -> bool:
    words = _words(world, world.person(message.sender))
    own = next(word for word in words if word.sid == message.sid)
    return any(word.sid != own.sid and word.last >= own.first for word in words)


def _confirmed_again(world: World) -> Iterator[str]:
    """Over all lives, also those that a restoration undid: one confirmation a word, one message of ours an inbound."""
    said = Counter((entry.recipient, entry.body) for entry in world.entries if entry.reference)
    heard = Counter((entry.sender, entry.body) for entry in world.inbound())
    for (contact, body), count in said.items():
        asked = sum(heard[contact, word] for word in _CONFIRMED.get(body, ()))
        if body in _CONFIRMED and count > asked:
            yield f"twice: {count} confirmations to {contact} for {asked} words"
    written = Counter(world.person(entry.sender) for entry in world.inbound())
    for person, count in Counter(world.person(entry.recipient) for entry in world.entries if entry.reference).items():
        if count > written[person]:
            yield f"twice: {count} messages to {min(person)}, who wrote {written[person]}"
