"""Pauses: of the box, of an organization, of a customer. The last one of each stays, as it tells what waited for it."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from appliance.model import HOUR, Resource
from appliance.store.contacts import ALIASES, session_key
from appliance.store.repository import Repository
from appliance.store.sql import Row

BOX = "box"
IN_FORCE = "ended_at IS NULL AND (until IS NULL OR until > ?)"
_OVER = "ended_at IS NULL AND until <= ?"
KEEP = 30 * 24 * HOUR  # after its end
# When a pause ended: somebody resumed, or its time came.
END = "coalesce(ended_at, until)"


@dataclass(frozen=True, slots=True)
class Stored:
    """A row. Times in ms UTC; `until`: None where somebody has to resume; `ended_at`: when somebody did."""

    subject: str
    organization_id: int | None
    contact_id: int | None
    began_at: int
    until: int | None
    ended_at: int | None
    paused_by: str


@dataclass(frozen=True, slots=True)
class Held:
    """Whose answers nobody makes now: everybody's, those of some organizations, those in some lanes. `ends_at`: when
    the first of these pauses ends by itself (ms UTC); `is_one_over`: one did, and its row does not say so yet.
    """

    everybody: bool
    organizations: frozenset[int]
    lanes: tuple[str, ...]
    ends_at: int | None
    is_one_over: bool = False

    def has(self, resource: Resource) -> bool:
        """All that needs this resource."""
        whose = _models(resource)
        if whose is None:
            return False
        return self.everybody or (whose in map(str, self.organizations) if whose else bool(self.organizations))

    def lanes_of(self, resource: Resource) -> tuple[str, ...]:
        """Of those that need this resource: what was written is sent, whoever is paused."""
        return () if _models(resource) is None else self.lanes


def _models(resource: Resource) -> str | None:
    """Whose answers need it (an organization's id; empty in older files); None: no answers do."""
    name, _, whose = resource.partition("@")[0].partition(":")
    return whose if name == "ai" else None


def organization(organization_id: int) -> str:
    """What a pause is of."""
    return f"organization:{organization_id}"


def contact(contact_id: int) -> str:
    return f"contact:{contact_id}"


def holding(organization_id: int, contact_ids: Iterable[int]) -> list[str]:
    """All of whose pauses each holds the answers to a customer, whose addresses on the channel these are."""
    return [BOX, organization(organization_id), *map(contact, contact_ids)]


class Pauses(Repository[Stored]):
    table = "pauses"
    type = Stored

    def begin(
        self, subject: str, organization_id: int | None, contact_id: int | None, until: int | None, by: str
    ) -> None:
        """Or change the one that is in force, which began when it began."""
        now = self._sql.now
        self._sql.run("DELETE FROM pauses WHERE coalesce(ended_at, until) <= ?", now - KEEP)
        self._sql.run(
            "INSERT INTO pauses (subject, organization_id, contact_id, began_at, until, paused_by) "  # noqa: S608
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (subject) DO UPDATE SET "
            f"began_at = iif({IN_FORCE}, began_at, excluded.began_at), "
            "until = excluded.until, ended_at = NULL, paused_by = excluded.paused_by",
            subject,
            organization_id,
            contact_id,
            now,
            until,
            by,
            now,
        )

    def end(self, subjects: Iterable[str]) -> int:
        """How many of these were in force."""
        now = self._sql.now
        return self._sql.run(
            "UPDATE pauses SET ended_at = ? "  # noqa: S608
            f"WHERE subject IN (SELECT value FROM json_each(?)) AND {IN_FORCE}",
            now,
            _json(subjects),
            now,
        )

    def in_force(self, subjects: Iterable[str]) -> list[Stored]:
        """Those of these subjects: the box's, an organization's, customers'."""
        return self._select(
            f"subject IN (SELECT value FROM json_each(?)) AND {IN_FORCE} "  # noqa: S608
            "ORDER BY organization_id IS NOT NULL, contact_id IS NOT NULL, subject",
            _json(subjects),
            self._sql.now,
        )

    def holds(self, organization_id: int, contact_id: int) -> bool:
        """Whether nobody may answer a customer by itself now: a pause of the box, of the organization, or of the
        customer, by whichever address.
        """
        return bool(
            self._sql.value(
                "SELECT EXISTS (SELECT 1 FROM pauses WHERE subject IN (SELECT ?2 UNION SELECT ?3 "  # noqa: S608
                f"UNION SELECT 'contact:' || id FROM contacts WHERE id IN {ALIASES}) AND {IN_FORCE})",
                contact_id,
                BOX,
                organization(organization_id),
                self._sql.now,
            )
        )

    def ended(self, subjects: Iterable[str]) -> int:
        """When the last pause of one of these was over (ms UTC); 0 where there was none, or it still lasts."""
        now = self._sql.now
        at = self._sql.value(
            f"SELECT max({END}) FROM pauses "  # noqa: S608
            f"WHERE subject IN (SELECT value FROM json_each(?)) AND NOT ({IN_FORCE})",
            _json(subjects),
            now,
        )
        return 0 if at is None else int(at)

    def in_the_box(self) -> list[Stored]:
        """All that are in force: the box's first, then organizations', then customers'."""
        return self._select(
            f"{IN_FORCE} ORDER BY organization_id IS NOT NULL, contact_id IS NOT NULL, began_at, subject", self._sql.now
        )

    def held(self) -> Held:
        """Asked at each claim: costs what was paused lately, and what is paused."""
        found = self.in_the_box()
        ends = [each.until for each in found if each.until is not None]
        return Held(
            everybody=any(each.subject == BOX for each in found),
            organizations=frozenset(
                each.organization_id for each in found if each.organization_id and each.contact_id is None
            ),
            lanes=tuple(self._lanes()) if any(each.contact_id is not None for each in found) else (),
            ends_at=min(ends, default=None),
            is_one_over=bool(self._sql.value(f"SELECT 1 FROM pauses WHERE {_OVER} LIMIT 1", self._sql.now)),  # noqa: S608
        )

    def note_ends(self) -> None:
        """Those whose time came are over for good, wherever the clock is set; whoever has a page open sees it."""
        self._sql.run(f"UPDATE pauses SET ended_at = until WHERE {_OVER}", self._sql.now)  # noqa: S608

    def _lanes(self) -> Iterable[str]:
        """Of the customers that are paused, by whichever address they write on the channel."""
        rows: list[Row] = self._sql.all(
            "SELECT c.channel_id, c.address FROM pauses p JOIN contacts c ON c.id = p.contact_id "  # noqa: S608
            f"WHERE {IN_FORCE} "
            "UNION SELECT b.channel_id, b.address FROM pauses p JOIN contacts a ON a.id = p.contact_id "
            "JOIN contacts b ON b.person_id = a.person_id AND b.channel_id = a.channel_id "
            f"WHERE {IN_FORCE}",
            self._sql.now,
            self._sql.now,
        )
        return (session_key(row["channel_id"], row["address"]) for row in rows)


def _json(subjects: Iterable[str]) -> str:
    return msgspec.json.encode(list(subjects)).decode()
