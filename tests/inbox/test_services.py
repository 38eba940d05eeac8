"""Messaging Services: the reply leaves from the number that was written to, and an opt-out counts for the whole pool."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.model import MAIN
from appliance.simulator import Fault
from tests.support.accounts import BRANCH, NUMBERS, REVOKED, SECOND_SMS, SERVICE, Accounts
from tests.support.world import CUSTOMER, SMS, WHATSAPP

MINUTE = 60.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Accounts]:
    async with Accounts(tmp_path) as running:
        yield running


async def test_the_reply_leaves_from_the_number_that_was_written_to(world: Accounts) -> None:
    """Through the service, whatever number it would have chosen; an account without one sends without."""
    for to in (SECOND_SMS, SMS):
        await world.write(MAIN, CUSTOMER, to, f"to {to}")
        await world.settle()
    await world.write(BRANCH, CUSTOMER, NUMBERS[BRANCH][0], "to the branch")
    await world.settle()

    said = [entry for name in (MAIN, BRANCH) for entry in world.at[name].ledger if entry.direction == "outbound-api"]
    assert [(entry.sender, entry.service) for entry in said] == [
        (SECOND_SMS, SERVICE),
        (SMS, SERVICE),
        (NUMBERS[BRANCH][0], ""),
    ]


async def test_a_number_outside_of_the_pool_waits_with_a_card(world: Accounts) -> None:
    """Twilio refuses it; its channel alone is parked, and goes on by itself once the number is in the pool."""
    world.twilio.services = {SERVICE: (SMS,)}
    await world.write(MAIN, CUSTOMER, SECOND_SMS, "one")
    await world.write(MAIN, CUSTOMER, SMS, "two")
    await world.pass_(MINUTE)
    assert world.answers(MAIN) == ["Re: two"]
    assert [kind for kind, _ in await world.opened() - {REVOKED}] == ["twilio"]

    world.twilio.services = {SERVICE: NUMBERS[MAIN]}
    await world.pass_(MINUTE)

    assert world.answers(MAIN) == ["Re: two", "Re: one"]
    assert await world.opened() == {REVOKED}


async def test_a_list_without_a_sender_proves_and_doubles_nothing(world: Accounts) -> None:
    """The POST's answer and its callbacks are lost and the message waits in the service, whose list shows From as null:
    it is bound and not sent again. What another number of the pool said to the customer is not taken for it.
    """
    world.twilio.faults.add(Fault("delivery", "held", times=None), Fault("callback", "lost", times=None))
    await world.write(MAIN, CUSTOMER, SECOND_SMS, "Oi")
    await world.settle()
    world.twilio.faults.add(Fault("create", "reset", accepted=True))
    await world.write(MAIN, CUSTOMER, SMS, "Oi")
    await world.pass_(15 * MINUTE)

    ledger = {entry.sender: entry for entry in world.twilio.ledger if entry.direction == "outbound-api"}
    assert [entry.shown_sender for entry in ledger.values()] == [None, None]
    assert world.answers(MAIN) == ["Re: Oi", "Re: Oi"]
    rows = await world.rows("SELECT sender, sid, state FROM outgoing ORDER BY id")
    assert rows == [{"sender": to, "sid": ledger[to].sid, "state": "sent"} for to in (SECOND_SMS, SMS)]


async def test_what_was_not_sent_is_sent_although_another_number_said_the_same(world: Accounts) -> None:
    """The other number's message stands in the list without a sender: it is known to be the other's."""
    world.twilio.faults.add(Fault("delivery", "held", times=None), Fault("callback", "lost", times=None))
    await world.write(MAIN, CUSTOMER, SECOND_SMS, "Oi")
    await world.settle()
    world.twilio.faults.add(Fault("create", "reset"))
    await world.write(MAIN, CUSTOMER, SMS, "Oi")
    await world.pass_(30 * MINUTE)

    said = [entry.sender for entry in world.twilio.ledger if entry.direction == "outbound-api"]
    assert said == [SECOND_SMS, SMS]
    assert await world.column("SELECT count(DISTINCT sid) FROM outbox") == [2]


async def consents(world: Accounts) -> dict[tuple[str, str], bool]:
    """By account and number: whether the customer's address there counts as opted out."""
    rows = await world.rows(
        "SELECT ch.account, ch.address, c.opted_out_at IS NOT NULL AS out FROM contacts c "
        "JOIN channels ch ON ch.id = c.channel_id WHERE c.address = ?",
        CUSTOMER,
    )
    return {(row["account"], row["address"]): bool(row["out"]) for row in rows}


async def test_an_opt_out_counts_for_the_services_numbers(world: Accounts) -> None:
    """Advanced Opt-Out recognised it for the service: silence from its other SMS number too, not on WhatsApp, not from
    another account; coming back counts for all of them as well.
    """
    branch = NUMBERS[BRANCH][0]
    for account, to in ((MAIN, SMS), (MAIN, SECOND_SMS), (BRANCH, branch)):
        await world.write(account, CUSTOMER, to, "Oi")
    await world.write(MAIN, CUSTOMER, SMS, "chega", extra={"OptOutType": "STOP"})
    await world.settle()

    assert await consents(world) == {(MAIN, SMS): True, (MAIN, SECOND_SMS): True, (BRANCH, branch): False}
    assert await world.column("SELECT address FROM contacts WHERE address LIKE 'whatsapp:%'") == []

    await world.write(MAIN, CUSTOMER, SECOND_SMS, "quero voltar", extra={"OptOutType": "START"})
    await world.settle()
    assert await consents(world) == {(MAIN, SMS): False, (MAIN, SECOND_SMS): False, (BRANCH, branch): False}


async def test_an_opt_out_without_a_service_counts_for_its_number(world: Accounts) -> None:
    """The customer left one number of an account that has no service."""
    world.twilio.services = None
    await world.write(MAIN, CUSTOMER, SECOND_SMS, "Oi")
    await world.write(MAIN, CUSTOMER, SMS, "chega", extra={"OptOutType": "STOP"})
    await world.settle()

    assert await consents(world) == {(MAIN, SMS): True, (MAIN, SECOND_SMS): False}


async def test_an_opt_out_holds_before_the_customer_wrote_there(world: Accounts) -> None:
    """Nobody may write first from the service's other number, as from WhatsApp, which is of another kind."""
    await world.write(MAIN, CUSTOMER, SMS, "chega", extra={"OptOutType": "STOP"})
    await world.settle()

    assert await consents(world) == {(MAIN, SMS): True, (MAIN, SECOND_SMS): True}
    assert WHATSAPP not in {address for _, address in await consents(world)}
