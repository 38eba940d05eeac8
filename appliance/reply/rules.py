"""What rules alone decide about a burst of messages, before anybody is asked."""

import re
from dataclasses import replace
from enum import StrEnum

from appliance.model import Held, StoredMessage, TextKey
from appliance.ports import Dialogue, Reply
from appliance.reply.case import Case


class Reading(StrEnum):
    """What there is to read in a message."""

    TEXT = "text"
    UNREADABLE = "unreadable"  # a voice note, photo, file or place: we say that we cannot open it
    NOTHING = "nothing"  # a sticker, a reaction, an empty message, WhatsApp's word of a new number: no reply needed


def reading(message: StoredMessage) -> Reading:
    """A caption is text; a document's file name, which Twilio puts into Body, is not."""
    if message.message_type in ("sticker", "reaction", "system"):
        return Reading.NOTHING
    if message.body.strip() and not _is_file_name(message):
        return Reading.TEXT
    if message.media or message.message_type not in ("", "text"):
        return Reading.UNREADABLE
    return Reading.NOTHING


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
    return Reply(source="nothing to read")


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
