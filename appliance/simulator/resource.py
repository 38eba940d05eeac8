"""The JSON of Twilio's REST API (Twilio docs, "Messages resource" and "Media subresource")."""

from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import Any

from appliance.simulator.ledger import Entry
from appliance.simulator.refusal import RefusedError, prefix
from appliance.simulator.segments import segments

API = "/2010-04-01"
PRICED_AFTER = 3_600_000  # ms after a message was sent; how long Twilio takes is not documented
PER_SEGMENT, PER_MESSAGE = 750, 500  # hundred-thousandths of a dollar: of SMS, of any other channel


def rfc2822(milliseconds: int) -> str:
    """Twilio tells whole seconds."""
    return format_datetime(datetime.fromtimestamp(milliseconds // 1_000, UTC))


def price(entry: Entry, now: int) -> str | None:
    """What it cost, below zero; null until some time after it was sent."""
    if entry.date_sent is None or now - entry.date_sent < PRICED_AFTER:
        return None
    cost = PER_MESSAGE if prefix(entry.sender) else PER_SEGMENT * segments(entry.body)
    return f"-{cost // 100_000}.{cost % 100_000:05}"


def message_uri(entry: Entry) -> str:
    return f"{API}/Accounts/{entry.account_sid}/Messages/{entry.sid}"


def message_resource(entry: Entry, now: int) -> dict[str, Any]:
    """A message as POST, GET and list answer it at a time (ms UTC). The status callback URL is never told."""
    return {
        "account_sid": entry.account_sid,
        "api_version": "2010-04-01",
        "body": entry.body,
        "date_created": rfc2822(entry.date_created),
        "date_sent": None if entry.date_sent is None else rfc2822(entry.date_sent),
        "date_updated": rfc2822(entry.date_updated),
        "direction": entry.direction,
        "error_code": entry.error_code,
        "error_message": None,
        "from": entry.shown_sender,
        "messaging_service_sid": entry.service or None,
        "num_media": str(len(entry.media)),
        "num_segments": "0" if entry.service and entry.unsent else str(segments(entry.body)),
        "price": entry.price or price(entry, now),
        "price_unit": "USD",
        "sid": entry.sid,
        "status": entry.status,
        "subresource_uris": {
            "feedback": f"{message_uri(entry)}/Feedback.json",
            "media": f"{message_uri(entry)}/Media.json",
        },
        "to": entry.recipient,
        "uri": f"{message_uri(entry)}.json",
    }


def media_sid(message_sid: str, index: int) -> str:
    return "ME" + sha256(f"{message_sid}/{index}".encode()).hexdigest()[:32]


def media_list(entry: Entry) -> dict[str, Any]:
    uri = f"{message_uri(entry)}/Media"
    media = [
        {
            "account_sid": entry.account_sid,
            "content_type": item.content_type,
            "date_created": rfc2822(entry.date_created),
            "date_updated": rfc2822(entry.date_updated),
            "parent_sid": entry.sid,
            "sid": media_sid(entry.sid, index),
            "uri": f"{uri}/{media_sid(entry.sid, index)}.json",
        }
        for index, item in enumerate(entry.media)
    ]
    return {"media_list": media, "next_page_uri": None, "page": 0, "page_size": 50, "uri": f"{uri}.json"}


def error_body(error: RefusedError) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": error.message,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }
