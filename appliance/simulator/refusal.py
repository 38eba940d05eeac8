"""What Twilio refuses when a message is created (Twilio docs, "Error and warning dictionary")."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from multidict import MultiMapping

from appliance.model import HOUR
from appliance.simulator.ledger import Ledger

MAX_BODY = 1_600
MAX_CALLBACK = 4_000
MAX_VALIDITY = 36_000  # seconds
WINDOW = 24 * HOUR
ADDRESS = re.compile(
    r"\+[1-9]\d{6,14}|\d{3,6}|whatsapp:(\+[1-9]\d{6,14}|[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128})|(messenger|rcs):\S+"
)


class RefusedError(Exception):
    """Twilio's answer to a request it does not do: HTTP `status` and the JSON with `code`."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def prefix(address: str) -> str:
    """The channel in front of an address: `whatsapp`, … or nothing for SMS."""
    return address.rpartition(":")[0]


def sender_of(form: MultiMapping[str], pool: Collection[str]) -> str:
    """From, or the number that the Messaging Service chooses out of its pool; empty when there is none."""
    chosen = form.get("From", "")
    if chosen or not form.get("MessagingServiceSid"):
        return chosen
    return next((address for address in pool if prefix(address) == prefix(form.get("To", ""))), "")


def check_create(
    form: MultiMapping[str],
    ledger: Ledger,
    owned: Collection[str],
    now: int,
    pool: Collection[str] | None = None,
    also: Collection[str] = (),
) -> None:
    """Raise RefusedError for the first thing wrong with the parameters of a new message.

    `owned`: the account's own addresses; empty means that any From is ours. `pool`: those of the Messaging Service that
    the form names.
    """
    pool = owned if pool is None else pool
    sender, recipient, body = sender_of(form, pool), form.get("To", ""), form.get("Body", "")
    if not sender and form.get("MessagingServiceSid"):
        raise RefusedError(21703, "The Messaging Service does not have a phone number available to send a message")
    if form.get("MessagingServiceSid") and pool and sender not in pool:
        raise RefusedError(21712, "Phone Number or Short Code is associated with another Messaging Service.")
    _check_addresses(sender, recipient, owned)
    if not body and not form.getall("MediaUrl", []):
        raise RefusedError(21602, "Message body is required.")
    if len(body) > MAX_BODY:
        raise RefusedError(21617, "The concatenated message body exceeds the 1600 character limit")
    if not re.fullmatch("[1-9][0-9]{0,4}", validity := form.get("ValidityPeriod", "1")) or int(validity) > MAX_VALIDITY:
        raise RefusedError(21624, "Invalid validity period value")
    if "StatusCallback" in form and not _callable_url(form["StatusCallback"]):
        raise RefusedError(21609, "The 'StatusCallback' URL is not a valid URL.")
    if ledger.opted_out(recipient, sender):
        raise RefusedError(21610, "Attempt to send to unsubscribed recipient")
    last = max(ledger.last_inbound(each, sender) or 0 for each in (recipient, *also))
    if prefix(recipient) == "whatsapp" and now - last > WINDOW:
        raise RefusedError(63016, "Failed to send freeform message because you are outside the allowed window.")


def _check_addresses(sender: str, recipient: str, owned: Collection[str]) -> None:
    if not recipient:
        raise RefusedError(21604, "A 'To' phone number is required.")
    if not ADDRESS.fullmatch(recipient):
        raise RefusedError(21211, "Invalid 'To' Phone Number")
    if not sender:
        raise RefusedError(21603, "A 'From' phone number is required.")
    if prefix(sender) != prefix(recipient):
        raise RefusedError(21910, "Invalid 'From' and 'To' pair. They should be of the same channel.")
    if not owned or sender in owned:
        return
    if prefix(sender) == "whatsapp":
        raise RefusedError(63007, "Twilio could not find a Channel with the specified From address")
    if ADDRESS.fullmatch(sender):
        raise RefusedError(21659, "The 'From' number is not a Twilio phone number of this account")
    raise RefusedError(21606, "The 'From' phone number provided is not a valid, message-capable Twilio phone number")


def _callable_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        complete = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return complete and len(url) <= MAX_CALLBACK and "_" not in parts.netloc
