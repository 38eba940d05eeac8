"""Contacts: a customer's address on one of our channels, and whether it may be written to."""

from appliance.model import Contact, session_key
from appliance.store.repository import Repository

TWILIOS_WORD = "21610"  # instead of a message's sid: Twilio refused to write to the contact


class Contacts(Repository[Contact]):
    table = "contacts"
    type = Contact

    def at(self, channel_id: int, address: str) -> Contact | None:
        return self._find("channel_id = ? AND address = ?", channel_id, address)

    def ensure(self, channel_id: int, address: str) -> Contact:
        """The contact with this address, made where there is none."""
        self._sql.insert_new(
            "contacts", "(channel_id, address)", channel_id=channel_id, address=address, created_at=self._sql.now
        )
        contact = self.at(channel_id, address)
        assert contact is not None
        return contact

    def lane(self, contact_id: int) -> str:
        """The key of the contact's conversation and of its lane."""
        row = self._sql.one(
            "SELECT ch.address AS channel, c.address AS contact "
            "FROM contacts c JOIN channels ch ON ch.id = c.channel_id WHERE c.id = ?",
            contact_id,
        )
        assert row is not None
        return session_key(row["channel"], row["contact"])

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
                "SELECT opted_out_sid = ? OR opted_out_sid IN (SELECT sid FROM messages) FROM contacts WHERE id = ?",
                TWILIOS_WORD,
                contact_id,
            )
        )

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
