"""The message list as Twilio documents it: by DateSent, with addresses and senders that are not those of the POST."""

from datetime import UTC, datetime, timedelta

import pytest

from appliance.simulator import Fault, with_ninth_digit, without_ninth_digit
from appliance.simulator.listing import Undated
from tests.simulator.simulated_world import (
    CUSTOMER,
    HOUR,
    SDK_WARNINGS,
    SMS,
    WHATSAPP,
    WHATSAPP_CUSTOMER,
    World,
)

pytestmark = SDK_WARNINGS
SERVICE = "MG" + "3" * 32
SHORT = "+551187654321"  # the customer without the ninth digit


async def test_a_reminder_of_yesterday_stands_on_top(world: World) -> None:
    """What was scheduled yesterday and is sent now comes before what was made and sent a minute ago."""
    await world.twilio.receive(CUSTOMER, SMS, "Oi", deliver=False)
    await world.send()
    await world.twilio.settle()
    world.clock[0] += 60_000
    now = world.clock[0]
    world.twilio.schedule(SMS, CUSTOMER, "Lembrete", created=now - 24 * HOUR, sent=now)
    listed = await world.client.messages.list_async()

    assert [message.body for message in listed] == ["Lembrete", "Olá", "Oi"]
    assert listed[0].date_created == datetime.fromtimestamp(now / 1000 - 86_400, UTC)
    assert (listed[0].direction, listed[0].status, listed[0].from_) == ("outbound-api", "delivered", SMS)


@pytest.mark.parametrize(("undated", "expected"), [("first", list("4310")), ("last", list("1043"))])
@pytest.mark.parametrize("page_size", [1, 3, 50])
async def test_undated_rows_stand_together(world: World, undated: Undated, expected: list[str], page_size: int) -> None:
    """Queued and scheduled messages are at one end, newest first, over all pages, and outside every DateSent filter."""
    world.twilio.undated = undated
    for body in "01":
        await world.send(body=body)
        await world.twilio.settle()
        world.clock[0] += 1_000
    world.twilio.faults.add(Fault("delivery", "held"))
    await world.send(body="4")
    world.twilio.schedule(SMS, CUSTOMER, "3", created=world.clock[0] - 24 * HOUR)

    assert await world.bodies(page_size=page_size) == expected
    assert await world.bodies(date_sent_after=datetime(2020, 1, 1, tzinfo=UTC)) == list("10")
    assert await world.bodies(date_sent_before=datetime(2030, 1, 1, tzinfo=UTC)) == list("10")


async def test_date_filters_ask_for_the_date_sent(world: World) -> None:
    """A message that was scheduled yesterday and sent now is found by now, and not by yesterday."""
    now = datetime.fromtimestamp(world.clock[0] / 1000, UTC)
    world.twilio.schedule(SMS, CUSTOMER, "Lembrete", created=world.clock[0] - 24 * HOUR, sent=world.clock[0])

    assert await world.bodies(date_sent_after=now) == ["Lembrete"]
    assert await world.bodies(date_sent_before=now - timedelta(hours=1)) == []


async def test_a_scheduled_message_waits_and_is_sent_or_canceled(world: World) -> None:
    """It has neither date nor From while it waits; sending it brings it to the top, and a restart alone does not."""
    waits = world.twilio.schedule(SMS, CUSTOMER, "Lembrete", created=world.clock[0] - 24 * HOUR)
    other = world.twilio.schedule(SMS, CUSTOMER, "Outro", created=world.clock[0] - 24 * HOUR)
    world.twilio.delivery.resume()
    await world.twilio.settle()
    shown = await world.client.messages(waits.sid).fetch_async()
    await world.client.messages(other.sid).update_async(status="canceled")
    await world.twilio.receive(CUSTOMER, SMS, "Oi", deliver=False)
    world.clock[0] += 1
    world.twilio.ledger.set_status(waits, "sent", world.clock[0])

    assert (shown.status, shown.from_, shown.date_sent) == ("scheduled", None, None)
    assert await world.bodies() == ["Lembrete", "Oi", "Outro"]


async def test_a_message_that_is_sent_while_somebody_reads_moves(world: World) -> None:
    """From the end of the list to its top: who has read the first page does not see it, and sees nothing twice."""
    for body in "012":
        await world.twilio.receive(CUSTOMER, SMS, body, deliver=False)
        world.clock[0] += 1_000
    waits = world.twilio.schedule(SMS, CUSTOMER, "Lembrete", created=0)
    first = await world.client.messages.page_async(page_size=2)
    seen = [message.body for message in first]
    world.twilio.ledger.set_status(waits, "sent", world.clock[0])
    second = await first.next_page_async()
    assert second is not None

    assert seen + [message.body for message in second] == list("210")


@pytest.mark.parametrize(
    ("long", "short"),
    [
        (CUSTOMER, SHORT),
        (f"whatsapp:{CUSTOMER}", f"whatsapp:{SHORT}"),
        ("+5491123456789", "+541123456789"),
        ("whatsapp:+5215512345678", "whatsapp:+525512345678"),
    ],
)
def test_forms_of_a_number(long: str, short: str) -> None:
    """Brazil's ninth digit, Argentina's 9 and Mexico's 1 go and come, with a channel in front as well."""
    assert (without_ninth_digit(long), without_ninth_digit(short)) == (short, short)
    assert (with_ninth_digit(short), with_ninth_digit(long)) == (long, long)


@pytest.mark.parametrize("address", ["+551140000000", "+14155238886", "whatsapp:BR.abc123", "25500", "messenger:1"])
def test_other_addresses_have_one_form(address: str) -> None:
    """A landline, another country, a hidden number and a short code stay as they are."""
    assert (without_ninth_digit(address), with_ninth_digit(address)) == (address, address)


async def test_the_log_shows_another_form_of_the_address(world: World) -> None:
    """Answer, list, fetch and callbacks have the canonical To; a filter with the form that was POSTed finds nothing."""
    world.twilio.canonical = without_ninth_digit
    await world.twilio.receive(WHATSAPP_CUSTOMER, WHATSAPP, "Oi")
    sent = await world.send(from_=WHATSAPP, to=WHATSAPP_CUSTOMER)
    await world.twilio.settle()
    canonical = f"whatsapp:{SHORT}"

    assert sent.to == canonical
    assert (await world.client.messages(sent.sid).fetch_async()).to == canonical
    assert await world.bodies(to=WHATSAPP_CUSTOMER) == []
    assert await world.bodies(to=canonical) == await world.bodies(from_=WHATSAPP) == ["Olá"]
    assert world.double.requests[0][1]["From"] == WHATSAPP_CUSTOMER
    assert {form["To"] for path, form, *_ in world.double.requests if path.startswith("/twilio/status")} == {canonical}
    assert dict(world.twilio.posts) == {WHATSAPP_CUSTOMER: 1}


@pytest.mark.parametrize("from_", [SMS, None])
async def test_a_messaging_service_has_no_from_yet(world: World, from_: str | None) -> None:
    """Through a Messaging Service From is null while queued, so that From= does not find it, and filled in when sent."""
    world.twilio.faults.add(Fault("delivery", "held"))
    values = {"to": CUSTOMER, "body": "Olá", "messaging_service_sid": SERVICE} | ({"from_": from_} if from_ else {})
    sid = (await world.client.messages.create_async(**values)).sid
    (queued,) = await world.client.messages.list_async(to=CUSTOMER)
    found = await world.bodies(from_=SMS)
    entry = world.twilio.ledger.get(sid)
    assert entry is not None
    world.twilio.ledger.set_status(entry, "sent", world.clock[0])
    (sent,) = await world.client.messages.list_async(from_=SMS)

    assert (queued.from_, queued.status, queued.messaging_service_sid, found) == (None, "accepted", SERVICE, [])
    assert (sent.from_, sent.sid) == (SMS, sid)


async def test_every_post_may_go_through_a_service(world: World) -> None:
    """With `null_from` a POST that names From alone is treated so too, and called back with the service's sid."""
    world.twilio.null_from = True
    sent = await world.send()
    await world.twilio.settle()

    assert (sent.from_, sent.status) == (None, "accepted")
    assert world.double.statuses() == ["sending", "sent", "delivered"]
    assert {(form["From"], form["MessagingServiceSid"]) for _, form, *_ in world.double.requests} == {
        (SMS, sent.messaging_service_sid)
    }
    assert await world.bodies(from_=SMS) == ["Olá"]


async def test_a_service_without_a_number_is_refused(world: World) -> None:
    """21703 where no address of the account fits the channel."""
    world.twilio.owned = [SMS]

    assert await world.outcome(from_="", to=WHATSAPP_CUSTOMER, messaging_service_sid=SERVICE) == (400, 21703)
