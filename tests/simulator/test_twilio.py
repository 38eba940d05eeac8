"""The simulated Twilio's webhooks and REST API, driven by the official SDK and heard by an appliance double."""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from appliance.wire import Media
from tests.simulator.simulated_world import (
    ACCOUNT,
    CUSTOMER,
    HOUR,
    OLD_TOKEN,
    SDK_WARNINGS,
    SMS,
    TOKEN,
    WHATSAPP,
    WHATSAPP_CUSTOMER,
    World,
)

pytestmark = SDK_WARNINGS


async def test_an_sms_arrives_signed_with_twilios_parameters(world: World) -> None:
    """The webhook has the SMS parameter set, unchanged text and a valid signature."""
    sid, status = await world.twilio.receive(CUSTOMER, SMS, " Olá\n😀 ", extra={"AddOns": "{}"})
    path, form, valid, _ = world.double.requests[0]

    assert (status, path, valid) == (200, "/twilio/messages", True)
    assert sid.startswith("SM") and len(sid) == 34
    assert form["MessageSid"] == form["SmsSid"] == form["SmsMessageSid"] == sid
    assert (form["From"], form["To"], form["Body"]) == (CUSTOMER, SMS, " Olá\n😀 ")
    assert (form["NumMedia"], form["SmsStatus"], form["FromCity"], form["AddOns"]) == ("0", "received", "", "{}")
    assert "ProfileName" not in form


async def test_a_whatsapp_voice_note_arrives_with_its_media(world: World) -> None:
    """WhatsApp adds name, id and type; media get a Twilio URL, told by the Media list as well."""
    sid, _ = await world.twilio.receive(WHATSAPP_CUSTOMER, WHATSAPP, "", [Media("", "audio/ogg")])
    form = world.double.requests[0][1]
    media = await world.client.messages(sid).media.list_async()

    assert sid.startswith("MM")
    assert (form["WaId"], form["MessageType"], form["MediaContentType0"]) == (CUSTOMER[1:], "audio", "audio/ogg")
    assert (
        form["MediaUrl0"] == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media/{media[0].sid}"
    )
    assert media[0].content_type == "audio/ogg"


async def test_a_customer_without_a_number_has_no_wa_id(world: World) -> None:
    """A business-scoped WhatsApp id is a valid address in both directions."""
    await world.twilio.receive("whatsapp:BR.abc123", WHATSAPP, "Oi")
    form = world.double.requests[0][1]
    answer = await world.send(from_=WHATSAPP, to="whatsapp:BR.abc123")

    assert "WaId" not in form and form["ExternalUserId"] == "BR.abc123"
    assert answer.status == "queued"


async def test_a_known_sid_is_delivered_again(world: World) -> None:
    """A duplicate webhook has the same sid and idempotency token and adds nothing to the log."""
    sid, _ = await world.twilio.receive(CUSTOMER, SMS, "Oi")
    await world.twilio.receive(CUSTOMER, SMS, "Oi", sid=sid)
    first, second = world.double.requests

    assert (first[1], first[3]) == (second[1], second[3])
    assert len(list(world.twilio.ledger)) == 1


async def test_a_lost_webhook_is_in_the_log_only(world: World) -> None:
    """What the webhook never told can be listed."""
    sid, status = await world.twilio.receive(CUSTOMER, SMS, "Oi", deliver=False)
    listed = await world.client.messages.list_async(
        to=SMS, date_sent_after=datetime.fromtimestamp(world.clock[0] / 1000, UTC)
    )

    assert (status, world.double.requests) == (None, [])
    assert [(message.sid, message.direction, message.status) for message in listed] == [(sid, "inbound", "received")]


async def test_no_answer_is_no_status(world: World, unused_tcp_port: int) -> None:
    """A webhook that meets a closed port is tried twice and reported as None."""
    world.twilio.public_url = f"http://127.0.0.1:{unused_tcp_port}"
    assert (await world.twilio.receive(CUSTOMER, SMS, "Oi"))[1] is None


@pytest.mark.parametrize(
    ("text", "content_type", "sent"),
    [
        ("OK", "text/plain", ["OK"]),
        ("<Response><Message>a</Message><Message><Body>b</Body></Message></Response>", "text/xml", ["a", "b"]),
        ("<Response/>", "text/xml", []),
        ("<Response>", "text/xml", []),
    ],
)
async def test_what_the_webhook_answers_is_texted(world: World, text: str, content_type: str, sent: list[str]) -> None:
    """TwiML messages and plain text become outbound messages, which makes a double reply visible."""
    world.double.answer = lambda: web.Response(text=text, content_type=content_type)
    await world.twilio.receive(CUSTOMER, SMS, "Oi")
    await world.twilio.settle()

    assert [entry.body for entry in world.twilio.ledger if entry.direction == "outbound-reply"] == sent


async def test_a_created_message_looks_like_twilios(world: World) -> None:
    """201 has Twilio's shape and clock; the message is called back to `delivered`, signed over the exact URL."""
    answer = await world.client.messages.create_with_http_info_async(
        from_=SMS, to=CUSTOMER, body="Olá ã", status_callback=f"{world.double.base}/twilio/status?o=7.1.ab%2Fc"
    )
    await world.twilio.settle()
    message = answer.data

    assert answer.status_code == 201
    assert answer.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    assert (message.status, message.direction, message.num_segments, message.date_sent) == (
        "queued",
        "outbound-api",
        "1",
        None,
    )
    assert message.date_created == datetime.fromtimestamp(world.clock[0] / 1000, UTC)
    assert world.double.statuses("/twilio/status?o=7.1.ab%2Fc") == ["sending", "sent", "delivered"]
    assert all(valid for _, _, valid, _ in world.double.requests)
    assert world.double.requests[-1][1]["RawDlrDoneDate"] == "2701150800"
    assert (await world.client.messages(message.sid).fetch_async()).status == "delivered"


async def test_whatsapp_is_read(world: World) -> None:
    """WhatsApp answers go on to `read`, with the channel's parameters."""
    await world.twilio.receive(WHATSAPP_CUSTOMER, WHATSAPP, "Oi")
    await world.send(from_=WHATSAPP, to=WHATSAPP_CUSTOMER)
    await world.twilio.settle()
    form = world.double.requests[-1][1]

    assert world.double.statuses() == ["sending", "sent", "delivered", "read"]
    assert (form["EventType"], form["ChannelPrefix"], form["ChannelToAddress"]) == ("READ", "whatsapp", CUSTOMER)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"body": "x" * 1601}, (400, 21617)),
        ({"body": ""}, (400, 21602)),
        ({"to": "11 98765"}, (400, 21211)),
        ({"to": ""}, (400, 21604)),
        ({"from_": ""}, (400, 21603)),
        ({"from_": "+551140000001"}, (400, 21659)),
        ({"from_": "nobody"}, (400, 21606)),
        ({"from_": "whatsapp:+551140000001", "to": WHATSAPP_CUSTOMER}, (400, 63007)),
        ({"from_": WHATSAPP}, (400, 21910)),
        ({"from_": WHATSAPP, "to": WHATSAPP_CUSTOMER}, (400, 63016)),
        ({"status_callback": "http://my_host/x"}, (400, 21609)),
        ({"status_callback": "/x"}, (400, 21609)),
        ({"status_callback": "http://[/x"}, (400, 21609)),
        ({"status_callback": "http://a:99999/x"}, (400, 21609)),
    ],
)
async def test_refusals(world: World, changes: dict[str, str], expected: tuple[int, int]) -> None:
    """Wrong parameters get Twilio's codes and create nothing."""
    assert await world.outcome(**changes) == expected
    assert list(world.twilio.ledger) == []


async def test_the_window_closes_after_24_hours(world: World) -> None:
    """63016 counts from the customer's last message."""
    await world.twilio.receive(WHATSAPP_CUSTOMER, WHATSAPP, "Oi")
    world.clock[0] += 24 * HOUR
    await world.send(from_=WHATSAPP, to=WHATSAPP_CUSTOMER)
    world.clock[0] += 1

    assert await world.outcome(from_=WHATSAPP, to=WHATSAPP_CUSTOMER) == (400, 63016)


async def test_stop_blocks_until_start(world: World) -> None:
    """Twilio answers SMS keywords itself, still delivers the webhook, and refuses with 21610 in between."""
    await world.send()
    await world.twilio.receive(CUSTOMER, SMS, "yes")
    await world.twilio.receive(CUSTOMER, SMS, " stop ")
    await world.twilio.receive(CUSTOMER, SMS, "STOP")
    blocked = await world.outcome()
    await world.twilio.receive(CUSTOMER, SMS, "Start")
    await world.send()
    answers = [entry.body.split()[4] for entry in world.twilio.ledger if entry.direction == "outbound-reply"]

    assert blocked == (400, 21610)
    assert answers == ["unsubscribed.", "re-subscribed"]
    assert len([path for path, *_ in world.double.requests if path == "/twilio/messages"]) == 4


async def test_whatsapp_stop_is_left_to_the_business(world: World) -> None:
    """Without Advanced Opt-Out nothing is automatic on WhatsApp; its OptOutType does block."""
    await world.twilio.receive(WHATSAPP_CUSTOMER, WHATSAPP, "STOP")
    await world.send(from_=WHATSAPP, to=WHATSAPP_CUSTOMER)
    await world.twilio.receive(WHATSAPP_CUSTOMER, WHATSAPP, "sair", extra={"OptOutType": "STOP"})

    assert await world.outcome(from_=WHATSAPP, to=WHATSAPP_CUSTOMER) == (400, 21610)


async def test_credentials(world: World) -> None:
    """Every token of the account and its API keys open the API; anything else is 401 with 20003."""
    world.twilio._credentials.append(("SK1", "secret"))
    for username, password in ((ACCOUNT, TOKEN), (ACCOUNT, OLD_TOKEN), ("SK1", "secret")):
        client = Client(username, password, ACCOUNT, http_client=world.client.http_client)
        assert await client.messages.list_async(limit=1) == []
    with pytest.raises(TwilioRestException) as raised:
        await Client(ACCOUNT, "wrong", http_client=world.client.http_client).messages.create_async(
            to=CUSTOMER, from_=SMS, body="x"
        )

    assert (raised.value.status, raised.value.code) == (401, 20003)


async def test_lists_page_newest_first(world: World) -> None:
    """The SDK follows next_page_uri over the whole list, filtered by To, From and DateSent."""
    for number in range(7):
        await world.twilio.receive(CUSTOMER if number % 2 else "+5511900000000", SMS, str(number), deliver=False)
        world.clock[0] += 60_000
    start = datetime.fromtimestamp(1_800_000_000, UTC)

    assert await world.bodies(page_size=3) == list("6543210")
    assert await world.bodies(page_size=2, from_=CUSTOMER, to=SMS) == list("531")
    assert await world.bodies(to=CUSTOMER) == []
    assert await world.bodies(date_sent_after=start + timedelta(minutes=5)) == list("65")
    assert await world.bodies(date_sent_before=start + timedelta(minutes=1)) == list("10")
    assert await world.bodies(date_sent=start.date()) == list("6543210")
    assert await world.bodies(limit=2) == list("65")


async def test_a_page_is_not_shifted_by_newer_messages(world: World) -> None:
    """A message that arrives between two pages neither repeats nor hides another."""
    for number in range(4):
        await world.twilio.receive(CUSTOMER, SMS, str(number), deliver=False)
    first = await world.client.messages.page_async(page_size=2)
    seen = [message.body for message in first]
    await world.twilio.receive(CUSTOMER, SMS, "new", deliver=False)
    second = await first.next_page_async()
    assert second is not None

    assert seen + [message.body for message in second] == list("3210")


async def test_queued_messages_are_outside_date_filters(world: World) -> None:
    """date_sent is null until a message was sent."""
    world.twilio.delivery.pace = 60
    await world.send()

    assert await world.bodies() == ["Olá"]
    assert await world.bodies(date_sent_after=datetime(2020, 1, 1, tzinfo=UTC)) == []


async def test_redact_delete_cancel(world: World) -> None:
    """A finished message can be emptied and deleted, a queued one only canceled."""
    world.twilio.delivery.pace = 60
    sid = (await world.send()).sid
    message = world.client.messages(sid)
    with pytest.raises(TwilioRestException) as early:
        await message.update_async(body="")
    canceled = await message.update_async(status="canceled")
    emptied = await message.update_async(body="")
    deleted = await message.delete_async()
    with pytest.raises(TwilioRestException) as gone:
        await message.fetch_async()

    assert (early.value.status, early.value.code) == (409, 20009)
    assert (canceled.status, emptied.body, deleted) == ("canceled", "", True)
    assert (gone.value.status, gone.value.code) == (404, 20404)
    assert await world.bodies() == []
