"""How a channel comes to another account at Twilio."""

from dataclasses import dataclass

from appliance.errors import RequestError
from appliance.model import Channel, OutboxMessage, OutboxState, ai_resource, channel_resource, masked
from appliance.operations.channels import named
from appliance.outbox import delivery
from appliance.ports import LogUnavailableError, Missed
from appliance.store import Store, Tx, cards
from appliance.store.box import Fact
from appliance.store.cards import CardKind


@dataclass(frozen=True, slots=True)
class Move:
    """`source`: the account it is taken from, where several have the address. `park`: what nobody knows is left to a
    person, as where the old account's log cannot be read any more.
    """

    address: str
    source: str | None
    account: str
    park: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """`read`: what came in by the old account until then is known."""

    id: int
    read: bool


async def move_channel(store: Store, move: Move, missed: Missed) -> Moved:
    """What was never handed to Twilio goes out through the new account. Raises RequestError.

    What did not reach the box only the old account's log can tell: it comes in first. That log is read a
    little longer, as it may be behind (`inbox/catch_up`).
    """
    channel = await store.read(lambda tx: _movable(tx, move))
    said = ""
    try:
        unread = "" if await missed.fetch(channel) else "something has just come in, or an answer to it is in doubt"
    except LogUnavailableError as error:
        unread = "it cannot be read"
        said = str(error)
    if unread and not move.park:
        cause = f"{unread} ({said})" if said else unread
        why = f"The log of {channel.account} does not tell what was missed until now: {cause}."
        todo = "Try again in half a minute, or leave what was missed to yourself with --park."
        raise RequestError("unread", f"{why} {todo}", "channel", 409)
    await store.write(lambda tx: _move(tx, move, channel, why=unread))
    return Moved(channel.id, not unread)


def _movable(tx: Tx, move: Move) -> Channel:
    """What the old account may have sent only the old account's log can tell: that is settled first, or parked."""
    channel = named(tx, move.address, move.source, enabled=False, field="from")
    if tx.channels.exists(channel.address, move.account):
        raise RequestError(
            "taken", f"The account {move.account} has the channel {move.address} already.", "account", 409
        )
    if tx.channels.removed(move.account, channel.address):
        why = (
            f"{move.address} was removed from the account {move.account}, which keeps its messages; add it there again."
        )
        raise RequestError("taken", why, "account", 409)
    if tx.box.number(Fact.RESTORED_AT, channel.account) is not None:
        why = f"A backup was restored; wait until the log of {channel.account} has told what happened since."
        raise RequestError("restored", why, "channel", 409)
    unclear = _unclear(tx, channel)
    if unclear and not (move.park and all(row.state != OutboxState.SENDING for row in unclear)):
        why = f"{len(unclear)} messages may have been sent through {channel.account}; only its log can tell."
        todo = "Wait until `appliance status` shows none that is not sure, or leave them to yourself with --park."
        raise RequestError("in_doubt", f"{why} {todo}", "channel", 409)
    return channel


def _unclear(tx: Tx, channel: Channel) -> list[OutboxMessage]:
    return [row for row in tx.outbox.unsettled_of(channel.id) if row.attempt or row.state != OutboxState.READY]


def _move(tx: Tx, move: Move, was: Channel, *, why: str) -> None:
    """`was`: the channel whose log was read. `why`: it was not read to its end."""
    channel = _movable(tx, move)
    if channel != was:
        raise RequestError("moved", "The channel has been moved or removed meanwhile.", "address", 409)
    for row in _unclear(tx, channel):
        delivery.park(tx, row, "the channel was moved to another account")
    if why:
        subject, number = cards.channel(channel.id), masked(channel.address)
        tx.cards.open(CardKind.MOVED, subject, channel.organization_id, number=number, was=channel.account, why=why)
    tx.attempts.remain(channel.id, channel.account)
    tx.channels.move(channel.id, move.account, goes_on=not why)
    tx.cards.close(CardKind.ORPHAN, cards.number(move.account, channel.address))
    tx.jobs.move(
        channel.id,
        {
            channel_resource(channel.id, channel.account): channel_resource(channel.id, move.account),
            ai_resource(channel.organization_id, channel.account): ai_resource(channel.organization_id, move.account),
        },
    )
