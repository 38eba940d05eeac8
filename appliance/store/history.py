"""A conversation as it went: what came in and what we said, for the model and for people."""

from collections.abc import Sequence

from appliance.store.outbox import GONE, UNSETTLED
from appliance.store.sql import Row, Sql


class History:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def received(self, conversation_id: int, before: int, limit: int, beside: Sequence[int] = ()) -> list[Row]:
        """Inbound messages older than a message id, oldest first: id, body, reply_id, received_at. `beside`: the same
        customer's conversations by other addresses, of which what was answered counts: what waits has its own lane, and
        whoever saw it would answer it as well.
        """
        own = self._last(
            "SELECT id, body, reply_id, received_at FROM messages WHERE conversation_id = ? AND id < ? "
            "ORDER BY id DESC LIMIT ?",
            [(conversation_id, before, limit)],
        )
        others = self._last(
            "SELECT id, body, reply_id, received_at FROM messages m WHERE conversation_id = ? AND EXISTS (SELECT 1 "  # noqa: S608
            f"FROM outbox o WHERE o.id = m.reply_id AND o.state NOT IN {GONE} AND o.state <> 'ready') "
            "ORDER BY id DESC LIMIT ?",
            [(each, limit) for each in beside],
        )
        return sorted([*own, *others], key=lambda row: int(row["id"]))[-limit:]

    def said(self, conversation_id: int, limit: int, beside: Sequence[int] = ()) -> list[Row]:
        """Ours that Twilio has or may have, oldest first: id, body, created_at. Withdrawn drafts are left out."""
        return self._last(
            f"SELECT id, body, created_at FROM outbox WHERE conversation_id = ? AND state NOT IN {GONE} "  # noqa: S608
            "AND state <> 'ready' ORDER BY id DESC LIMIT ?",
            [(each, limit) for each in (conversation_id, *beside)],
        )

    def _last(self, statement: str, questions: Sequence[tuple[int, ...]]) -> list[Row]:
        """The newest rows of several questions together, oldest first; the last value of each says how many."""
        rows = [row for values in questions for row in self._sql.all(statement, *values)]
        rows.sort(key=lambda row: int(row["id"]))
        return rows[-questions[0][-1] :] if questions else []

    def messages(self, organization_id: int | None, contact: str | None, limit: int) -> list[Row]:
        """What came in and what went out, newest first, of one contact's address or of all.

        An organization's own, or with None all of the box.
        """
        channels = "(SELECT id FROM channels WHERE ?3 IS NULL OR organization_id = ?3)"
        theirs = f"(SELECT id FROM contacts WHERE channel_id IN {channels} AND address = ?1)"  # noqa: S608
        said_in = f"m.conversation_id IN (SELECT id FROM conversations WHERE contact_id IN {theirs})"  # noqa: S608
        inbound, outbound = ("true", "true") if contact is None else (said_in, f"o.contact_id IN {theirs}")
        return self._sql.all(
            f"""
            SELECT * FROM (
                SELECT m.sid, 'inbound' AS direction, c.address AS contact, ch.address AS channel, m.body,
                       d.disposition, coalesce(m.suppressed, '') AS reason, m.reply_id,
                       m.received_at AS at, m.id, m.media
                FROM messages m JOIN dispositions d ON d.id = m.id JOIN contacts c ON c.id = m.contact_id
                JOIN channels ch ON ch.id = c.channel_id
                WHERE {inbound} AND (?3 IS NULL OR m.organization_id = ?3)
                ORDER BY m.id DESC LIMIT ?2)
            UNION ALL SELECT * FROM (
                SELECT o.sid, 'outbound', c.address, ch.address, o.body, o.state, o.reason, o.id,
                       o.created_at, o.id, '[]'
                FROM outbox o JOIN contacts c ON c.id = o.contact_id
                JOIN channels ch ON ch.id = c.channel_id
                WHERE {outbound} AND (?3 IS NULL OR o.organization_id = ?3)
                ORDER BY o.id DESC LIMIT ?2)
            ORDER BY at DESC, direction DESC, id DESC LIMIT ?2
            """,  # noqa: S608  # the conditions are literals
            contact,
            limit,
            organization_id,
        )

    def orphans_of_the_box(self, limit: int) -> list[Row]:
        return self._sql.all("SELECT * FROM orphaned_messages ORDER BY id DESC LIMIT ?", limit)

    def orphaned_numbers_in_the_box(self, newest: int) -> list[Row]:
        """What the newest orphans were written to, where that is still no channel: recipient, account_sid, count,
        last_at; the last one first.
        """
        return self._sql.all(
            "SELECT recipient, account_sid, count(*) AS count, max(received_at) AS last_at FROM "
            "(SELECT recipient, account_sid, received_at FROM orphaned_messages ORDER BY id DESC LIMIT ?) o "
            "WHERE NOT EXISTS (SELECT 1 FROM channels c WHERE c.address = o.recipient AND c.removed_at IS NULL) "
            "GROUP BY recipient, account_sid ORDER BY last_at DESC",
            newest,
        )

    def unsure_in_the_box(self, limit: int) -> list[Row]:
        """Replies of which nobody knows whether they were sent, oldest first: id, recipient, reason, sending_at."""
        return self._sql.all(
            f"SELECT id, recipient, reason, sending_at FROM outgoing WHERE {UNSETTLED} AND state = 'doubt' "  # noqa: S608
            "ORDER BY id LIMIT ?",
            limit,
        )

    def orphan_reason(self, sid: str) -> str | None:
        """Why a message is an orphan; None where it is none."""
        reason = self._sql.value("SELECT reason FROM orphaned_messages WHERE sid = ?", sid)
        return None if reason is None else str(reason)

    def fate(self, sid: str) -> Row | None:
        """A message's disposition, why it is suppressed, why its reply failed, its card's text, who has the contact."""
        return self._sql.one(
            "SELECT d.disposition, m.suppressed, o.reason AS failed, k.text AS card, c.handover FROM messages m "
            "JOIN dispositions d ON d.id = m.id JOIN contacts c ON c.id = m.contact_id "
            "LEFT JOIN outbox o ON o.id = m.reply_id LEFT JOIN cards k ON k.id = m.card_id WHERE m.sid = ?",
            sid,
        )

    def asker(self, conversation_id: int, organization_id: int) -> Row | None:
        """Whose conversation of the organization it is, and the last words in it: contact's profile_name, address and
        handover, channel, body.
        """
        return self._sql.one(
            "SELECT c.profile_name, c.address, c.handover, ch.address AS channel, m.body "
            "FROM conversations v JOIN contacts c ON c.id = v.contact_id JOIN channels ch ON ch.id = v.channel_id "
            "LEFT JOIN messages m ON m.id = (SELECT max(id) FROM messages WHERE conversation_id = v.id) "
            "WHERE v.id = ? AND v.organization_id = ?",
            conversation_id,
            organization_id,
        )

    def conversation_of(self, outbox_id: int) -> int | None:
        """The conversation that a row of the outbox belongs to."""
        found = self._sql.value("SELECT conversation_id FROM outbox WHERE id = ?", outbox_id)
        return None if found is None else int(found)
