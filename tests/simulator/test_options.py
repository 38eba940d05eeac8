"""What a message may ask of the simulated Twilio: another alphabet, an end of its wait, a webhook by GET."""

import pytest

from tests.simulator.simulated_world import CUSTOMER, SDK_WARNINGS, SMS, WHATSAPP, WHATSAPP_CUSTOMER, World

pytestmark = SDK_WARNINGS
SAID = "“Olá” – já…\u00a0½"


async def test_smart_encoding_is_done_where_it_is_asked_for(world: World) -> None:
    """By Twilio's list, in an SMS alone; what is created, listed and fetched is the changed text."""
    await world.twilio.receive(WHATSAPP_CUSTOMER, WHATSAPP, "Oi")
    encoded = await world.send(body=SAID, smart_encoded=True)
    plain = await world.send(body=SAID)
    on_whatsapp = await world.send(body=SAID, smart_encoded=True, from_=WHATSAPP, to=WHATSAPP_CUSTOMER)

    assert encoded.body == '"Olá" - já...  1/2'
    assert (plain.body, on_whatsapp.body) == (SAID, SAID)
    assert encoded.body in await world.bodies(to=CUSTOMER)


@pytest.mark.parametrize("seconds", [0, -1, 36_001, "x", "1.5", ""])
async def test_a_validity_out_of_range_is_refused(world: World, seconds: object) -> None:
    """Twilio takes whole seconds, 1 to 36000."""
    assert await world.outcome(validity_period=seconds) == (400, 21624)


@pytest.mark.parametrize(("validity", "status", "code"), [(36_000, "delivered", None), (60, "failed", 30036)])
async def test_what_waits_too_long_fails(world: World, validity: int, status: str, code: int | None) -> None:
    """The queue moves on after ten minutes: what may not wait for so long is not sent, and that is called back."""
    world.twilio.delivery.pace = 0.05
    sent = await world.send(validity_period=validity)
    world.clock[0] += 600_000
    await world.twilio.settle()

    entry = world.twilio.ledger.get(sent.sid)
    assert entry is not None
    assert (entry.status, entry.error_code) == (status, code)
    assert world.double.statuses()[-1] == status


async def test_a_webhook_by_get_has_its_parameters_in_the_signed_url(world: World) -> None:
    """Nothing is in the body."""
    _, status = await world.twilio.receive(CUSTOMER, SMS, "Olá + tchau & 100%", method="GET")
    path, form, valid, _ = world.double.requests[0]

    assert (status, valid, form["Body"]) == (200, True, "Olá + tchau & 100%")
    assert path.startswith("/twilio/messages?")
