"""One account's log beside our books: what each message that stands in either of them is settled as.

Times are on Twilio's clock, which is right; a message belongs to the day on which it came in or was handed on.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, islice

from appliance.inbox import exchange, keywords, missed
from appliance.model import MINUTE, Contact
from appliance.statement.day import day_of
from appliance.store import Tx
from appliance.store.box import Fact
from appliance.store.statements import Booked, Difference, Owned
from appliance.wire import SKEW, LoggedMessage, LogRead

ASKED_AT_ONCE = 100  # messages that the list does not show
LATE = 10 * MINUTE  # no webhook is under way for so long
_FAILED = ("failed", "undelivered", "canceled")  # by Twilio's word; what never left has no place in its list


class Settled(StrEnum):
    """As what a message is settled, where that is no Difference."""

    RECEIVED = "received"
    SENT = "sent"
    UNKNOWN_NUMBER = "unknown_number"  # it is kept, and nobody's
    TWILIOS_OWN = "twilios_own"  # its answers to STOP, START and HELP
    FORGOTTEN = "forgotten"  # its customer was, here
    RESTORED = "restored"  # sent by the box that was lost, after the copy was taken
    AWAITED = "awaited"  # it will be known the next time


_THERE_ALONE = (Settled.TWILIOS_OWN, Settled.RESTORED, Settled.AWAITED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One message. `day`: of the organization. `contact_id`: where it is known."""

    organization_id: int
    day: str
    sid: str
    settled: Settled | Difference
    at: int
    channel_id: int
    contact_id: int | None = None
    is_there: bool = True
    is_here: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A channel and what stands in its account's log; None where that is too long to be read."""

    owned: Owned
    log: LogRead | None


@dataclass(slots=True)
class Comparison:
    """`absent`: what we have and the list does not show. `misdated`: by organization, the first message that was taken
    down with another day's time. `listed`: all that the log showed, by sid. `unpriced`: what we sent and know no price
    of.
    """

    entries: list[Entry] = field(default_factory=list)
    absent: list[tuple[Owned, Booked]] = field(default_factory=list)
    misdated: dict[int, Entry] = field(default_factory=dict)
    listed: dict[str, LoggedMessage] = field(default_factory=dict)
    unpriced: list[Booked] = field(default_factory=list)


def compare(tx: Tx, account: str, parts: Sequence[Part], since: int, until: int) -> Comparison:
    """`since` and `until`: what lies between them is compared."""
    found = Comparison()
    offset = min((part.log.offset for part in parts if part.log), default=0)
    sent = {each.sid: each for each in tx.statements.sent_since_in_the_box(account, since - offset - LATE)}
    found.unpriced = [each for each in sent.values() if not each.is_priced]
    for part in parts:
        if part.log is not None:
            read_channel(tx, found, part.owned, part.log, sent, until)
    wrote = tx.statements.received_since_in_the_box(since - offset)
    read = {part.owned.channel.id: part.owned for part in reversed(parts) if part.log is not None}
    for booked in chain(wrote, sent.values()):
        owned = read.get(booked.channel_id)
        if owned is None or booked.sid in found.listed or not since <= booked.at + offset < until:
            continue
        if booked.outbox_id is not None or _is_owned(owned, booked.at, SKEW):
            found.absent.append((owned, booked))
    return found


def read_channel(tx: Tx, found: Comparison, owned: Owned, log: LogRead, sent: dict[str, Booked], until: int) -> None:
    """What stands in the log of one channel."""
    found.listed |= {logged.sid: logged for logged in log.messages}
    old = [logged for logged in log.messages if logged.at < until]
    booked = {each.sid: each for each in tx.statements.received([logged.sid for logged in old])} | sent
    unknown = [logged for logged in old if logged.sid not in booked]
    for logged in old:
        known = booked.get(logged.sid)
        if known is None or known.channel_id != owned.channel.id:  # a channel that was here before may have the address
            continue
        settled = Settled.RECEIVED if known.outbox_id is None else Settled.SENT
        entry = _entry(owned, logged, settled, known.contact_id)
        found.entries.append(entry)
        days = {day_of(at, owned.timezone) for at in (known.at, logged.created_at)}
        if known.is_prompt and len(days) > 1 and abs(known.at - logged.created_at) > LATE:
            found.misdated.setdefault(owned.channel.organization_id, entry)
    found.entries += unexplained(tx, owned, log, unknown)


def _entry(
    owned: Owned, logged: LoggedMessage, settled: Settled | Difference, contact_id: int | None, is_here: bool = True
) -> Entry:
    channel, day = owned.channel, day_of(logged.at, owned.timezone)
    return Entry(channel.organization_id, day, logged.sid, settled, logged.at, channel.id, contact_id, is_here=is_here)


def unexplained(tx: Tx, owned: Owned, log: LogRead, unknown: Sequence[LoggedMessage]) -> Iterator[Entry]:
    """What no row of the last days explains."""
    sids = [logged.sid for logged in unknown]
    forgotten, kept = tx.forgotten.known(sids), tx.messages.known(sids)
    ours = explained(tx, owned, log, [logged for logged in unknown if logged.direction != "inbound"])
    for logged in unknown:
        person = tx.contacts.at(owned.channel.id, logged.sender if logged.direction == "inbound" else logged.recipient)
        settled: Settled | Difference | None
        if logged.sid in forgotten:
            settled = Settled.FORGOTTEN
        elif logged.direction != "inbound":
            settled = Settled.SENT if logged.sid in ours else said(tx, owned, log, logged)
        else:
            settled = Settled.UNKNOWN_NUMBER if logged.sid in kept else heard(tx, owned, log, logged)
        if settled is not None:
            is_here = not isinstance(settled, Difference) and settled not in _THERE_ALONE
            yield _entry(owned, logged, settled, person.id if person else None, is_here)


def explained(tx: Tx, owned: Owned, log: LogRead, outbound: Sequence[LoggedMessage]) -> set[str]:
    """Of this what an older row explains, or a POST whose sid nobody knows."""
    found: set[str] = set()
    for address in {logged.recipient for logged in outbound}:
        to = [logged for logged in outbound if logged.recipient == address]
        found |= exchange.ours(tx, owned.channel.id, address, to, log.offset)
    return found


def said(tx: Tx, owned: Owned, log: LogRead, logged: LoggedMessage) -> Settled | Difference | None:
    """Something to a customer that is not ours."""
    if logged.direction == missed.REPLY and is_twilios_own(log.messages, logged):
        return Settled.TWILIOS_OWN
    at = logged.at - log.offset
    since, until = (tx.box.number(fact) or 0 for fact in (Fact.LOST_SINCE, Fact.LOST_UNTIL))
    if since - SKEW <= at <= until + SKEW:
        return Settled.RESTORED
    return Difference.ELSEWHERE if _is_owned(owned, at) else None


def is_twilios_own(messages: Sequence[LoggedMessage], logged: LoggedMessage) -> bool:
    """Whether it is an answer to a keyword that its recipient had just written."""
    return any(
        each.direction == "inbound"
        and each.sender == logged.recipient
        and 0 <= logged.created_at - each.created_at <= missed.AT_ONCE
        and keywords.is_twilios_word(each.body)
        for each in messages
    )


def heard(tx: Tx, owned: Owned, log: LogRead, logged: LoggedMessage) -> Settled | Difference | None:
    """A customer's message that we do not have."""
    at, channel_id = logged.created_at - log.offset, owned.channel.id
    person = tx.contacts.at(channel_id, logged.sender) or Contact(0, channel_id, logged.sender)
    if tx.forgotten.is_from_before(person, at):
        return Settled.FORGOTTEN
    if not _is_owned(owned, at):
        return None
    is_read = owned.read_to is None or owned.read_to > logged.created_at
    return Difference.MISSING_HERE if is_read else Settled.AWAITED


def _is_owned(owned: Owned, at: int, margin: int = 0) -> bool:
    """Whether the channel was in use at that time of ours, in this account."""
    return owned.began_at + margin <= at and (owned.ended_at is None or at <= owned.ended_at - margin)


def absent(owned: Owned, booked: Booked, logged: LoggedMessage | None, offset: int, *, is_asked: bool) -> Entry:
    """What the list does not show. `logged`: as Twilio tells it where it is asked by its sid."""
    if logged is not None:
        settled = Settled.RECEIVED if booked.outbox_id is None else Settled.SENT
        return _entry(owned, logged, settled, booked.contact_id)
    at, kind = booked.at + offset, Difference.DELETED if booked.outbox_id is None else Difference.NOT_THERE
    found: Settled | Difference = kind if is_asked else Settled.AWAITED
    return Entry(
        booked.organization_id,
        day_of(at, owned.timezone),
        booked.sid,
        Settled.SENT if has_failed(booked) else found,
        at,
        booked.channel_id,
        booked.contact_id,
        is_there=has_failed(booked),
    )


def has_failed(booked: Booked) -> bool:
    """By Twilio's own word, which needs no second one."""
    return booked.status in _FAILED


def to_ask(found: Comparison, named: Collection[str]) -> list[tuple[Owned, Booked]]:
    """Those that Twilio is asked for by their sids; what is named stays so until the list shows it again."""
    missing = (each for each in found.absent if not has_failed(each[1]) and each[1].sid not in named)
    return list(islice(missing, ASKED_AT_ONCE))
