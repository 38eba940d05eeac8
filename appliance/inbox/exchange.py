"""What Twilio's log has between one channel and one person: who wrote what, and whether somebody else answered."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from appliance import restoration
from appliance.inbox import missed
from appliance.model import HOUR, SECOND, StoredMessage
from appliance.people import identity
from appliance.ports import MessageLog
from appliance.store import Tx
from appliance.wire import LoggedMessage, covering, forms, is_within, together

AMPLE = 24 * HOUR  # before a message: Twilio may have delivered it long after it was written


@dataclass(frozen=True, slots=True)
class Exchange:
    """`said`: to the person, without Twilio's own answers to keywords. `written_at`: by the person, by sid.

    Those times are on Twilio's clock, which is `offset` ahead of ours.
    """

    said: tuple[LoggedMessage, ...]
    written_at: Mapping[str, int]
    offset: int

    def is_answered(self, message: StoredMessage, ours: Collection[str]) -> bool:
        """Whether something unknown to us went to the contact since. `ours`: the sids of what we sent."""
        written_at = self.written_at.get(message.sid, message.received_at + self.offset - SECOND)
        return missed.is_answered(written_at, self.said, ours)

    def last_word(self, ours: Collection[str], since: int) -> int | None:
        """When something unknown to us last went to the contact, if not before a time; on our clock."""
        unknown = [said.created_at for said in self.said if said.sid not in ours]
        last = max(unknown, default=0) - self.offset
        return last if last >= since - SECOND else None  # the log has whole seconds


async def read(log: MessageLog, channel: str, addresses: Sequence[str], since: int) -> Exchange:
    """Enough of it to judge messages that came in from `since` (our clock) on. `addresses`: the person's (`people`).
    Raises LogUnavailableError.
    """
    since -= AMPLE
    said = together([await log.outbound(channel, each, since, ours=True) for each in covering(addresses)])
    heard = together([await log.inbound(channel, since, sender=each, ours=True) for each in addresses])
    return Exchange(
        missed.but_for_keywords(said.messages, heard.messages),
        {message.sid: message.created_at for message in heard.messages},
        said.offset,
    )


def ours(tx: Tx, channel_id: int, address: str, said: Sequence[LoggedMessage], offset: int) -> set[str]:
    """What of this is ours, by its sid or because a POST of ours whose sid nobody knows may have made it.

    A restored box does not know what the lost one sent: whatever has no row here is an answer given elsewhere.
    """
    channel = tx.channels.get(channel_id)
    names = identity.addresses(tx, channel_id, address)
    is_trusted = channel is not None and restoration.restored_at(tx, channel.account) is None
    known = identity.known(tx, channel_id, address) if is_trusted else []
    spans = [span for each in known for span in tx.attempts.spans_to(each.id)]
    explained = {logged.sid for logged in said if is_within(logged.created_at, spans, offset)}
    return tx.attempts.sids_to(channel_id, tuple(form for name in names for form in forms(name))) | explained
