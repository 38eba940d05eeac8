"""How a channel comes to another account at Twilio."""

from dataclasses import dataclass

from appliance.errors import RequestError
from appliance.model import Channel, OutboxState, ai_resource, channel_resource
from appliance.outbox import delivery
from appliance.store import Tx, cards
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


def move_channel(tx: Tx, move: Move) -> int:
    """The channel's id. What was never handed to Twilio goes out through the new account. Raises RequestError.

    What the old account may have sent only the old account's log can tell: that is settled first.
    """
    channel = _found(tx, move)
    if tx.channels.exists(channel.address, move.account):
        raise RequestError(
            "taken", f"The account {move.account} has the channel {move.address} already.", "account", 409
        )
    if tx.box.number(Fact.RESTORED_AT, channel.account) is not None:
        why = f"A backup was restored; wait until the log of {channel.account} has told what happened since."
        raise RequestError("restored", why, "channel", 409)
    unclear = [row for row in tx.outbox.unsettled_of(channel.id) if row.attempt or row.state != OutboxState.READY]
    if move.park and all(row.state != OutboxState.SENDING for row in unclear):
        for row in unclear:
            delivery.park(tx, row, f"the channel was moved from {channel.account} to {move.account}.")
    elif unclear:
        why = f"{len(unclear)} messages may have been sent through {channel.account}; only its log can tell."
        todo = "Wait until `appliance status` shows none that is not sure, or leave them to yourself with --park."
        raise RequestError("in_doubt", f"{why} {todo}", "channel", 409)
    tx.attempts.remain(channel.id, channel.account)
    tx.channels.move(channel.id, move.account)
    tx.cards.close(CardKind.ORPHAN, cards.number(move.account, channel.address))
    tx.jobs.move(
        channel.id,
        {
            channel_resource(channel.id, channel.account): channel_resource(channel.id, move.account),
            ai_resource(channel.organization_id, channel.account): ai_resource(channel.organization_id, move.account),
        },
    )
    return channel.id


def _found(tx: Tx, move: Move) -> Channel:
    every = tx.channels.with_address(move.address, enabled=False)
    found = [channel for channel in every if move.source in (None, channel.account)]
    if not found:
        raise RequestError("unknown_channel", f"There is no such channel {move.address}.", "address", 404)
    if len(found) > 1:
        names = " and ".join(channel.account for channel in found)
        raise RequestError("which_account", f"{move.address} is a channel of {names}; say from which.", "from")
    return found[0]
