"""What Twilio charges for what was sent, as far as it has told."""

from dataclasses import dataclass, field
from decimal import Decimal

from appliance.store import Tx


@dataclass(slots=True)
class Charge:
    """`prices`: what is paid, by currency. `unpriced`: messages of which Twilio has not told the price yet."""

    messages: int = 0
    segments: int = 0
    prices: dict[str, Decimal] = field(default_factory=dict)
    unpriced: int = 0


def charges(tx: Tx, organization_id: int, since: int, until: int) -> dict[str, Charge]:
    """Of what Twilio took between two times (ms UTC), by the kind of channel: sms, whatsapp, …"""
    found: dict[str, Charge] = {}
    for row in tx.outbox.charges(organization_id, since, until):
        charge = found.setdefault(row["address"].rpartition(":")[0] or "sms", Charge())
        charge.messages += row["messages"]
        charge.segments += row["segments"]
        if row["price"] is None:
            charge.unpriced += row["messages"]
        else:
            unit = row["price_unit"] or ""
            charge.prices[unit] = charge.prices.get(unit, Decimal(0)) - Decimal(row["price"]) * row["messages"]
    return found
