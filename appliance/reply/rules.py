"""What rules alone decide about a burst of messages, before anybody is asked."""

import re
from dataclasses import replace
from enum import StrEnum

from appliance.language.reactions import is_emoji, is_reaction
from appliance.model import Held, StoredMessage, TextKey
from appliance.ports import Dialogue, Reply
from appliance.reply.case import Case


class Reading(StrEnum):
    """What there is to read in a message."""

    TEXT = "text"
    UNREADABLE = "unreadable"  # a voice note, photo, file or contact's card: we say that we cannot open it
    # No reply is needed; the value is the reason that is stored.
    REACTION = "a reaction"
    EMOJI = "only emoji"
    STICKER = "a sticker"
    NOTHING = "nothing to read"


def reading(message: StoredMessage) -> Reading:
    """A caption is text; what Twilio puts into Body, a document's file name or a contact's, is not."""
    body, media = message.body.strip(), message.media
    if message.message_type == "reaction" or (not media and is_reaction(body)):
        return Reading.REACTION
    if message.message_type == "sticker" or _is_missed_sticker(message):
        return Reading.STICKER
    if not media and is_emoji(body):
        return Reading.EMOJI
    is_system = message.message_type == "system"  # WhatsApp's word of a customer's new number
    says_nothing = is_system or is_emoji(body) or message.message_type == "contacts" or _is_file_name(message)
    if body and not says_nothing:
        return Reading.TEXT
    if not is_system and (media or message.message_type not in ("", "text")):
        return Reading.UNREADABLE
    return Reading.NOTHING


def _is_missed_sticker(message: StoredMessage) -> bool:
    """Twilio's log does not tell a message's type; WhatsApp makes every photo a JPEG and every sticker WebP."""
    types = {item.content_type for item in message.media}
    return message.source == "catch_up" and types == {"image/webp"} and not message.body.strip()


def _is_file_name(message: StoredMessage) -> bool:
    if not any(item.content_type.startswith(("application/", "text/")) for item in message.media):
        return False
    return re.fullmatch(r"[^\n?]{1,200}\.[A-Za-z0-9]{1,8}", message.body.strip()) is not None


def readable(case: Case) -> Dialogue:
    questions = tuple(message.body for message in case.messages if reading(message) == Reading.TEXT)
    return replace(case.dialogue, questions=questions)


def without_responder(case: Case) -> Reply | None:
    """A fixed text or silence: a person in charge, consent notices, nothing to read. None: the responder is needed."""
    if case.contact.is_with_a_person:
        return Reply(source=Held.IN_CHARGE)
    if notice := _notice(case.messages):
        return Reply(source="consent", key=notice)
    readings = {reading(message) for message in case.messages}
    if Reading.TEXT in readings:
        return None
    if Reading.UNREADABLE in readings and not case.media_text_is_recent:
        return Reply(source="media", key=TextKey.MEDIA_UNSUPPORTED)
    silent = reading(case.messages[-1])
    return Reply(source=Reading.NOTHING if silent == Reading.UNREADABLE else silent)


def _notice(messages: tuple[StoredMessage, ...]) -> TextKey | None:
    """The one fixed text for a burst. A question asked after coming back in is answered instead."""
    notices = [TextKey(message.notice) for message in messages if message.notice]
    if not notices:
        return None
    if TextKey.OPTED_OUT in notices and TextKey.OPTED_IN not in notices:
        return TextKey.OPTED_OUT
    last = next(message for message in reversed(messages) if message.notice)
    asked_after = [m for m in messages if m.id > last.id and reading(m) == Reading.TEXT]
    return None if last.notice == TextKey.OPTED_IN and asked_after else TextKey(last.notice or "")
