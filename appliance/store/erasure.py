"""Forgetting in the file: the steps that empty a contact, and doing it again in a copy that remembers.

Before the first row is emptied the contact stands on the list beside the database. So a copy from before, whoever puts
it back, is emptied before anybody is served from it.
"""

from collections.abc import Mapping
from pathlib import Path

from appliance.model import Contact
from appliance.store import pauses
from appliance.store.forgotten import Forgetting
from appliance.store.keyed import NOBODY, Entry, append, key_of, keyed, listed, make_key
from appliance.store.personal import OF_CUSTOMERS, Rows
from appliance.store.persons import Whose
from appliance.store.tx import Tx

AS_FORGOTTEN = "forgetting"  # contact_links.undone_by
AGAIN = "a copy that was put back"  # forgettings.requested_by
EMPTIED = [name for name, table in OF_CUSTOMERS.items() if table.rows != Rows.LATER]
# Many rows, in steps; the few others, without which nobody could tell whose those are, go in the last unit of work.
IN_STEPS = [name for name in EMPTIED if name not in ("conversations", "contact_links", "contacts")]
_ALL = 1 << 62


def whose(tx: Tx, forgetting: Forgetting) -> tuple[Contact, Whose]:
    contact = tx.contacts.get(forgetting.contact_id)
    assert contact is not None
    return contact, tx.persons.whose(contact, forgetting.organization_id)


def entries(directory: Path, contact: Contact, forgetting: Forgetting) -> list[Entry]:
    """What the list says of a contact; of the organization's customer as well, for what went to nobody's number."""
    key, at = make_key(directory), forgetting.requested_at
    who = Entry(keyed(key, contact.channel_id, contact.address), at, contact.opted_out_at)
    return [who, Entry(keyed(key, NOBODY, forgetting.organization_id, contact.address), at)]


def announce(directory: Path, contact: Contact, forgetting: Forgetting) -> None:
    """On the list, and on disk, before anything goes. Blocking."""
    append(directory, entries(directory, contact, forgetting))


def conclude(tx: Tx, forgetting: Forgetting) -> Contact:
    """What is left, and the contact's own row last: from here on nobody can tell who it was. As it was before."""
    contact, of_contact = whose(tx, forgetting)
    tx.contacts.share_opt_out(contact)
    tx.pauses.end([pauses.contact(contact.id)])  # nobody could: it is found by the address
    tx.links.part(contact.id, AS_FORGOTTEN)
    tx.persons.close(of_contact)
    for name in EMPTIED:
        tx.persons.empty(name, of_contact, _ALL, forgetting)
    if tx.sql.directory is not None:
        tx.forgotten.put(entries(tx.sql.directory, contact, forgetting))
    tx.forgotten.tell(forgetting.id, opted_out=contact.opted_out_at is not None)
    tx.forgotten.move(forgetting.id, "cleaning", erased_at=tx.now)
    return contact


def compare(tx: Tx, directory: Path) -> dict[bytes, Entry]:
    """Who is on the list and not forgotten in this file; what the file alone knows is put on the list."""
    if key_of(directory) is None:
        return {}
    here, known = listed(directory), tx.forgotten.entries_of_the_box()
    if lost := [entry for who, entry in known.items() if who not in here]:
        append(directory, lost)
    return {who: entry for who, entry in here.items() if who not in known or known[who].at < entry.at}


def again(tx: Tx, directory: Path, news: Mapping[bytes, Entry]) -> int:
    """Forget these where the file knows them from before; how many contacts.

    Who has written again since is another contact, and stays. What is under way in the file goes on by itself.
    """
    key = make_key(directory)
    found = after = 0
    while contacts := tx.contacts.page_of_the_box(after):
        after = contacts[-1].id
        for contact in contacts:
            entry = news.get(keyed(key, contact.channel_id, contact.address))
            if entry and contact.forget_at is None and contact.created_at <= entry.at:
                _forget_at_once(tx, contact, entry.at)
                found += 1
    for contact_id, channel_id, address, noted_at in tx.links.aliases_of_the_box():  # whose contact the copy may lack
        entry = news.get(keyed(key, channel_id, address))
        if entry and noted_at <= entry.at:
            tx.links.unnote(contact_id, address)
    _empty_orphans(tx, key, news)
    tx.forgotten.put(news.values())
    return found


def _empty_orphans(tx: Tx, key: bytes, news: Mapping[bytes, Entry]) -> None:
    """What went to nobody's number, for each organization that forgot who wrote it."""
    every = [organization.id for organization in tx.organizations.page_of_the_box(limit=1_000)]
    for sender, at in tx.persons.orphans_of_the_box():
        wishes = {organization: news.get(keyed(key, NOBODY, organization, sender)) for organization in every}
        if old := news.get(keyed(key, NOBODY, sender)):  # an older version's does not say whose it is
            wishes[next(iter(tx.persons.organizations_of_the_box(sender)), 0)] = old
        for organization, wish in wishes.items():
            if wish and at <= wish.at:
                tx.persons.empty("orphaned_messages", Whose(0, sender, "", "", organization), _ALL)


def _forget_at_once(tx: Tx, contact: Contact, at: int) -> None:
    """Nobody was answered from this copy yet: nothing is under way, whatever it says."""
    channel = tx.channels.get(contact.channel_id)
    assert channel is not None
    tx.contacts.forget(contact.id, at)
    tx.persons.let_go(contact, channel.organization_id, also_unsettled=True)
    forgetting = tx.forgotten.begin(contact, channel.organization_id, AGAIN, at, at_twilio=False)
    conclude(tx, forgetting)
    tx.forgotten.move(forgetting.id, "done", finished_at=tx.now)
