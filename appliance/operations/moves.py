"""How a channel comes to another account at Twilio."""

from dataclasses import dataclass

from appliance.errors import RequestError
from appliance.model import OutboxState, ai_resource, channel_resource
from appliance.operations.channels import named
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
    unclear = [row for row in tx.outbox.unsettled_of(channel.id) if row.attempt or row.state != OutboxState.READY]
    if move.park and all(row.state != OutboxState.SENDING for row in unclear):
        for row in unclear:
            delivery.park(tx, row, "the channel was moved to another account")
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
