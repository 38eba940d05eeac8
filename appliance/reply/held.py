"""Answers that wait for the end of a pause; and what is too old by then to be answered by itself."""

from collections.abc import Sequence

from appliance.config import Config
from appliance.inbox import missed
from appliance.inbox.intake import SAID
from appliance.inbox.late import too_late
from appliance.model import StoredMessage
from appliance.queue.outcome import Done, Outcome, Snooze
from appliance.reply.case import Case
from appliance.reply.rules import Reading, reading
from appliance.store import Tx

WHY = "wrote during a pause"
_ANSWERED = (Reading.TEXT, Reading.UNREADABLE)


def held(tx: Tx, case: Case) -> Outcome | None:
    """None: nobody pauses answers."""
    if tx.pauses.holds(case.organization.id, case.contact.id):
        return Snooze(tx.now, "answers are paused", quiet=True)  # it was pressed after the claim
    return None


def put_away(tx: Tx, case: Case, ended: int, config: Config) -> Outcome | None:
    """What is too old goes first; an answer to the rest is another job. None: nothing is, and the answer may be made.

    What a person wants answered is never too old. `ended`: as in queue.ready.held_until.
    """
    if case.job.payload.get("intended_by") or case.contact.is_with_a_person:
        return None
    if late := _too_old(case, ended, config):  # of a draft that was not sent the wish stands in its row
        wanted = tx.letters.wanted(case.conversation.id)
        late = [message for message in late if message.id not in wanted]
    return Done(lambda tx: _put_away(tx, case, late)) if late else None


def _too_old(case: Case, ended: int, config: Config) -> list[StoredMessage]:
    within, timezone = config.twilio.catch_up_answer_within, case.organization.timezone
    oldest = case.read_at - missed.answered_within(case.read_at, within=within, timezone=timezone)
    return [message for message in case.messages if message.received_at < min(ended, oldest)]


def _put_away(tx: Tx, case: Case, late: Sequence[StoredMessage]) -> None:
    """A card for what waits for an answer; what wants none, or may have none, gets none."""
    for message in late:
        if message.notice:
            tx.messages.suppress([message.id], SAID)
        elif (found := reading(message)) not in _ANSWERED:
            tx.messages.suppress([message.id], found)
    live = {message.id for message in tx.messages.live(case.conversation.id)}
    left = [message.id for message in late if message.id in live]
    if left and tx.contacts.as_person(case.contact).opted_out_at is not None:
        tx.messages.suppress(left, "opted out")
    elif left:
        too_late(tx, case.conversation, left, case.who, why=WHY)
