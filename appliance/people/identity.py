"""One person, several addresses: what Twilio tells of it is kept, and joins the contacts that there are.

Only by evidence: what a signed webhook or callback says, or the owner's hand; never because two addresses look alike. A
link that the owner has undone is not made again by what Twilio tells.
"""

from collections.abc import Sequence

from appliance.model import Contact
from appliance.store import Tx
from appliance.wire import Alias


def meet(tx: Tx, channel_id: int, address: str, aliases: Sequence[Alias] = ()) -> Contact:
    """The contact with this address, made where there is none and joined to whom Twilio says that it is."""
    is_new = tx.contacts.make(channel_id, address)
    contact = tx.contacts.at(channel_id, address)
    assert contact is not None
    called = tx.links.called(channel_id, address) if is_new else []
    joined = [_told(tx, contact.id, other, evidence) for other, evidence in called]
    if note(tx, contact, aliases) or any(joined):
        contact = tx.contacts.get(contact.id)
        assert contact is not None
    return contact


def note(tx: Tx, contact: Contact, aliases: Sequence[Alias]) -> bool:
    """Twilio calls the contact by these addresses too: whoever has one of them, will have it or is called so as well is
    the same person. True where that joined somebody.
    """
    joined = False
    for alias in aliases:
        if alias.address != contact.address and tx.links.note(contact.id, alias.address, alias.evidence):
            called = [other for other, _ in tx.links.called(contact.channel_id, alias.address) if other != contact.id]
            other = tx.contacts.at(contact.channel_id, alias.address)
            for each in [*called, *([other.id] if other else [])]:
                joined = _told(tx, contact.id, each, alias.evidence) or joined
    return joined


def forgotten(tx: Tx, channel_id: int, aliases: Sequence[Alias], at: int) -> list[Alias]:
    """Those of these that are somebody's who was forgotten later than a time (ms UTC): what Twilio tells of a message
    from before does not bring the address back.
    """
    return [each for each in aliases if tx.forgotten.is_from_before(_at(tx, channel_id, each.address), at)]


def _at(tx: Tx, channel_id: int, address: str) -> Contact:
    """The contact with this address, or one only in name."""
    return tx.contacts.at(channel_id, address) or Contact(0, channel_id, address)


def _told(tx: Tx, one: int, other: int, evidence: str) -> bool:
    return not tx.links.ever(one, other) and join(tx, one, other, evidence)


def join(tx: Tx, one: int, other: int, evidence: str) -> bool:
    """From now on the two are the same person. False where a link between them says so already.

    Both may have jobs and sends under way: nothing of theirs is touched, but what one look into Twilio's log did not
    show waits for another one, which asks for both addresses.
    """
    if any(link.undone_at is None for link in tx.links.ever(one, other)):
        return False
    tx.links.insert(one, other, evidence)
    for each in (one, other):  # they may be on different channels
        tx.links.share_handover(each)
        contact = tx.contacts.get(each)
        if contact is not None and contact.is_with_a_person:
            tx.conversations.take(each)
        tx.links.look_again(each)
    return True


def addresses(tx: Tx, channel_id: int, address: str) -> tuple[str, ...]:
    """By which Twilio's log may show what went to whoever has this address, that first; also where nothing is stored of
    it yet.
    """
    names = [name for each in known(tx, channel_id, address) for name in tx.links.names(each.id)]
    return tuple(dict.fromkeys([address, *names]))


def known(tx: Tx, channel_id: int, address: str) -> list[Contact]:
    """The contact with this address; where there is none yet those whom Twilio calls by it, whose person it will be."""
    contact = tx.contacts.at(channel_id, address)
    called = [] if contact else [tx.contacts.get(other) for other, _ in tx.links.called(channel_id, address)]
    return [each for each in (contact, *called) if each is not None]
