"""The form parameters of Twilio's webhooks.

Sources: Twilio docs, "Twilio's request to your incoming message webhook URL" and "Outbound message status in status
callbacks".
"""

from datetime import UTC, datetime

from appliance.simulator.ledger import Entry
from appliance.simulator.refusal import prefix
from appliance.simulator.segments import segments

GEOGRAPHY = [f"{end}{part}" for end in ("From", "To") for part in ("City", "Country", "State", "Zip")]
EVENTS = {"delivered": "DELIVERED", "read": "READ", "undelivered": "UNDELIVERED", "failed": "UNDELIVERED"}
SPECIAL = {"image/webp": "sticker", "text/vcard": "contacts"}
DONE = frozenset({"delivered", "undelivered"})


def inbound_parameters(entry: Entry) -> dict[str, str]:
    """What the incoming message webhook says about a message, by channel."""
    parameters = {
        "SmsMessageSid": entry.sid,
        "SmsSid": entry.sid,
        "MessageSid": entry.sid,
        "AccountSid": entry.account_sid,
        "From": entry.sender,
        "To": entry.recipient,
        "Body": entry.body,
        "NumMedia": str(len(entry.media)),
        "NumSegments": str(segments(entry.body)),
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    }
    for index, media in enumerate(entry.media):
        parameters[f"MediaUrl{index}"] = media.url
        if media.content_type:
            parameters[f"MediaContentType{index}"] = media.content_type
    return parameters | (_whatsapp(entry) if prefix(entry.sender) == "whatsapp" else dict.fromkeys(GEOGRAPHY, ""))


def _whatsapp(entry: Entry) -> dict[str, str]:
    kind = "text"
    if entry.media:
        content_type = entry.media[0].content_type
        kind = content_type.partition("/")[0]
        kind = SPECIAL.get(content_type, kind if kind in {"image", "audio", "video"} else "document")
    user = entry.sender.removeprefix("whatsapp:")
    parameters = {
        "ProfileName": "Maria",
        "MessageType": kind,
        "ChannelMetadata": '{"type":"whatsapp","data":{}}',
        "ReferralNumMedia": "0",
    }
    # A customer who hides the phone number is known by a business-scoped id and has no WaId.
    return parameters | ({"WaId": user[1:]} if user.startswith("+") else {"ExternalUserId": user})


def callback_parameters(entry: Entry) -> dict[str, str]:
    """What a status callback says about the message as it stands."""
    parameters = {
        "AccountSid": entry.account_sid,
        "ApiVersion": "2010-04-01",
        "From": entry.sender,
        "MessageSid": entry.sid,
        "MessageStatus": entry.status,
        "SmsSid": entry.sid,
        "SmsStatus": entry.status,
        "To": entry.recipient,
    }
    if entry.service:
        parameters["MessagingServiceSid"] = entry.service
    if entry.error_code is not None:
        parameters["ErrorCode"] = str(entry.error_code)
    if prefix(entry.recipient) == "whatsapp":
        parameters |= {
            "ChannelInstallSid": "XE" + entry.account_sid[2:],
            "ChannelPrefix": "whatsapp",
            "ChannelToAddress": entry.recipient.removeprefix("whatsapp:"),
            "StructuredMessage": "false",
        }
        if entry.status in EVENTS:
            parameters["EventType"] = EVENTS[entry.status]
        if entry.error_code is not None:
            parameters["ChannelStatusMessage"] = "The message could not be delivered."
    elif entry.status in DONE:
        parameters["RawDlrDoneDate"] = datetime.fromtimestamp(entry.date_updated / 1_000, UTC).strftime("%y%m%d%H%M")
    return parameters
