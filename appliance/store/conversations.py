"""Conversations: one open per session key; the sweeps that let them go idle and close them."""

from appliance.model import Conversation, ConversationStatus
from appliance.store.contacts import ALIASES
from appliance.store.repository import Repository
from appliance.store.sql import Row

# A message that nobody has answered yet, or a job in the lane. A conversation that has one is never swept.
_LIVE = """EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = conversations.id
    AND m.reply_id IS NULL AND m.suppressed IS NULL AND m.card_id IS NULL)"""
_BUSY = """EXISTS (SELECT 1 FROM message_queue q WHERE q.lane = conversations.session_key
    AND q.status IN ('ready', 'running'))"""


class Conversations(Repository[Conversation]):
    table = "conversations"
    type = Conversation

    def _load(self, row: Row) -> Conversation:
        values = {name: row[name] for name in self._names}
        return Conversation(**values | {"status": ConversationStatus(row["status"])})

    def open_with(self, session_key: str) -> Conversation | None:
        return self._find("session_key = ? AND status <> 'closed'", session_key)

    def waiting(self, contact_id: int) -> list[Conversation]:
        """A contact's conversations with messages that nobody has answered yet, oldest first."""
        return self._select(f"contact_id = ? AND {_LIVE} ORDER BY id", contact_id)

    def open_of(self, contact_id: int) -> list[Conversation]:
        return self._select("contact_id = ? AND status <> 'closed' ORDER BY id", contact_id)

    def insert(
        self,
        organization_id: int,
        channel_id: int,
        contact_id: int,
        session_key: str,
        expires_at: int,
        status: ConversationStatus = ConversationStatus.PENDING,
    ) -> Conversation:
        now = self._sql.now
        self._sql.run(
            "UPDATE conversations SET is_newest = 0 "
            "WHERE id = (SELECT max(id) FROM conversations WHERE contact_id = ?)",
            contact_id,
        )
        row_id = self._sql.insert(
            "conversations",
            organization_id=organization_id,
            channel_id=channel_id,
            contact_id=contact_id,
            session_key=session_key,
            status=status,
            created_at=now,
            updated_at=now,
            expires_at=expires_at,
        )
        conversation = self.get(row_id)
        assert conversation is not None
        return conversation

    def touch(self, conversation_id: int, expires_at: int) -> None:
        """A message came in: the clock of idle and expired starts again, an idle conversation wakes up."""
        self._sql.run(
            "UPDATE conversations SET status = iif(status = 'idle', 'progress', status), version = version + 1, "
            "updated_at = ?, expires_at = ? WHERE id = ?",
            self._sql.now,
            expires_at,
            conversation_id,
        )

    def set_status(self, conversation_id: int, status: ConversationStatus) -> None:
        self._sql.run(
            "UPDATE conversations SET status = ?, version = version + 1, updated_at = ? WHERE id = ?",
            status,
            self._sql.now,
            conversation_id,
        )

    def take(self, contact_id: int) -> None:
        """A person is in charge of the contact, whichever address it uses."""
        self._sql.run(
            "UPDATE conversations SET status = 'human', version = version + 1, updated_at = ?2 "  # noqa: S608
            f"WHERE contact_id IN {ALIASES} AND status NOT IN ('closed', 'human')",
            contact_id,
            self._sql.now,
        )

    def give_back(self, contact_id: int) -> None:
        """The appliance is in charge of the contact again."""
        self._sql.run(
            "UPDATE conversations SET status = 'progress', version = version + 1, updated_at = ? "
            "WHERE contact_id = ? AND status = 'human'",
            self._sql.now,
            contact_id,
        )

    def open_beside(self, contact_id: int) -> list[int]:
        """The ids of the open conversations that the same person has by other addresses, on whatever channel."""
        rows = self._sql.all(
            "SELECT v.id FROM contacts a JOIN contacts b ON b.person_id = a.person_id AND b.id <> a.id "
            "JOIN conversations v ON v.contact_id = b.id AND v.status <> 'closed' WHERE a.id = ? ORDER BY v.id",
            contact_id,
        )
        return [row["id"] for row in rows]

    def whose(self, conversation_id: int) -> Row | None:
        """Of a conversation: channel (address), last_inbound_at of its contact, timezone of its organization."""
        return self._sql.one(
            "SELECT ch.address AS channel, c.last_inbound_at, o.timezone FROM conversations v "
            "JOIN contacts c ON c.id = v.contact_id JOIN channels ch ON ch.id = v.channel_id "
            "JOIN organizations o ON o.id = v.organization_id WHERE v.id = ?",
            conversation_id,
        )

    def newest(self, contact_id: int) -> Conversation | None:
        return self._find("contact_id = ? ORDER BY id DESC LIMIT 1", contact_id)

    def answered(self, conversation_id: int) -> None:
        """A reply was written."""
        self._sql.run(
            "UPDATE conversations SET status = iif(status IN ('pending', 'idle'), 'progress', status), "
            "version = version + 1, updated_at = ? WHERE id = ?",
            self._sql.now,
            conversation_id,
        )

    def quiet_in_the_box(self, before: int, limit: int) -> list[Conversation]:
        """Pending or in progress, last touched before a time, with nothing left to answer."""
        return self._sweep("status IN ('pending', 'progress') AND updated_at < ?", "updated_at", before, limit)

    def expired_in_the_box(self, now: int, limit: int) -> list[Conversation]:
        return self._sweep("status <> 'closed' AND expires_at <= ?", "expires_at", now, limit)

    def _sweep(self, condition: str, order: str, before: int, limit: int) -> list[Conversation]:
        idle = f"NOT {_LIVE} AND NOT {_BUSY}"
        return self._select(f"{condition} AND {idle} ORDER BY {order} LIMIT ?", before, limit)

    def move(self, conversation: Conversation, status: ConversationStatus) -> bool:
        """Change the status unless somebody changed the row since it was read (optimistic locking)."""
        changed = self._sql.run(
            "UPDATE conversations SET status = ?, version = version + 1 WHERE id = ? AND version = ?",
            status,
            conversation.id,
            conversation.version,
        )
        return changed == 1
