"""Twilio's log in another form than we wrote: order, addresses, bodies. Nothing is sent twice, nobody stays mute."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.model import JobKind
from appliance.simulator import Fault
from appliance.simulator.ledger import Entry
from tests.outbox.scene import ANSWER, DELIVERY, MINUTES, QUESTION, letters, pass_, states, unheard, write_by_hand
from tests.support.world import CUSTOMER, World

CANONICAL = "+551188887777"  # the customer's number without its ninth digit


@pytest.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[World]:
    async with unheard(tmp_path) as world:
        yield world


def ours(world: World) -> Entry:
    return next(entry for entry in reversed(list(world.twilio.ledger)) if not entry.inbound)


def rewrite(world: World, entry: Entry, **changes: Any) -> None:
    """Twilio has it in another form."""
    world.twilio.ledger.record(msgspec.structs.replace(entry, **changes))


async def catch_up(world: World) -> None:
    await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
    await pass_(world, 30)


async def test_a_reminder_that_was_scheduled_yesterday_hides_no_send(quiet: World) -> None:
    """Made a day ago and sent after our answer, it stands before it in the list: the answer is found, and sent once."""
    quiet.twilio.faults.add(Fault("create", "reset", accepted=True))
    await quiet.say(QUESTION)
    await pass_(quiet, 10)
    await write_by_hand(quiet, "Lembrete: sua encomenda é amanhã.")
    reminder = ours(quiet)
    rewrite(quiet, reminder, date_created=reminder.date_created - 24 * 3_600_000)

    await pass_(quiet, 15 * MINUTES)

    assert quiet.sent().count(ANSWER) == 1
    assert await states(quiet) == ["delivered"]
    assert (await quiet.cards(), await letters(quiet)) == ([], [])


async def test_a_send_under_another_form_of_the_address_is_ours(quiet: World) -> None:
    """Twilio took it and has the number without its ninth digit: it is bound, not sent again."""
    quiet.twilio.faults.add(Fault("create", "reset", accepted=True))
    await quiet.say(QUESTION)
    await pass_(quiet, 10)
    sent = ours(quiet)
    rewrite(quiet, sent, recipient=CANONICAL)

    await pass_(quiet, 15 * MINUTES)

    assert quiet.sent() + quiet.sent(CANONICAL) == [ANSWER]
    assert await quiet.column("SELECT sid FROM outbox") == [sent.sid]
    assert await quiet.dispositions() == ["answered"]


async def test_the_same_words_to_a_contact_of_its_own_are_not_ours(quiet: World) -> None:
    """Both forms are customers and both asked: what the other one got answers nobody here."""
    await quiet.say(QUESTION, CANONICAL)
    await pass_(quiet, 10)
    quiet.twilio.faults.add(Fault("create", "reset"))
    await quiet.say(QUESTION)
    await pass_(quiet, 10)
    await write_by_hand(quiet, ANSWER, CANONICAL)

    await pass_(quiet, 15 * MINUTES)

    assert quiet.sent() == [ANSWER]
    assert await states(quiet) == ["delivered", "delivered"] or await states(quiet) == ["sent", "sent"]


async def test_our_own_send_under_another_form_is_nobody_elses_answer(quiet: World) -> None:
    """A missed message, and behind it an answer of ours to the number's other form: the message is answered."""
    await quiet.twilio.receive(CANONICAL, "+551140000000", "Vocês fazem entrega?", deliver=False)
    await pass_(quiet, 5)
    await quiet.say(QUESTION)
    await pass_(quiet, 60)

    await catch_up(quiet)

    assert quiet.sent(CANONICAL) == [DELIVERY]
    assert await quiet.dispositions() == ["answered", "answered"]


async def test_what_a_person_wrote_under_another_form_is_an_answer(quiet: World) -> None:
    """A missed message, and behind it a person's words to the number's other form: nothing is added to them."""
    await quiet.twilio.receive(CUSTOMER, "+551140000000", "Vocês fazem entrega?", deliver=False)
    await pass_(quiet, 60)
    await write_by_hand(quiet, "Sim, no centro.", CANONICAL)
    await pass_(quiet, 60)

    await catch_up(quiet)

    assert quiet.sent() == []
    assert await quiet.column("SELECT suppressed FROM messages") == ["answered elsewhere"]


async def test_what_may_be_ours_is_nobody_elses_answer(quiet: World) -> None:
    """Twilio took our answer, changed its words and never named it: it is unclear and parked. A message that was missed
    just before has not been answered by it.
    """
    await quiet.twilio.receive(CUSTOMER, "+551140000000", "Vocês fazem entrega?", deliver=False)
    await pass_(quiet, 5)
    quiet.twilio.faults.add(Fault("create", "reset", accepted=True))
    await quiet.say(QUESTION)
    await pass_(quiet, 10)
    rewrite(quiet, ours(quiet), body="Abrimos das 7h as 19h.")
    await pass_(quiet, 15 * MINUTES)
    assert await states(quiet) == ["parked"]

    await catch_up(quiet)

    assert quiet.sent()[-1] == DELIVERY
    assert sorted(await quiet.dispositions()) == ["answered", "dead"]


@pytest.mark.parametrize("code", [21211, 21610])
async def test_the_first_attempt_of_what_was_refused_later_is_nobody_elses_answer(quiet: World, code: int) -> None:
    """Twilio took the first POST and lagged for long, and refused the second: the row failed, and what its first attempt
    made is still ours. A message that was missed just before has not been answered by it.
    """
    await quiet.twilio.receive(CUSTOMER, "+551140000000", "Vocês fazem entrega?", deliver=False)
    await pass_(quiet, 5)
    quiet.twilio.faults.add(Fault("list", "lag", seconds=9_999, times=None))
    quiet.twilio.faults.add(Fault("create", "reset", accepted=True), Fault("create", "error", status=400, code=code))
    await quiet.say(QUESTION)
    await pass_(quiet, 13 * MINUTES)
    assert await states(quiet) == ["failed"]
    quiet.twilio.faults.clear()

    await catch_up(quiet)

    assert "answered elsewhere" not in await quiet.column("SELECT suppressed FROM messages")
