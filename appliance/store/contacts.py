"""Contacts: a customer's address on one of our channels, and whether it may be written to.

A person may have several of them (`links`). Lanes, keys and recipients stay each address's own; who belongs together is
told by `person` and by the two lists below alone.
"""

from collections.abc import Iterable
from dataclasses import replace

from appliance.model import FORGOTTEN, Contact, Handover
from appliance.store.forgotten import Forgotten
from appliance.store.repository import Repository
from appliance.store.sql import Row

# The contact ?1 and all that are the same person: those on its channel, where window, doubt, loop guard and hand-over
# follow the person, and those on channels of its kind, SMS or WhatsApp, where consent does.
ALIASES = """(SELECT ?1 UNION SELECT b.id FROM contacts a JOIN contacts b
    ON b.person_id = a.person_id AND b.channel_id = a.channel_id WHERE a.id = ?1)"""
OF_A_KIND = """(SELECT ?1 UNION SELECT b.id FROM contacts a JOIN contacts b
    ON b.person_id = a.person_id
    AND substr(b.address, 1, instr(b.address, ':')) = substr(a.address, 1, instr(a.address, ':')) WHERE a.id = ?1)"""

# Of several rows about who is in charge the one that counts.
TAKEN_FIRST = "ORDER BY handover IS NULL, handover = 'unknown', handover_at DESC, id LIMIT 1"
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

    def make(self, channel_id: int, address: str) -> bool:
        """A contact with this address; who was forgotten and had opted out still has. False where there is one."""
        made = self._sql.insert_new(
            "contacts", "(channel_id, address)", channel_id=channel_id, address=address, created_at=self._sql.now
        )
        if made and (left := Forgotten(self._sql).opted_out_at(channel_id, address)):
            changes = "UPDATE contacts SET opted_out_at = ?, opted_out_sid = ? WHERE id = ?"
            self._sql.run(changes, left, FORGOTTEN, made)
        return made is not None

    def ensure(self, channel_id: int, address: str) -> Contact:
        """The contact with this address, made where there is none; `identity.meet` also joins it to others."""
        self.make(channel_id, address)
        contact = self.at(channel_id, address)
        assert contact is not None
        return contact

    def person(self, contact_id: int) -> list[int]:
        """The ids of all contacts that are the same person, on whatever channel: itself alone in the common case. Who
        belongs together is told here and nowhere else.
        """
        rows = self._sql.all(
            "SELECT ?1 UNION SELECT b.id FROM contacts a JOIN contacts b ON b.person_id = a.person_id WHERE a.id = ?1",
            contact_id,
        )
        return [row[0] for row in rows]

    def aliases(self, contact: Contact) -> list[int]:
        """Of the same person on the same channel, itself included; asked for only where there are others."""
        if contact.person_id is None:
            return [contact.id]
        return [row[0] for row in self._sql.all(ALIASES[1:-1], contact.id)]

    def as_person(self, contact: Contact) -> Contact:
        """The contact with what its person's other addresses add: consent, WhatsApp's window. Nothing is written and,
        where it has no other address, nothing asked.
        """
        if contact.person_id is None:
            return contact
        kin = self._select(f"id IN {OF_A_KIND} ORDER BY id", contact.id)
        back_at = max((each.opted_in_at or 0 for each in kin), default=0)
        left = [each for each in kin if (each.opted_out_at or 0) > back_at]
        first = min(left, key=lambda each: each.opted_out_at or 0, default=None)
        here = [each for each in kin if each.channel_id == contact.channel_id]
        return replace(
            contact,
            opted_out_at=first.opted_out_at if first else None,
            opted_out_sid=first.opted_out_sid if first else None,
            last_inbound_at=_latest(each.last_inbound_at for each in here),
            reminded_at=_latest(each.reminded_at for each in kin),
        )

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
        """The first word counts until the person is back, by whichever address: from then on the next one does."""
        back_at = f"coalesce((SELECT max(opted_in_at) FROM contacts WHERE id IN {OF_A_KIND}), 0)"  # noqa: S608
        self._sql.run(
            f"UPDATE contacts SET opted_out_at = max(?2, 1 + {back_at}), opted_out_sid = ?3 "  # noqa: S608
            f"WHERE id = ?1 AND coalesce(opted_out_at, 0) <= {back_at}",
            contact_id,
            self._sql.now,
            sid,
        )

    def has_left(self, sid: str) -> bool:
        """Opted out by Twilio's word or by a message that is stored; one that was only heeded counts when it is."""
        told = "SELECT ?1 IN (?2, ?3) OR ?1 IN (SELECT sid FROM messages)"
        return bool(self._sql.value(told, sid, TWILIOS_WORD, FORGOTTEN))

    def forget(self, contact_id: int, at: int) -> None:
        """From now on nothing is said to the contact; what came in from `at` on (ms UTC) is another one's."""
        self._sql.run("UPDATE contacts SET forget_at = ? WHERE id = ?", at, contact_id)

    def refused(self, contact_id: int) -> None:
        """Twilio says that the contact opted out."""
        self.opt_out(contact_id, TWILIOS_WORD)

    def window_closed(self, contact_id: int) -> None:
        """Twilio says that the 24 hours are over, whatever we think; the person's next word opens them."""
        self._sql.run(f"UPDATE contacts SET last_inbound_at = NULL WHERE id IN {ALIASES}", contact_id)  # noqa: S608

    def share_opt_out(self, contact: Contact) -> None:
        """Before it parts from its person: who wants no messages wants none by the other addresses either."""
        person = self.as_person(contact)
        if contact.person_id is not None and person.opted_out_at is not None:
            self._sql.run(
                "UPDATE contacts SET opted_out_at = ?2, opted_out_sid = ?3 "  # noqa: S608
                f"WHERE id IN {OF_A_KIND} AND id <> ?1 AND opted_out_at IS NULL",
                contact.id,
                person.opted_out_at,
                FORGOTTEN,
            )

    def opt_in(self, contact_id: int) -> None:
        """What the person's other addresses said before stands in their rows and does not count any more."""
        self._sql.run(
            "UPDATE contacts SET opted_out_at = NULL, opted_out_sid = NULL, reminded_at = NULL, opted_in_at = "  # noqa: S608
            f"max(?2, 1 + coalesce((SELECT max(opted_out_at) FROM contacts WHERE id IN {OF_A_KIND}), 0)) WHERE id = ?1",
            contact_id,
            self._sql.now,
        )

    def reminded(self, contact_id: int) -> None:
        self._sql.run("UPDATE contacts SET reminded_at = ? WHERE id = ?", self._sql.now, contact_id)

    def hand_over(self, contact_id: int, handover: Handover, at: int, by: str = "", due_at: int | None = None) -> None:
        """A person is to answer, whichever address the contact uses, or is there. `at`: when that began (ms UTC); who
        wanted the contact back later still does. `by`: who has taken it. `due_at`: when the person is promised.
        """
        self._sql.run(
            "UPDATE contacts SET handover = ?2, handover_at = ?3, handover_by = ?4, due_at = ?5, "  # noqa: S608
            f"resume_at = iif(resume_at > ?3, resume_at, NULL) WHERE id IN {ALIASES}",
            contact_id,
            handover,
            at,
            by,
            due_at,
        )

    def spoke(self, contact_id: int, at: int, by: str) -> None:
        """A person's word reached the contact, by whichever address (ms UTC)."""
        self._sql.run(
            "UPDATE contacts SET handover = 'taken', handover_at = max(coalesce(handover_at, 0), ?2), "  # noqa: S608
            "handover_by = ?3, due_at = NULL, spoke_at = max(coalesce(spoke_at, 0), ?2), "
            "resume_at = iif(resume_at > ?2, resume_at, NULL) "
            f"WHERE id IN {ALIASES}",
            contact_id,
            at,
            by,
        )

    def ask_back(self, contact_id: int) -> None:
        """Somebody wants the appliance to answer again; who asked first stays first in the row."""
        self._sql.run(
            "UPDATE contacts SET resume_at = coalesce(resume_at, ?2) "  # noqa: S608
            f"WHERE id IN {ALIASES} AND handover IS NOT NULL",
            contact_id,
            self._sql.now,
        )

    def hand_back(self, contact_id: int) -> None:
        self._sql.run(
            "UPDATE contacts SET handover = NULL, handover_at = NULL, handover_by = '', "
            "due_at = NULL, resume_at = NULL WHERE id = ?",
            contact_id,
        )

    def is_any_handed_over(self) -> bool:
        return bool(self._sql.value("SELECT 1 FROM contacts WHERE handover IS NOT NULL LIMIT 1"))

    def due_back_in_the_box(self, account: str, human_for: int, limit: int) -> list[Contact]:
        """Whom somebody wants back, then those whose time is over, of one account's channels; it counts from when the
        person was promised, if that is later. A time of the hand-over far ahead is of a clock that was wrong.
        """
        return self._select(
            "handover IS NOT NULL AND (resume_at IS NOT NULL "
            "OR (abs(?1 - handover_at) >= ?2 AND (coalesce(due_at, 0) <= ?1 - ?2 OR handover_at > ?1))) "
            "AND channel_id IN (SELECT id FROM channels WHERE account = ?3) "
            "ORDER BY resume_at IS NULL, handover_at LIMIT ?4",
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


def _latest(times: Iterable[int | None]) -> int | None:
    return max((at for at in times if at is not None), default=None)
