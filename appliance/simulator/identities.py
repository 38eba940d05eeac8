"""Who a customer is at WhatsApp: a number in one form or the other, a business-scoped id beside it or instead of it.

Sources: Meta's pages on business-scoped user ids and system messages. How Twilio hands on a system message is not
documented; here it is the JSON of ChannelMetadata.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.simulator.canonical import unchanged

WHATSAPP = "whatsapp:"


@dataclass(slots=True)
class Identities:
    """`user_ids`: of `whatsapp:+…` numbers, told with each of their messages. `wa_id`: the form of a number in WaId."""

    user_ids: dict[str, str] = field(default_factory=dict)
    wa_id: Callable[[str], str] = unchanged

    def parameters(self, sender: str) -> dict[str, str]:
        """What the webhook of a customer's message says; nothing for who has no number, or no WhatsApp."""
        number = sender.removeprefix(WHATSAPP)
        if number == sender or not number.startswith("+"):
            return {}
        found = {"WaId": self.wa_id(number).removeprefix("+")}
        return found | ({"ExternalUserId": self.user_ids[sender]} if sender in self.user_ids else {})

    def others(self, address: str) -> list[str]:
        """The customer's other addresses: WhatsApp's window is open for all of them at once."""
        pairs = [(number, WHATSAPP + user_id) for number, user_id in self.user_ids.items()]
        return [other for pair in pairs if address in pair for other in pair if other != address]


def changed(previous_id: str, user_id: str, number: str = "") -> dict[str, str]:
    """The parameters of the message by which WhatsApp tells that a customer has another id and, where it may be told,
    another number.
    """
    system = {"previous_user_id": previous_id, "user_id": user_id}
    system |= {"type": "user_changed_number", "wa_id": number} if number else {"type": "user_changed_user_id"}
    metadata = {"type": "whatsapp", "data": {"system": system}}
    return {"MessageType": "system", "ChannelMetadata": json.dumps(metadata)}
