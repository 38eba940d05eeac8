"""Everything that is held about a person: found, shown whole, and emptied, by the table in `personal`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec

from appliance.model import FORGETTING, FORGOTTEN, LET_GO, Contact
from appliance.store.contacts import Contacts, session_key
from appliance.store.forgotten import Forgetting, Forgotten
from appliance.store.messages import HELD, LIVE
from appliance.store.personal import OF_CUSTOMERS, Rows, Table, Told
from appliance.store.sql import Row, Sql
from appliance.wire import forms

_WHATSAPP = "whatsapp:"
_JSON = {"payload", "parameters", "media", "covers", "options"}  # columns


@dataclass(frozen=True, slots=True)
class Whose:
    """What the conditions of `personal` are about."""

    contact: int
    address: str
    channel: str
    lane: str
    organization: int
    account: str = ""


class Persons:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self._contacts = Contacts(sql)
        self._forgotten = Forgotten(sql)

    def contacts(self, organization_id: int, addresses: Sequence[str]) -> list[Contact]:
        """The one place that says which contacts of an organization are a person with these addresses."""
        found = (self._contacts.with_address(organization_id, address) for address in dict.fromkeys(addresses))
        return sorted(chain.from_iterable(found), key=lambda contact: contact.id)

    def organizations_of_the_box(self, address: str) -> list[int]:
        """Who knows the address."""
        rows = self._sql.all(
            "SELECT DISTINCT ch.organization_id AS id FROM contacts c JOIN channels ch ON ch.id = c.channel_id "
            "WHERE c.channel_id IN (SELECT id FROM channels) AND c.address = ? ORDER BY 1",
            address,
        )
        return [row["id"] for row in rows]

    def wrote_to_nobody(self, address: str, organization_id: int) -> bool:
        """Whether messages to nobody's number are this organization's customer's."""
        whose = OF_CUSTOMERS["orphaned_messages"].whose
        statement = f"SELECT id FROM orphaned_messages WHERE {whose} LIMIT 1"  # noqa: S608
        return bool(self._sql.all(statement, address=address, organization=organization_id))

    def alike(self, organization_id: int, addresses: Sequence[str]) -> list[str]:
        """What the organization knows under another form, on the other kind of channel, or as the same person."""
        bare = {form for address in addresses for form in forms(address.removeprefix(_WHATSAPP))}
        other = {form for number in bare for form in (number, _WHATSAPP + number)}
        for contact in self.contacts(organization_id, addresses):
            kin = (self._contacts.get(each) for each in self._contacts.person(contact.id))
            other |= {each.address for each in kin if each is not None}
        found = self.contacts(organization_id, sorted(other - set(addresses)))
        return sorted({contact.address for contact in found})

    def whose(self, contact: Contact, organization_id: int) -> Whose:
        row = self._sql.one("SELECT address, account FROM channels WHERE id = ?", contact.channel_id)
        assert row is not None
        lane = session_key(contact.channel_id, contact.address)
        return Whose(contact.id, contact.address, row["address"], lane, organization_id, row["account"])

    # Shown.

    def held(self, name: str, whose: Whose) -> Iterator[dict[str, Any]]:
        """Of a table the person's rows, with every personal column and every proof; there may be very many."""
        table = OF_CUSTOMERS[name]
        columns = ", ".join(table.named(Told.PROOF) + table.named(Told.PERSONAL))
        statement = f"SELECT {columns} FROM {name} WHERE {table.whose} ORDER BY {table.key}"  # noqa: S608
        return map(_plain, self._sql.each(statement, **_values(whose)))

    # Emptied.

    def let_go(self, contact: Contact, organization_id: int, *, also_unsettled: bool = False) -> None:
        """Nothing more is said or answered. `also_unsettled`: nor looked for, of what may have been sent."""
        states = "'ready', 'sending', 'doubt'" if also_unsettled else "'ready'"
        self._sql.run(
            f"UPDATE outbox SET state = 'suppressed', reason = ? WHERE contact_id = ? AND state IN ({states})",  # noqa: S608
            LET_GO,
            contact.id,
        )
        self._sql.run(
            f"UPDATE messages SET suppressed = ? WHERE ({LIVE} OR {HELD}) "  # noqa: S608
            "AND conversation_id IN (SELECT id FROM conversations WHERE contact_id = ?)",
            LET_GO,
            contact.id,
        )
        self._contacts.hand_back(contact.id)
        self._sql.run(
            "UPDATE message_queue SET status = 'done', finished_at = ? "
            "WHERE lane = ? AND status IN ('ready', 'running') AND status = 'ready'",
            self._sql.now,
            self.whose(contact, organization_id).lane,
        )

    def empty(self, name: str, whose: Whose, limit: int, forgetting: Forgetting | None = None) -> int:
        """Empty at most so many of the person's rows of a table; how many. Their sids stay as hashes.

        0 says that nothing personal is left there: only rows that hold something are looked for.
        """
        table = OF_CUSTOMERS[name]
        found = self._full(name, table, whose, limit)
        told = [dict(row) for row in found]
        sids = [row["sid"] for row in told if row.get("sid") and not row["sid"].startswith(FORGOTTEN)]
        kept = self._forgotten.keep(sids, [row["idempotency_key"] for row in told if row.get("idempotency_key")])
        if forgetting and forgetting.at_twilio:
            self._forgotten.add_copies(forgetting.id, sids)
        changes = ", ".join(f"{column} = {table.columns[column].becomes}" for column in table.named(Told.PERSONAL))
        does = f"DELETE FROM {name}" if table.rows == Rows.GO else f"UPDATE {name} SET {changes}"  # noqa: S608
        keys = table.key.split(", ")
        marks = " AND ".join(f"{column} = ?" for column in keys)
        for row in told:
            self._sql.run(f"{does} WHERE {marks}", *(row[column] for column in keys))
        if forgetting and told and name != "contacts":
            self._forgotten.tell(forgetting.id, **{name: len(told), "sids": kept})
        return len(told)

    def close(self, whose: Whose) -> None:
        """The person's conversations and cards are over."""
        self._sql.run(
            "UPDATE conversations SET status = 'closed', version = version + 1 "
            "WHERE contact_id = ? AND status <> 'closed'",
            whose.contact,
        )
        cards = OF_CUSTOMERS["cards"].whose
        statement = f"UPDATE cards SET closed_at = :now WHERE closed_at IS NULL AND ({cards})"  # noqa: S608
        self._sql.run(statement, now=self._sql.now, contact=whose.contact)

    def wrote_meanwhile(self, contact_id: int) -> list[int]:
        """The messages that came after the wish to be forgotten."""
        rows = self._sql.all(
            "SELECT m.id FROM conversations v JOIN messages m ON m.conversation_id = v.id "
            "WHERE v.contact_id = ? AND m.suppressed = ? ORDER BY m.id",
            contact_id,
            FORGETTING,
        )
        return [row["id"] for row in rows]

    def move(self, message_ids: Sequence[int], contact_id: int, conversation_id: int) -> None:
        """They are a new contact's, and live."""
        self._sql.run(
            "UPDATE messages SET contact_id = ?, conversation_id = ?, suppressed = NULL "
            "WHERE id IN (SELECT value FROM json_each(?))",
            contact_id,
            conversation_id,
            msgspec.json.encode(message_ids).decode(),
        )

    def _full(self, name: str, table: Table, whose: Whose, limit: int) -> list[Row]:
        """Rows that hold something personal."""
        personal = table.named(Told.PERSONAL)
        is_full = "true"
        if table.rows == Rows.STAY:
            becomes = ", ".join(table.columns[column].becomes for column in personal)
            is_full = (
                f"({', '.join(personal)}) IS NOT ({becomes})" if len(personal) > 1 else f"{personal[0]} <> {becomes}"
            )
        columns = ", ".join(dict.fromkeys([*table.key.split(", "), *personal]))
        statement = f"SELECT {columns} FROM {name} WHERE ({table.whose}) AND {is_full} LIMIT :limit"  # noqa: S608
        return self._sql.all(statement, **_values(whose), limit=limit)

    def orphans_of_the_box(self) -> list[Row]:
        """Sender and time of each message to nobody's number."""
        return self._sql.all(
            "SELECT sender, received_at FROM orphaned_messages WHERE sender NOT GLOB ?", f"{FORGOTTEN}*"
        )


def _values(whose: Whose) -> dict[str, Any]:
    return {name: getattr(whose, name) for name in Whose.__slots__}


def _plain(row: Row) -> dict[str, Any]:
    found = dict(row)
    for name, value in found.items():
        if isinstance(value, bytes):
            found[name] = value.hex()
        elif name in _JSON and isinstance(value, str):
            found[name] = msgspec.json.decode(value)
    return found
