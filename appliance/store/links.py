"""Links: which contacts are one person, by what Twilio told or by the owner's hand; what else Twilio calls a contact.

Nothing is rewritten by a link: undone, each address is what it was, with its own words about consent.
"""

from dataclasses import dataclass

from appliance.store.contacts import ALIASES, TAKEN_FIRST
from appliance.store.repository import Repository

BY_HAND = "by hand"


@dataclass(frozen=True, slots=True)
class Link:
    """Two contacts are the same person."""

    id: int
    contact_id: int  # the smaller id of the two
    other_id: int
    evidence: str
    linked_at: int
    undone_at: int | None = None
    undone_by: str = ""


class Links(Repository[Link]):
    table = "contact_links"
    type = Link

    def note(self, contact_id: int, address: str, evidence: str) -> bool:
        """Twilio calls the contact by this address too. False where that is known."""
        made = self._sql.run(
            "INSERT INTO contact_aliases (contact_id, address, evidence, noted_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            contact_id,
            address,
            evidence,
            self._sql.now,
        )
        return made == 1

    def called(self, channel_id: int, address: str) -> list[tuple[int, str]]:
        """Which contacts of a channel Twilio calls by this address too, and by what it told so."""
        rows = self._sql.all(
            "SELECT n.contact_id, n.evidence FROM contact_aliases n JOIN contacts c ON c.id = n.contact_id "
            "WHERE n.address = ? AND c.channel_id = ? ORDER BY n.contact_id",
            address,
            channel_id,
        )
        return [(row[0], row[1]) for row in rows]

    def aliases_of_the_box(self) -> list[tuple[int, int, str, int]]:
        """(contact, its channel, what else Twilio calls it, since when)."""
        rows = self._sql.all(
            "SELECT n.contact_id, c.channel_id, n.address, n.noted_at "
            "FROM contact_aliases n JOIN contacts c ON c.id = n.contact_id"
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def unnote(self, contact_id: int, address: str) -> None:
        """Whoever has this address is forgotten."""
        self._sql.run("DELETE FROM contact_aliases WHERE contact_id = ? AND address = ?", contact_id, address)

    def names(self, contact_id: int) -> list[str]:
        """The addresses of a contact, its own first, and of all that are the same person on its channel; then what else
        Twilio calls them, where that is nobody's own.
        """
        rows = self._sql.all(
            "SELECT address FROM ("  # noqa: S608
            f"SELECT address, id <> ?1 AS rank, id FROM contacts WHERE id IN {ALIASES} "
            f"UNION ALL SELECT n.address, 2, n.contact_id FROM contact_aliases n WHERE n.contact_id IN {ALIASES} "
            "AND n.address NOT IN (SELECT address FROM contacts WHERE channel_id = "
            "(SELECT channel_id FROM contacts WHERE id = ?1))) GROUP BY address ORDER BY min(rank), id",
            contact_id,
        )
        return [row["address"] for row in rows]

    def of(self, contact_id: int) -> list[Link]:
        """Those in force that name the contact."""
        return self._select(
            "(contact_id = ? OR other_id = ?) AND undone_at IS NULL ORDER BY id", contact_id, contact_id
        )

    def ever(self, contact_id: int, other_id: int) -> list[Link]:
        """Those between the two, undone ones too."""
        pair = sorted((contact_id, other_id))
        return self._select("contact_id = ? AND other_id = ? ORDER BY id", *pair)

    def insert(self, one: int, other: int, evidence: str) -> None:
        self._sql.insert(
            "contact_links",
            contact_id=min(one, other),
            other_id=max(one, other),
            evidence=evidence,
            linked_at=self._sql.now,
        )
        self._gather(one)

    def undo(self, link: Link, by: str) -> None:
        self._sql.run(
            "UPDATE contact_links SET undone_at = ?, undone_by = ? WHERE id = ? AND undone_at IS NULL",
            self._sql.now,
            by,
            link.id,
        )
        self._gather(link.contact_id)
        self._gather(link.other_id)

    def part(self, contact_id: int, by: str) -> None:
        """From everybody: those who are one person without it stay so, the others are alone."""
        for link in self.of(contact_id):
            self.undo(link, by)

    def _gather(self, contact_id: int) -> None:
        """Tell the rows of all that can be reached from a contact that they are one person, or that it is alone."""
        rows = self._sql.all(
            "WITH RECURSIVE reached (id) AS (SELECT ? UNION "
            "SELECT iif(l.contact_id = r.id, l.other_id, l.contact_id) FROM reached r JOIN contact_links l "
            "ON (l.contact_id = r.id OR l.other_id = r.id) WHERE l.undone_at IS NULL) SELECT id FROM reached",
            contact_id,
        )
        reached = sorted(row["id"] for row in rows)
        person = reached[0] if len(reached) > 1 else None
        for each in reached:
            self._sql.run("UPDATE contacts SET person_id = ? WHERE id = ?", person, each)

    def share_handover(self, contact_id: int) -> None:
        """Who is in charge of one address is in charge of all that the person has on the channel: of two that differ a
        silence goes before a promise, and the later word before the earlier.
        """
        self._sql.run(
            "UPDATE contacts SET (handover, handover_at, handover_by, spoke_at, resume_at) = "  # noqa: S608
            "(SELECT handover, handover_at, handover_by, spoke_at, resume_at FROM contacts "
            f"WHERE id IN {ALIASES} {TAKEN_FIRST}) "
            f"WHERE id IN {ALIASES} AND EXISTS (SELECT 1 FROM contacts WHERE id IN {ALIASES} AND handover IS NOT NULL)",
            contact_id,
        )

    def look_again(self, contact_id: int) -> None:
        """What Twilio's log did not show to one address it may show to another: the first look does not count."""
        self._sql.run(
            f"UPDATE outbox SET absent_at = NULL WHERE absent_at IS NOT NULL AND contact_id IN {ALIASES} "  # noqa: S608
            "AND state IN ('ready', 'sending', 'doubt', 'parked')",
            contact_id,
        )
