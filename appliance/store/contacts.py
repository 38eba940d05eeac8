"""Contacts: a customer's address on one of our channels, and whether it may be written to."""

from appliance.model import FORGOTTEN, Contact, Handover
from appliance.store.forgotten import Forgotten
from appliance.store.repository import Repository
from appliance.store.sql import Row

TWILIOS_WORD = "21610"  # instead of a message's sid: Twilio refused to write to the contact


def session_key(channel_id: int, contact: str) -> str:
    """The key of a conversation and of its lane: the contact's address verbatim, and the channel, by its id, as an
    address may be two accounts'.
    """
    return f"{channel_id}|{contact}"


class Contacts(Repository[Contact]):
    table = "contacts"
    type = Contact

    def _load(self, row: Row) -> Contact:
        values = {name: row[name] for name in self._names}
        return Contact(**values | {"handover": row["handover"] and Handover(row["handover"])})

    def at(self, channel_id: int, address: str) -> Contact | None:
        return self._find("channel_id = ? AND address = ?", channel_id, address)

    def ensure(self, channel_id: int, address: str) -> Contact:
        """The contact with this address, made where there is none; who was forgotten and had opted out still has."""
        made = self._sql.insert_new(
            "contacts", "(channel_id, address)", channel_id=channel_id, address=address, created_at=self._sql.now
        )
        if made and (left := Forgotten(self._sql).opted_out_at(channel_id, address)):
            changes = "UPDATE contacts SET opted_out_at = ?, opted_out_sid = ? WHERE id = ?"
            self._sql.run(changes, left, FORGOTTEN, made)
        contact = self.at(channel_id, address)
        assert contact is not None
        return contact

    def lane(self, contact_id: int) -> str:
        """The contact's session key."""
        contact = self.get(contact_id)
        assert contact is not None
        return session_key(contact.channel_id, contact.address)

    def heard(self, contact_id: int, at: int) -> None:
        """A message came in: WhatsApp's 24 hours start again."""
        self._sql.run(
            "UPDATE contacts SET last_inbound_at = max(coalesce(last_inbound_at, 0), ?) WHERE id = ?", at, contact_id
        )

    def named(self, contact_id: int, profile_name: str) -> None:
        """What WhatsApp calls the contact now; an empty name is none."""
        if profile_name:
            self._sql.run("UPDATE contacts SET profile_name = ? WHERE id = ?", profile_name, contact_id)

    def opt_out(self, contact_id: int, sid: str) -> None:
        self._sql.run(
            "UPDATE contacts SET opted_out_at = ?, opted_out_sid = ? WHERE id = ? AND opted_out_at IS NULL",
            self._sql.now,
            sid,
            contact_id,
        )

    def has_left(self, contact_id: int) -> bool:
        """Opted out by Twilio's word or by a message that is stored; one that was only heeded counts when it is."""
        return bool(
            self._sql.value(
                "SELECT opted_out_sid IN (?, ?) OR opted_out_sid IN (SELECT sid FROM messages) "
                "FROM contacts WHERE id = ?",
                TWILIOS_WORD,
                FORGOTTEN,
                contact_id,
            )
        )

    def forget(self, contact_id: int, at: int) -> None:
        """From now on nothing is said to the contact; what came in from `at` on (ms UTC) is another one's."""
        self._sql.run("UPDATE contacts SET forget_at = ? WHERE id = ?", at, contact_id)

    def refused(self, contact_id: int) -> None:
        """Twilio says that the contact opted out."""
        self.opt_out(contact_id, TWILIOS_WORD)

    def window_closed(self, contact_id: int) -> None:
        """Twilio says that the 24 hours are over, whatever we think; the contact's next word opens them."""
        self._sql.run("UPDATE contacts SET last_inbound_at = NULL WHERE id = ?", contact_id)

    def opt_in(self, contact_id: int) -> None:
        self._sql.run(
            "UPDATE contacts SET opted_out_at = NULL, opted_out_sid = NULL, reminded_at = NULL WHERE id = ?", contact_id
        )

    def reminded(self, contact_id: int) -> None:
        self._sql.run("UPDATE contacts SET reminded_at = ? WHERE id = ?", self._sql.now, contact_id)

    def hand_over(self, contact_id: int, handover: Handover, at: int) -> None:
        """A person answers. `at`: the request, or the person's word (ms UTC); who wanted the contact back later still
        does.
        """
        self._sql.run(
            "UPDATE contacts SET handover = ?, handover_at = ?, resume_at = iif(resume_at > ?, resume_at, NULL) "
            "WHERE id = ?",
            handover,
            at,
            at,
            contact_id,
        )

    def ask_back(self, contact_id: int) -> None:
        """Somebody wants the appliance to answer again; who asked first stays first in the row."""
        self._sql.run(
            "UPDATE contacts SET resume_at = coalesce(resume_at, ?) WHERE id = ? AND handover IS NOT NULL",
            self._sql.now,
            contact_id,
        )

    def hand_back(self, contact_id: int) -> None:
        self._sql.run(
            "UPDATE contacts SET handover = NULL, handover_at = NULL, resume_at = NULL WHERE id = ?", contact_id
        )

    def is_any_handed_over(self) -> bool:
        return bool(self._sql.value("SELECT 1 FROM contacts WHERE handover IS NOT NULL LIMIT 1"))

    def due_back_in_the_box(self, account: str, human_for: int, limit: int) -> list[Contact]:
        """Whom somebody wants back, then those whose time is over, of one account's channels. A time far ahead is of a
        clock that was wrong.
        """
        return self._select(
            "handover IS NOT NULL AND (resume_at IS NOT NULL OR abs(? - handover_at) >= ?) "
            "AND channel_id IN (SELECT id FROM channels WHERE account = ?) "
            "ORDER BY resume_at IS NULL, handover_at LIMIT ?",
            self._sql.now,
            human_for,
            account,
            limit,
        )

    def with_address(self, organization_id: int | None, address: str) -> list[Contact]:
        """One for each channel that the customer wrote to: of an organization, or with None of the box."""
        ours = "SELECT id FROM channels WHERE ? IS NULL OR organization_id = ?"
        values = organization_id, organization_id, address
        return self._select(f"channel_id IN ({ours}) AND address = ? ORDER BY id", *values)

    def unfinished_on(self, channel_id: int) -> list[Contact]:
        """Those of a channel with an open conversation, a message or a reply that waits, or a person they wait for."""
        return self._select(
            "channel_id = ? AND (handover IS NOT NULL "
            "OR id IN (SELECT contact_id FROM conversations WHERE status <> 'closed') "
            "OR id IN (SELECT contact_id FROM messages "
            "WHERE reply_id IS NULL AND suppressed IS NULL AND card_id IS NULL) "
            "OR id IN (SELECT contact_id FROM outbox WHERE state IN ('ready', 'sending', 'doubt', 'parked') "
            "AND state <> 'parked')) ORDER BY id",
            channel_id,
        )
