"""The effects of a reply job: outbox row, messages and lane in one unit of work; the apology; giving up."""

from dataclasses import replace

from appliance import texts
from appliance.handover import charge
from appliance.inbox.missed import LATE
from appliance.model import ANSWER, Handover, Held, TextKey
from appliance.outbox.permission import Refusal
from appliance.ports import Reply
from appliance.queue.circuit import AI
from appliance.queue.outcome import Dead, Done, Outcome
from appliance.reply import machines, unanswered
from appliance.reply.case import Case
from appliance.reply.hours import Closing
from appliance.reply.provider import Unavailable
from appliance.store import Tx, cards
from appliance.store.cards import CardKind
from appliance.store.news import Event
from appliance.twilio import encoding


def answer(case: Case, reply: Reply) -> Done:
    if case.contact.is_with_a_person:
        return _hold(case, Held.IN_CHARGE, None)
    if case.closing and (reply.unknown or reply.key == TextKey.HANDOFF):
        if case.was_told_away:
            return _promise(case, reply, case.closing)
        return _say(case, replace(reply, key=TextKey.AWAY))
    if reply.unknown and case.contact.handover == Handover.UNKNOWN:  # it was said already, and a person promised
        return _hold(case, Held.PROMISED, reply)
    if reply.key is None and not reply.text.strip():
        return Done(lambda tx: tx.messages.suppress(case.message_ids, reply.source))
    return _say(case, reply)


def _say(case: Case, reply: Reply) -> Done:
    if reply.key:
        body = texts.render(reply.key, case.organization, reply.options)
    else:
        # SMS and WhatsApp show Markdown as it is typed; words that are nothing but markup are left as they are.
        body = texts.strip_markup(reply.text).strip() or reply.text
        missed = (m.received_at for m in case.messages if m.source == "catch_up" and not m.handed_back)
        if case.read_at - min(missed, default=case.read_at) > LATE:  # the appliance was off
            body = f"{texts.render(TextKey.LATE, case.organization)} {body}"

    def effects(tx: Tx) -> None:
        contact = tx.contacts.get(case.contact.id)
        if contact is not None and contact.is_with_a_person:  # who came while a model was asked
            charge.hold(tx, case.conversation, case.messages, Held.IN_CHARGE)
        elif _write(tx, case, reply, body):
            unanswered.note(tx, case, reply)
            if reply.key in (TextKey.HANDOFF, TextKey.AWAY):
                due_at = case.closing.until if case.closing else None
                seems = "writes like a machine" if reply.source == machines.WHY else ""
                charge.begin(tx, case.conversation, case.who, _handover(reply), due_at, why=seems)

    return Done(effects)


def _handover(reply: Reply) -> Handover:
    """Which one a reply begins that a person must complete."""
    return Handover.UNKNOWN if reply.unknown else Handover.ASKED


def _promise(case: Case, reply: Reply, closing: Closing) -> Done:
    """The customer knows that we are closed: what a person must answer waits without another word."""
    handover = _handover(reply)

    def effects(tx: Tx) -> None:
        contact = tx.contacts.get(case.contact.id)
        assert contact is not None
        if contact.handover is None or (handover.is_silent and not contact.is_with_a_person):
            charge.begin(tx, case.conversation, case.who, handover, closing.until)
            tx.messages.suppress(case.message_ids, Held.IN_CHARGE if handover.is_silent else Held.PROMISED)
        else:
            held = Held.IN_CHARGE if contact.is_with_a_person else Held.PROMISED
            charge.hold(tx, case.conversation, case.messages, held)
        unanswered.note(tx, case, reply)

    return Done(effects)


def _hold(case: Case, held: Held, reply: Reply | None) -> Done:
    """`reply`: that nobody knew."""

    def effects(tx: Tx) -> None:
        charge.hold(tx, case.conversation, case.messages, held)
        if reply:
            unanswered.note(tx, case, reply)

    return Done(effects)


def _write(tx: Tx, case: Case, reply: Reply, body: str) -> bool:
    """Outbox row, messages and the lane's hand-over to the send job. False: another reply has the messages already."""
    live = {message.id for message in tx.messages.live(case.conversation.id)}
    if not live.issuperset(case.message_ids):
        return False
    outbox_id = tx.outbox.insert(
        organization_id=case.organization.id,
        channel_id=case.conversation.channel_id,
        contact_id=case.conversation.contact_id,
        conversation_id=case.conversation.id,
        kind=reply.key or ANSWER,
        body=texts.fit(encoding.outgoing(body, case.contact.address)),
        source=reply.source,
        options=reply.options or reply.topics,
        covers=case.message_ids,
        seen=case.seen,
        reply_no=case.job.payload.get("reply_no", 1),
        intended_by=case.job.payload.get("intended_by", ""),
    )
    tx.tell(
        Event.DRAFTED,
        outbox=outbox_id,
        organization=case.organization.id,
        message=case.messages[0].sid,
        messages=len(case.messages),
        source=reply.source,
        tokens=reply.tokens,
    )
    taken = tx.messages.claim_for(outbox_id, case.message_ids)
    assert taken
    tx.conversations.answered(case.conversation.id)
    first = tx.outbox.unsent_to(case.conversation.contact_id)[0]  # an older one was ready again meanwhile
    about = case.messages[0].sid if first.id == outbox_id else None
    tx.jobs.send(first, case.conversation.session_key, about)
    return True


def over(answered: Done) -> Done:
    """A responder had an answer: whatever kept everybody from one is over."""

    def effects(tx: Tx) -> None:
        tx.cards.close(CardKind.AI, cards.BOX)
        answered.effects(tx)

    return Done(effects, over=[AI])


def apology(case: Case, why: Unavailable) -> Outcome:
    def effects(tx: Tx) -> None:
        apologise(tx, case, why)

    return Dead(why.reason, effects, trouble=AI if why.is_providers else "")


def apologise(tx: Tx, case: Case, why: Unavailable) -> None:
    """The friendly text, at most once per conversation per 30 minutes: later messages share it."""
    tx.jobs.remember(case.job.id, messages=case.message_ids)
    if why.is_providers:
        _card_of_all(tx, case, why)
    else:
        _card(tx, case, why.reason)
    if case.recent_apology is not None:
        tx.messages.claim_for(case.recent_apology, case.message_ids)
        return
    friendly = Reply(source="fallback", key=TextKey.UNAVAILABLE)
    _write(tx, case, friendly, texts.render(TextKey.UNAVAILABLE, case.organization))


def _card_of_all(tx: Tx, case: Case, why: Unavailable) -> None:
    """One for the box, in the provider's words, and each customer counts once."""
    card = tx.cards.find_in_the_box(CardKind.AI, cards.BOX)
    known = card is not None and tx.outbox.apologised_since(case.contact.id, card["opened_at"], case.message_ids)
    about = {"said": why.reason} if why.for_all else {"said": why.reason, "case": "fails"}
    tx.cards.open(CardKind.AI, cards.BOX, None, more=not known, **about)


def abandon(case: Case, error: str) -> Outcome:
    def effects(tx: Tx) -> None:
        tx.jobs.remember(case.job.id, messages=case.message_ids)
        tx.messages.give_up(case.message_ids, _card(tx, case, error))

    return Dead(error, effects)


def hold_back(case: Case, why: Refusal) -> Outcome:
    """What a row that must not be sent comes to, before there is one: silence, and the owner hears of it."""

    def effects(tx: Tx) -> None:
        tx.messages.suppress(case.message_ids, why.reason)
        subject = cards.conversation(case.conversation.id)
        tx.cards.open(CardKind.NOT_SENT, subject, case.organization.id, who=case.who, why=why.card, **why.facts)

    return Done(effects)


def _card(tx: Tx, case: Case, why: str) -> int:
    subject = cards.conversation(case.conversation.id)
    return tx.cards.open(CardKind.COULD_NOT_ANSWER, subject, case.organization.id, who=case.who, why=why)
