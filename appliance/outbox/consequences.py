"""What a send's end says about more than its message: circuits of the account, of the channel, and of doubt."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from appliance.clock import milliseconds
from appliance.model import MINUTE, SECOND, OutboxMessage, channel_resource
from appliance.ports import Clock
from appliance.queue.circuit import Circuits, access_of, doubt_of
from appliance.twilio import codes
from appliance.wire import Blame, SendOutcome, TwilioMessageResult

RECENT = 2 * MINUTE  # a doubt this young may be the beginning of an incident that is not over


def of_result(circuits: Circuits, clock: Clock, row: OutboxMessage, result: TwilioMessageResult) -> None:
    """A POST was answered, or nobody knows."""
    wait = None if result.retry_after is None else int(result.retry_after * SECOND)
    if result.outcome == SendOutcome.DOUBT:
        circuits.get(doubt_of(row.account)).parked(milliseconds(clock), wait)
        return
    if result.blame not in (Blame.DAY, Blame.ACCOUNT, Blame.NETWORK):
        circuits.get(doubt_of(row.account)).succeeded()
        circuits.get(access_of(row.account)).succeeded()
        if result.blame != Blame.SENDER and result.outcome in (SendOutcome.ACCEPTED, SendOutcome.REFUSED):
            circuits.get(channel_resource(row.channel_id, row.account)).succeeded()
    _park(circuits, clock, row, result.blame, wait)


def of_callback(circuits: Circuits, clock: Clock, row: OutboxMessage, error_code: int | None) -> None:
    """A message failed after it was accepted: the same codes mean the same."""
    _park(circuits, clock, row, codes.blame(error_code))


def circuit_of(row: OutboxMessage, blame: Blame) -> str:
    """The account's or the channel's, by what is to blame; empty where no other message suffers."""
    if blame in (Blame.DAY, Blame.ACCOUNT, Blame.NETWORK):
        return access_of(row.account)
    return channel_resource(row.channel_id, row.account) if blame == Blame.SENDER else ""


def _park(circuits: Circuits, clock: Clock, row: OutboxMessage, blame: Blame, wait: int | None = None) -> None:
    if name := circuit_of(row, blame):
        circuits.get(name).parked(milliseconds(clock), _tomorrow(clock) if blame == Blame.DAY else wait)


def of_the_past(circuits: Circuits, clock: Clock, last_doubts: Mapping[str, int]) -> None:
    """At start. `last_doubts`: when the last send of an account that is in doubt ended (ms UTC)."""
    for account, at in last_doubts.items():
        if 0 <= clock.now() - at < RECENT:
            circuits.get(doubt_of(account)).parked(milliseconds(clock))


def _tomorrow(clock: Clock) -> int:
    """Milliseconds to five minutes past midnight UTC, when Twilio counts a new day."""
    now = datetime.fromtimestamp(clock.now() / SECOND, UTC)
    midnight = now.replace(hour=0, minute=5, second=0, microsecond=0)
    return int((midnight + timedelta(days=int(now >= midnight)) - now).total_seconds() * SECOND)
