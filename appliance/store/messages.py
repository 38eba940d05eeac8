"""Received messages, each once by its sid, and orphans: those written to a number that is nobody's here."""

from collections.abc import Sequence
from itertools import groupby

import msgspec

from appliance.model import Handover, StoredMessage
from appliance.store.contacts import ALIASES, OF_A_KIND
from appliance.store.forgotten import Forgotten
from appliance.store.repository import Repository
from appliance.store.sql import Row
from appliance.wire import InboundMessage, Media

LIVE = "reply_id IS NULL AND suppressed IS NULL AND card_id IS NULL"
# model.Held, in the words of a partial index: SQLite uses it only where a query repeats them.
HELD = "suppressed IN ('a person is in charge', 'promised')"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


class Messages(Repository[StoredMessage]):
    table = "messages"
    type = StoredMessage

    def _load(self, row: Row) -> StoredMessage:
        media = tuple(Media(url, content_type) for url, content_type in msgspec.json.decode(row["media"]))
        values = {name: row[name] for name in self._names}
        handed_back = row["handed_back"] and Handover(row["handed_back"])
        return StoredMessage(**values | {"media": media, "handed_back": handed_back})

    def insert(
        self,
        message: InboundMessage,
        *,
        organization_id: int,
        contact_id: int,
        conversation_id: int,
        source: str,
        notice: str | None,
        suppressed: str | None,
        received_at: int,
    ) -> int | None:
        """The id of the new row, or None where this sid is stored already."""
        return self._sql.insert_new(
            "messages",
            "(sid)",
            sid=message.sid,
            organization_id=organization_id,
            contact_id=contact_id,
            conversation_id=conversation_id,
            body=message.body,
            media=_json([(item.url, item.content_type) for item in message.media]),
            message_type=message.message_type,
            parameters=_json(message.parameters),
            idempotency_token=message.idempotency_token,
            source=source,
            notice=notice,
            received_at=received_at,
            suppressed=suppressed,
        )

    def insert_orphan(self, message: InboundMessage, reason: str) -> None:
        self._sql.insert_new(
            "orphaned_messages",
            "(sid)",
            sid=message.sid,
            account_sid=message.account_sid,
            sender=message.sender,
            recipient=message.recipient,
            body=message.body,
            parameters=_json(message.parameters),
            reason=reason,
            received_at=self._sql.now,
        )

    def waiting(self, channel_id: int) -> list[tuple[str, list[StoredMessage]]]:
        """Live messages of a channel, by contact's address, oldest first."""
        rows = self._sql.all(
            "SELECT m.*, c.address FROM messages m JOIN contacts c ON c.id = m.contact_id WHERE c.channel_id = ? "
            "AND m.reply_id IS NULL AND m.suppressed IS NULL AND m.card_id IS NULL ORDER BY c.id, m.id",
            channel_id,
        )
        return [
            (address, [self._load(row) for row in group])
            for address, group in groupby(rows, lambda row: row["address"])
        ]

    def known(self, sids: list[str]) -> set[str]:
        """Which of these are stored, as messages or as orphans, or were and are forgotten."""
        rows = self._sql.all(
            "SELECT value FROM json_each(?) WHERE value IN (SELECT sid FROM messages) "
            "OR value IN (SELECT sid FROM orphaned_messages)",
            _json(sids),
        )
        known = {row["value"] for row in rows}
        unknown = [sid for sid in sids if sid not in known]
        return known | (Forgotten(self._sql).known(unknown) if unknown else set())

    def fill_gaps(self, message: InboundMessage) -> bool:
        """The webhook of a caught-up message came after all: keep what Twilio's log does not have.

        A body is never overwritten with an empty one. False where nothing was missing.
        """
        changed = self._sql.run(
            "UPDATE messages SET parameters = ?, idempotency_token = ?, message_type = ?, "
            "body = iif(body = '', ?, body), media = iif(? = '[]', media, ?) "
            "WHERE sid = ? AND source = 'catch_up' AND parameters = '[]'",
            _json(message.parameters),
            message.idempotency_token,
            message.message_type,
            message.body,
            (media := _json([(item.url, item.content_type) for item in message.media])),
            media,
            message.sid,
        )
        return changed == 1

    def written_since(self, contact_id: int, at: int) -> list[tuple[str, str]]:
        """(sid, body) of what a person wrote later than a time (ms UTC), on channels of the contact's kind."""
        rows = self._sql.all(
            "SELECT m.sid, m.body FROM conversations c JOIN messages m ON m.conversation_id = c.id "  # noqa: S608
            f"WHERE c.contact_id IN {OF_A_KIND} AND m.received_at > ?2",
            contact_id,
            at,
        )
        return [(row["sid"], row["body"]) for row in rows]

    def told_since(self, contact_id: int, at: int) -> list[str]:
        """Twilio's OptOutType in the webhooks of what a person wrote later than a time (ms UTC), as above."""
        rows = self._sql.all(
            "SELECT p.value ->> 1 AS told FROM conversations c JOIN messages m ON m.conversation_id = c.id, "  # noqa: S608
            f"json_each(m.parameters) p WHERE c.contact_id IN {OF_A_KIND} AND m.received_at > ?2 "
            "AND p.value ->> 0 = 'OptOutType'",
            contact_id,
            at,
        )
        return [row["told"] for row in rows]

    def account(self, sid: str) -> str | None:
        """The account at Twilio whose message this is; None where it is not stored."""
        found: str | None = self._sql.value(
            "SELECT ch.account FROM messages m JOIN contacts c ON c.id = m.contact_id "
            "JOIN channels ch ON ch.id = c.channel_id WHERE m.sid = ?",
            sid,
        )
        return found

    def stored(self, sid: str) -> tuple[int, int, int]:
        """(its id, its contact's id, when it was received) of a message that is stored."""
        row = self._sql.one("SELECT id, contact_id, received_at FROM messages WHERE sid = ?", sid)
        assert row is not None
        return row["id"], row["contact_id"], row["received_at"]

    def live(self, conversation_id: int) -> list[StoredMessage]:
        """Those nobody has answered yet, in receive order."""
        return self._select(f"conversation_id = ? AND {LIVE} ORDER BY id", conversation_id)

    def is_newer_live(self, contact_id: int, than: int) -> bool:
        """Whether another address of the person has a message that nobody has answered yet, later than this one."""
        return bool(
            self._sql.value(
                "SELECT 1 FROM conversations c JOIN messages m ON m.conversation_id = c.id "  # noqa: S608
                f"WHERE c.contact_id IN {ALIASES} AND c.contact_id <> ?1 AND m.id > ?2 "
                "AND m.reply_id IS NULL AND m.suppressed IS NULL AND m.card_id IS NULL LIMIT 1",
                contact_id,
                than,
            )
        )

    def newest(self, conversations: Sequence[int], least: int) -> int:
        """The id of the newest message in these conversations, or of an even newer one."""
        newest = "SELECT max(id) FROM messages WHERE conversation_id = ?"
        ids: list[int] = [self._sql.value(newest, each) or 0 for each in conversations]
        return max([least, *ids])

    def claim_for(self, reply_id: int, message_ids: list[int]) -> bool:
        """Give these messages to a reply. False where another reply has one of them already."""
        taken = [self._claim(reply_id, message_id) for message_id in message_ids]
        return all(taken)

    def claim_free(self, reply_id: int, message_ids: list[int]) -> None:
        """Give those of these messages to a reply that nobody has."""
        for message_id in message_ids:
            self._claim(reply_id, message_id)

    def _claim(self, reply_id: int, message_id: int) -> bool:
        return self._sql.run(f"UPDATE messages SET reply_id = ? WHERE id = ? AND {LIVE}", reply_id, message_id) == 1  # noqa: S608

    def answered_by(self, reply_id: int) -> list[StoredMessage]:
        return self._select("reply_id = ? ORDER BY id", reply_id)

    def release(self, reply_id: int) -> int:
        """The reply was withdrawn: its messages are live again."""
        return self._sql.run("UPDATE messages SET reply_id = NULL WHERE reply_id = ?", reply_id)

    def suppress(self, message_ids: list[int], reason: str) -> None:
        for message_id in message_ids:
            self._sql.run(f"UPDATE messages SET suppressed = ? WHERE id = ? AND {LIVE}", reason, message_id)  # noqa: S608

    def give_up(self, message_ids: list[int], card_id: int) -> None:
        """Nobody will answer these by itself; the card says so."""
        for message_id in message_ids:
            self._sql.run(f"UPDATE messages SET card_id = ? WHERE id = ? AND {LIVE}", card_id, message_id)  # noqa: S608

    def revive(self, message_ids: list[int]) -> int:
        """An operator wants these answered again: live, whatever had become of them."""
        return sum(
            self._sql.run("UPDATE messages SET reply_id = NULL, card_id = NULL WHERE id = ?", message_id)
            for message_id in message_ids
        )

    def held(self, contact_id: int, *, with_aliases: bool = False) -> list[StoredMessage]:
        """Those that wait for somebody of ours, in receive order. `with_aliases`: whichever address they came from."""
        whose = ALIASES if with_aliases else "(?1)"
        return self._select(f"contact_id IN {whose} AND {HELD} ORDER BY id", contact_id)

    def settle_held(self, message_ids: list[int], reason: str) -> None:
        """They wait for nobody any more, and the appliance does not answer them."""
        for message_id in message_ids:
            self._sql.run(f"UPDATE messages SET suppressed = ? WHERE id = ? AND {HELD}", reason, message_id)  # noqa: S608

    def hand_back(self, message_ids: list[int], handover: Handover) -> None:
        """The one way from suppressed to live: nobody answered them, and the appliance is in charge again."""
        for message_id in message_ids:
            statement = f"UPDATE messages SET suppressed = NULL, handed_back = ? WHERE id = ? AND {HELD}"  # noqa: S608
            self._sql.run(statement, handover, message_id)

    def move(self, message_ids: list[int], conversation_id: int) -> None:
        for message_id in message_ids:
            self._sql.run("UPDATE messages SET conversation_id = ? WHERE id = ?", conversation_id, message_id)
