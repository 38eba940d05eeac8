"""What somebody else said to a customer, from Twilio's console or with another tool: that person is in charge.

Twilio's log tells at each pass. Nothing that we sent ourselves counts, nor what Twilio answers by itself.
"""

from collections.abc import Sequence

from appliance import restoration
from appliance.config import Config
from appliance.handover import charge
from appliance.inbox import exchange, missed
from appliance.inbox.exchange import Exchange
from appliance.model import SECOND, Channel, Contact, ConversationStatus, Handover
from appliance.people import identity
from appliance.ports import Accounts, TooMuchError
from appliance.store import Store, Tx
from appliance.store.box import Fact
from appliance.store.cards import CardKind
from appliance.store.handovers import CONSOLE
from appliance.wire import LoggedMessage, forms

SAME = 2 * SECOND  # two readings of one moment in the log, which has whole seconds, differ by less


class Overheard:
    def __init__(self, store: Store, accounts: Accounts, config: Config) -> None:
        self._store = store
        self._accounts = accounts
        self._config = config

    async def listen(self, channel: Channel, since: int, now: int) -> bool:
        """To what went out from a channel between two times of Twilio's clock. False where a send in doubt must be
        waited for. Raises LogUnavailableError.
        """
        # What was said before has kept the appliance silent for as long as it may.
        since = max(since, now - self._config.conversations.human_for)
        try:
            log = await self._accounts[channel.account].log.said(channel.address, since)
        except TooMuchError:  # whoever is in a person's hands is looked up before being handed back
            return True
        said = [
            each for each in log.messages if each.direction.startswith("outbound") and each.direction != missed.REPLY
        ]
        found = await self._store.read(lambda tx: of_nobody(tx, channel, said), limit=None)
        done = []
        for contact, words in found.items():
            heard = words, log.offset, self._config
            done.append(await self._store.write(lambda tx, contact=contact, heard=heard: hear(tx, contact, *heard)))  # type: ignore[misc]
        return all(done)


def of_nobody(tx: Tx, channel: Channel, said: Sequence[LoggedMessage]) -> dict[int, list[LoggedMessage]]:
    """What is not known at a glance to be ours, and went to somebody who may be taken over."""
    if restoration.restored_at(tx, channel.account) is not None:  # what the lost box sent is not known here
        return {}
    known = tx.attempts.recent(sids := [each.sid for each in said]) | tx.forgotten.known(sids)
    found: dict[int, list[LoggedMessage]] = {}
    for message in said:
        if message.sid in known:
            continue
        called = (each for form in forms(message.recipient) for each in identity.known(tx, channel.id, form))
        if contact := next((each for each in called if each.forget_at is None), None):
            found.setdefault(contact.id, []).append(message)
    return found


def hear(tx: Tx, contact_id: int, words: Sequence[LoggedMessage], offset: int, config: Config) -> bool:
    """Who wrote to a contact, unless it was us. False where what became of ours must be known first."""
    contact = tx.contacts.get(contact_id)
    if contact is None or (since := _counts_from(tx, contact)) is None:
        return True
    if tx.outbox.is_unsettled_to(contact.id):
        return False
    ours = exchange.ours(tx, contact.channel_id, contact.address, words, offset)
    heard = Exchange(tuple(words), {}, offset)
    last = heard.last_word(ours, since)
    if last is not None and last > (contact.spoke_at or 0) + SAME and tx.now - last < config.conversations.human_for:
        waiting = tx.messages.held(contact.id, with_aliases=True)
        charge.spoke(tx, contact, last, [each.id for each in waiting if heard.is_answered(each, ours)], CONSOLE)
    return True


def _counts_from(tx: Tx, contact: Contact) -> int | None:
    """From when on (ms UTC) a word is a person's in a conversation; None where there is none that it could belong to: a
    reminder to somebody who has not written takes nobody.
    """
    lost = tx.box.number(Fact.LOST_UNTIL) or 0
    if contact.handover == Handover.TAKEN:
        return lost
    if contact.handover is not None:
        return max(contact.handover_at or 0, lost)
    opened = [
        tx.cards.find_in_the_box(CardKind.WAITING, each) for each in tx.cards.of_contact(CardKind.WAITING, contact.id)
    ]
    if opened:
        return max(min(int(row["opened_at"]) for row in opened if row), lost)
    current = tx.conversations.newest(contact.id)
    if current is None or current.status == ConversationStatus.CLOSED or current.expires_at <= tx.now:
        return None
    return max(current.created_at, lost)
