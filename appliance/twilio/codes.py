"""Twilio's error codes: what each means for the message, for the channel and in plain words.

Source: Twilio docs, "Error and warning dictionary". Message texts of Twilio are never parsed.
"""

from appliance.wire import Blame, SendOutcome

UNAUTHORIZED = 20003
RATE_LIMITED = 20429
QUEUE_FULL = 21611
OPTED_OUT = 21610
WINDOW_CLOSED = 63016
DAILY_LIMIT = 63038
_RECIPIENT = frozenset({63018, 14107})  # too much to this contact, for a moment

_ACCOUNT = frozenset({20003, 20005, 20006, 30002, 572002, 572005, 572006, 10002})
_SENDER = frozenset(
    {21603, 21606, 21212, 21659, 21660, 21701, 21703, 21704, 21705, 21712, 63007, 63020, 63051, 63059, 30023, 30027}
)

WORDS = {
    20003: "Twilio does not accept the account SID or the token; check twilio.auth_tokens",
    20005: "the Twilio account is not active",
    20006: "the Twilio credentials may not send messages",
    30002: "the Twilio account is suspended",
    10002: "the Twilio account is a trial that cannot do this; upgrade it",
    572006: "the Twilio account is a trial that may only send templates; upgrade it",
    21603: "no sender number was given",
    21606: "the number is not one of the Twilio account's that can send this",
    21659: "the sender is not a number of the Twilio account",
    21660: "the sender belongs to another Twilio account",
    21701: "the Twilio account has no such Messaging Service; check messaging_service_sid",
    21705: "the Twilio account has no such Messaging Service; check messaging_service_sid",
    21703: "the Messaging Service has no number that can send this",
    21712: "the number is not in the account's Messaging Service; add it there at Twilio",
    63007: "Twilio has no WhatsApp sender with this number",
    21408: "sending to this country is not enabled at Twilio (Messaging, Settings, Geo permissions)",
    21608: "a trial account may only write to verified numbers",
    63015: "the customer has not joined the WhatsApp sandbox (or three days have passed)",
    30034: "the number is not registered for A2P 10DLC",
    21211: "the customer's number is not valid",
    21614: "the customer's number cannot receive SMS",
    30003: "the customer's phone could not be reached",
    30004: "the customer's carrier or phone blocks messages",
    30005: "the customer's number is unknown",
    30006: "the customer's number is a landline or cannot be reached",
    63003: "the customer's number has no WhatsApp",
    63024: "the customer's number has no WhatsApp",
    21610: "the customer asked for no more messages (STOP)",
    21617: "the text is longer than 1,600 characters",
    30007: "a carrier filtered the message as unwanted",
    63049: "Meta did not deliver the message",
    63016: "WhatsApp allows a free answer only within 24 hours of the customer's message",
    30008: "the carrier gave no reason",
    30036: "it waited longer than its validity period",
    20429: "Twilio's rate limit was reached",
    21611: "the number's queue at Twilio is full",
    63038: "the account has sent as much as it may today; it goes on at 00:05 UTC",
    63018: "too many messages to this customer in a short time",
    14107: "too many messages to this customer in a short time",
}


def classify(status: int, code: int | None) -> tuple[SendOutcome, Blame]:
    """What an HTTP error answer to a POST means. `code` is None where the body was not Twilio's JSON."""
    if not 400 <= status < 500 or (status == 429 and code is None):
        return SendOutcome.DOUBT, Blame.NOTHING
    if status in (401, 404) or code == RATE_LIMITED:
        return SendOutcome.NOT_SENT, Blame.ACCOUNT
    if code == QUEUE_FULL:
        return SendOutcome.NOT_SENT, Blame.NOTHING
    found = blame(code)
    waits = found in (Blame.ACCOUNT, Blame.SENDER, Blame.DAY, Blame.RECIPIENT)
    return SendOutcome.NOT_SENT if waits else SendOutcome.REFUSED, found


def blame(code: int | None) -> Blame:
    """What a code says about more than its message, in a POST's answer or in a callback."""
    if code in _ACCOUNT:
        return Blame.ACCOUNT
    if code in _SENDER:
        return Blame.SENDER
    if code in _RECIPIENT:
        return Blame.RECIPIENT
    if code == DAILY_LIMIT:
        return Blame.DAY
    return Blame.RECIPIENT_OPTED_OUT if code == OPTED_OUT else Blame.NOTHING


def words(code: int | None) -> str:
    """What a code means, in English; the notices' translations have the same words."""
    if code is None:
        return "Twilio gave no reason"
    return WORDS.get(code, "see Twilio's error dictionary")


def explain(code: int | None) -> str:
    """A code in plain words."""
    return words(code) + ("." if code is None else f" (Twilio error {code}).")
