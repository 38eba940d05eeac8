"""Messages that Twilio has and we do not: which of them are answered now. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from appliance.inbox import keywords
from appliance.inbox.consent import Order
from appliance.model import ANSWERED_ELSEWHERE, MINUTE, SECOND
from appliance.wire import InboundMessage, LoggedMessage, Media

OVERLAP = 10 * MINUTE  # of two passes, so that a message the list shows late is not passed over
WEBHOOKS_OWN = 20 * SECOND  # a younger message is left to its webhook
LATE = 30 * MINUTE  # an older one is answered with an apology for the delay, and not at night
AT_ONCE = 10 * SECOND  # Twilio's own answer to a keyword follows it within so long
REPLY = "outbound-reply"  # the direction of what Twilio said by itself or by TwiML
NIGHT = range(20, 24), range(8)  # hours of the organization's day


class Fate(StrEnum):
    ANSWER = "answer"
    ANSWERED_ELSEWHERE = ANSWERED_ELSEWHERE
    TOO_OLD = "too old"


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a message came in that Twilio's log told us about."""

    message: InboundMessage
    fate: Fate
    order: Order


def missing(messages: Sequence[LoggedMessage], known: Collection[str]) -> list[LoggedMessage]:
    """Inbound messages we do not know, oldest first."""
    return [message for message in messages if message.direction == "inbound" and message.sid not in known]


def is_webhooks_own(message: LoggedMessage, twilio_now: int) -> bool:
    """So young that its webhook may still be on its way."""
    return message.created_at > twilio_now - WEBHOOKS_OWN


def fate(
    message: LoggedMessage,
    outbound: Sequence[LoggedMessage],
    ours: Collection[str],
    *,
    twilio_now: int,
    within: int,
    timezone: str,
) -> Fate:
    """Answer it, unless something unknown to us went to the contact later, or it is too old for the time of day."""
    if is_answered(message.created_at, outbound, ours):
        return Fate.ANSWERED_ELSEWHERE
    age = twilio_now - message.created_at
    return Fate.TOO_OLD if is_too_old(age, twilio_now, within=within, timezone=timezone) else Fate.ANSWER


def is_too_old(age: int, now: int, *, within: int, timezone: str) -> bool:
    """Whether what nobody has answered for so long is shown to the owner instead: sooner at night."""
    return age > answered_within(now, within=within, timezone=timezone)


def answered_within(now: int, *, within: int, timezone: str) -> int:
    """How old a message may be that is answered at a time (ms)."""
    hour = datetime.fromtimestamp(now / SECOND, ZoneInfo(timezone)).hour
    at_night = any(hour in hours for hours in NIGHT)
    return min(within, LATE) if at_night else within


def is_answered(written_at: int, said: Sequence[LoggedMessage], ours: Collection[str]) -> bool:
    """Whether something unknown to us went to the contact since; all times on Twilio's clock."""
    return any(message.created_at >= written_at and message.sid not in ours for message in said)


def but_for_keywords(said: Sequence[LoggedMessage], heard: Sequence[LoggedMessage]) -> tuple[LoggedMessage, ...]:
    """What was said to a contact, without Twilio's own answers to HELP, STOP and START: they answer no question."""
    said_at = [message.created_at for message in heard if keywords.is_twilios_word(message.body)]
    return tuple(
        message
        for message in said
        if message.direction != REPLY or not any(0 <= message.created_at - at <= AT_ONCE for at in said_at)
    )


def words_after(
    message: LoggedMessage | None, heard: Sequence[LoggedMessage], senders: Collection[str]
) -> list[LoggedMessage]:
    """What a person said about consent after one of its messages, or at all; in the order of Twilio's log."""
    written = [other for other in heard if other.sender in senders and other.direction == "inbound"]
    later = written if message is None else written[written.index(message) + 1 :]
    return [other for other in later if keywords.says(other.body, other.recipient) != keywords.Change.NONE]


def as_inbound(message: LoggedMessage, account: str, account_sid: str, media: tuple[Media, ...] = ()) -> InboundMessage:
    """As its webhook would have brought it. `account`: of ours, in whose log it stands."""
    return InboundMessage(
        sid=message.sid,
        account_sid=account_sid,
        sender=message.sender,
        recipient=message.recipient,
        body=message.body,
        media=media,
        account=account,
    )
