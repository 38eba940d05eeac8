"""The simulated Twilio, driven by the official SDK and heard by a small appliance double."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import MultiDict
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from appliance.model import Media
from appliance.simulator import Fault, Ledger, Twilio, simulator_app
from appliance.simulator.segments import segments

# The SDK passes aiohttp's `auth`, which goes away in aiohttp 4; the project pins aiohttp below that.
pytestmark = pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning")

ACCOUNT = "AC" + "0" * 32
TOKEN = "1" * 32
OLD_TOKEN = "2" * 32
SMS = "+551140000000"
WHATSAPP = "whatsapp:+551140000000"
CUSTOMER = "+5511987654321"
WHATSAPP_CUSTOMER = "whatsapp:+5511987654321"
HOUR = 3_600_000


class LoopbackClient(AsyncTwilioHttpClient):
    """The SDK's own client, led to the simulator."""

    def __init__(self, base: str, seconds: float = 10.0) -> None:
        super().__init__()
        self.base = base
        self.seconds = seconds

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        async with asyncio.timeout(self.seconds):
            return await super().request(method, url.replace("https://api.twilio.com", self.base, 1), *args, **kwargs)


@dataclass
class Double:
    """An appliance that only records: every webhook with its verdict on the signature."""

    requests: list[tuple[str, MultiDict[str], bool, str]] = field(default_factory=list)
    answer: Callable[[], web.Response] = lambda: web.Response(text="<Response/>", content_type="text/xml")
    base: str = ""

    async def hear(self, request: web.Request) -> web.Response:
        form = await request.post()
        signature = request.headers["X-Twilio-Signature"]
        valid = RequestValidator(TOKEN).validate(self.base + request.raw_path, form, signature)
        self.requests.append((request.raw_path, form, valid, request.headers["I-Twilio-Idempotency-Token"]))
        return self.answer()

    def statuses(self, path: str = "/twilio/status") -> list[str]:
        return [form["MessageStatus"] for url, form, _, _ in self.requests if url.startswith(path)]


@dataclass
class World:
    twilio: Twilio
    double: Double
    client: Client
    base: str
    clock: list[int]

    async def send(self, **changes: Any) -> Any:
        """Create one message with a status callback."""
        values = {
            "from_": SMS,
            "to": CUSTOMER,
            "body": "Olá",
            "status_callback": f"{self.double.base}/twilio/status?o=7.1.ab%2Fc",
        }
        return await self.client.messages.create_async(**(values | changes))

    async def bodies(self, **filters: Any) -> list[str]:
        return [message.body for message in await self.client.messages.list_async(**filters)]

    async def outcome(self, **changes: Any) -> tuple[int, int]:
        """HTTP status and Twilio's code of a refused create."""
        with pytest.raises(TwilioRestException) as raised:
            await self.send(**changes)
        return raised.value.status, raised.value.code


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A simulator and a double, each on its own port."""
    clock = [1_800_000_000_000]
    twilio = Twilio(ACCOUNT, [TOKEN, OLD_TOKEN], owned=[SMS, WHATSAPP], now=lambda: clock[0], pace=0)
    double = Double()
    hears = web.Application()
    hears.router.add_route("*", "/{rest:.*}", double.hear)
    async with TestServer(simulator_app(twilio)) as server, TestServer(hears) as heard:
        double.base = str(heard.make_url("")).rstrip("/")
        twilio.public_url = double.base
        http_client = LoopbackClient(str(server.make_url("")).rstrip("/"))
        yield World(twilio, double, Client(ACCOUNT, TOKEN, http_client=http_client), http_client.base, clock)
        await http_client.close()


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


@pytest.mark.parametrize(
    ("fault", "status", "code", "created"),
    [
        (Fault("create", "error", status=400, code=30007), 400, 30007, 0),
        (Fault("create", "error", status=401, code=20003), 401, 20003, 0),
        (Fault("create", "error", status=429, code=20429, retry_after=2), 429, 20429, 0),
        (Fault("create", "error", status=429), 429, 429, 0),
        (Fault("create", "error", status=503), 503, 503, 0),
        (Fault("create", "error", status=500, code=20500, accepted=True), 500, 20500, 1),
    ],
)
async def test_error_faults(world: World, fault: Fault, status: int, code: int, created: int) -> None:
    """A fault answers once with its status and code, before or after the message was accepted."""
    world.twilio.faults.add(fault)

    assert await world.outcome() == (status, code)
    assert len(await world.bodies()) == created
    assert (await world.send()).status == "queued"


@pytest.mark.parametrize("accepted", [False, True])
async def test_hang_and_reset(world: World, accepted: bool) -> None:
    """A silent and a dropped connection happen before or after the message was accepted."""
    world.twilio.faults.add(Fault("create", "hang", accepted=accepted), Fault("create", "reset", accepted=accepted))
    world.client.http_client.seconds = 0.3
    with pytest.raises(TimeoutError):
        await world.send()
    with pytest.raises(aiohttp.ClientOSError):
        await world.send()
    await world.twilio.settle()

    assert len(list(world.twilio.ledger)) == (2 if accepted else 0)
    assert len(world.double.statuses()) == (6 if accepted else 0)


async def test_a_hang_ends_by_itself(world: World) -> None:
    """After its seconds a hanging request loses its connection."""
    world.twilio.faults.add(Fault("create", "hang", seconds=0.01))
    with pytest.raises(aiohttp.ClientError):
        await world.send()


async def test_broken_bodies(world: World) -> None:
    """Half a JSON text and a body without sid come with 201: the message exists."""
    world.twilio.faults.add(Fault("create", "half_json"), Fault("create", "no_sid"))
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        await world.send()
    message = await world.send()

    assert message.sid is None
    assert len(await world.bodies()) == 2


async def test_retry_after_is_a_header(world: World) -> None:
    """A rate limit can say when to come back."""
    world.twilio.faults.add(Fault("create", "error", status=429, code=20429, retry_after=1.5))
    auth = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    async with (
        aiohttp.ClientSession(headers=auth) as session,
        session.post(f"{world.base}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data={"To": CUSTOMER}) as response,
    ):
        assert (response.status, response.headers["Retry-After"]) == (429, "1.5")


async def test_rules_and_addresses(world: World) -> None:
    """`times` None stays until cleared, `times` 2 serves twice, an address limits a fault to one pair."""
    world.twilio.faults.add(
        Fault("create", "error", times=None, address=CUSTOMER), Fault("create", "error", status=503, times=2)
    )

    assert (await world.outcome())[0] == 500
    assert (await world.outcome(to="+5511900000000"))[0] == 503
    assert (await world.outcome(to="+5511900000000"))[0] == 503
    assert (await world.send(to="+5511900000000")).status == "queued"
    assert (await world.outcome())[0] == 500
    world.twilio.faults.clear()
    assert (await world.send()).status == "queued"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("lost", []),
        ("twice", ["sending", "sending", "sent", "sent", "delivered", "delivered"]),
        ("out_of_order", ["delivered", "sent", "sending"]),
        ("delayed", ["sending", "sent", "delivered"]),
    ],
)
async def test_callback_faults(world: World, kind: str, expected: list[str]) -> None:
    """Callbacks get lost, repeat, swap and come late while the message itself is delivered."""
    world.twilio.faults.add(Fault("callback", kind, seconds=0))
    sid = (await world.send()).sid
    await world.twilio.settle()

    assert world.double.statuses() == expected
    assert world.twilio.ledger.get(sid).status == "delivered"


async def test_an_early_callback_comes_before_the_answer(world: World) -> None:
    """The first callbacks can be there before the POST is answered."""
    world.twilio.delivery.pace = 60
    world.twilio.faults.add(Fault("callback", "early"))
    await world.send()

    assert world.double.statuses() == ["sending", "sent"]


@pytest.mark.parametrize(
    ("kind", "statuses", "code"),
    [
        ("failed", ["sending", "failed"], "30008"),
        ("undelivered", ["sending", "sent", "undelivered"], "30008"),
        ("stuck", ["sending", "sent"], None),
    ],
)
async def test_delivery_faults(world: World, kind: str, statuses: list[str], code: str | None) -> None:
    """A message can fail after it was accepted, with its ErrorCode, or stay sent for ever."""
    world.twilio.faults.add(Fault("delivery", kind, code=30008))
    await world.send()
    await world.twilio.settle()

    assert world.double.statuses() == statuses
    assert world.double.requests[-1][1].get("ErrorCode") == code


async def test_list_and_fetch_faults(world: World) -> None:
    """The list can lag behind and reading can fail."""
    sid = (await world.send()).sid
    world.twilio.faults.add(Fault("list", "lag", seconds=60, times=2), Fault("fetch", "error", status=503))
    before = await world.bodies()
    world.clock[0] += 60_000
    after = await world.bodies()
    world.twilio.faults.add(Fault("list", "error", status=500))
    with pytest.raises(TwilioException):
        await world.bodies()
    with pytest.raises(TwilioRestException):
        await world.client.messages(sid).fetch_async()

    assert (before, after) == ([], ["Olá"])


def test_a_fault_that_cannot_be_is_refused() -> None:
    """A kind belongs to its operation."""
    with pytest.raises(ValueError, match="kind on list"):
        Fault("list", "half_json")


async def test_the_ledger_is_reloaded(tmp_path: Path) -> None:
    """Stop and start continue: messages, opt-outs and the window survive, a torn last line does not matter."""
    path = tmp_path / "ledger.jsonl"
    first = Twilio(ACCOUNT, [TOKEN], Ledger(path))
    await first.receive(CUSTOMER, SMS, "STOP")
    await first.receive(WHATSAPP_CUSTOMER, WHATSAPP, "Oi\r\u2028é")
    await first.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    second = Ledger(path)

    assert list(second) == list(first.ledger)
    assert second.opted_out(CUSTOMER, SMS)
    assert second.last_inbound(WHATSAPP_CUSTOMER, WHATSAPP) is not None
    second.close()
    assert path.read_bytes() == whole


async def test_a_delivery_continues_after_a_restart(tmp_path: Path) -> None:
    """A message that was on its way is delivered and called back by the next run."""
    double, path = Double(), tmp_path / "ledger.jsonl"
    form = {"From": SMS, "To": CUSTOMER, "Body": "Olá"}
    hears = web.Application()
    hears.router.add_post("/{rest:.*}", double.hear)
    async with TestServer(hears) as heard:
        double.base = str(heard.make_url("")).rstrip("/")
        first = Twilio(ACCOUNT, [TOKEN], Ledger(path))
        entry = first.create(MultiDict(form | {"StatusCallback": f"{double.base}/twilio/status"}))
        first.ledger.set_status(entry, "sending", first.now())
        await first.close()
        second = Twilio(ACCOUNT, [TOKEN], Ledger(path), pace=0)
        async with TestServer(simulator_app(second)):
            await second.settle()

    assert double.statuses() == ["sent", "delivered"]


async def test_messages_and_faults_over_http(world: World) -> None:
    """The JSON tools make messages arrive, show the ledger and set faults."""
    async with aiohttp.ClientSession(world.base) as session:
        message = {
            "from": CUSTOMER,
            "to": SMS,
            "body": "Oi",
            "media": [{"content_type": "image/jpeg"}],
            "extra": {"X": "1"},
        }
        async with session.post("/simulator/messages", json=message) as response:
            arrived = await response.json()
        async with session.get(f"/simulator/messages?contact={CUSTOMER}") as response:
            ledger = await response.json()
        async with session.post(
            "/simulator/faults", json=[{"on": "create", "kind": "error", "status": 503}]
        ) as response:
            assert response.status == 201
        async with session.delete("/simulator/faults") as response:
            assert response.status == 204
        async with session.post("/simulator/faults", json=[{"on": "list", "kind": "early"}]) as response:
            assert (response.status, "kind on list" in await response.text()) == (400, True)
        async with session.post("/simulator/messages", json={"from": CUSTOMER}) as response:
            assert response.status == 400

    assert arrived == {"sid": ledger[0]["sid"], "status": 200}
    assert (ledger[0]["from"], ledger[0]["media"][0]["content_type"]) == (CUSTOMER, "image/jpeg")
    assert world.double.requests[0][1]["X"] == "1"
    assert (await world.send()).status == "queued"


async def test_events_follow_the_ledger(world: World) -> None:
    """Each change of the ledger is pushed, and an open stream does not hold up the end."""
    async with aiohttp.ClientSession(world.base) as session, session.get("/simulator/events") as response:
        await world.twilio.receive(CUSTOMER, SMS, "Oi")
        line = await asyncio.wait_for(response.content.readline(), 10)

    assert response.headers["Content-Type"] == "text/event-stream"
    assert b'"body":"Oi"' in line


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost:1"}, 200),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
async def test_other_sites_are_kept_out(world: World, headers: dict[str, str], status: int) -> None:
    """A foreign host name, another site's page and a form cannot make messages arrive."""
    body = b'{"from": "+5511987654321", "to": "+551140000000", "body": "Oi"}'
    async with (
        aiohttp.ClientSession(world.base) as session,
        session.post(
            "/simulator/messages", data=body, headers={"Content-Type": "application/json"} | headers
        ) as response,
    ):
        assert response.status == status
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ã" * 70, 1),
        ("ã" * 71, 2),
        ("😀" * 36, 2),
    ],
)
def test_segments(text: str, count: int) -> None:
    """GSM-7 and UCS-2 texts are counted as Twilio does."""
    assert segments(text) == count


@pytest.mark.slow
async def test_it_runs_as_its_own_process(tmp_path: Path) -> None:
    """`python -m appliance.simulator` serves, and its ledger survives a kill."""
    arguments = [
        "--listen",
        "127.0.0.1:0",
        "--account-sid",
        ACCOUNT,
        "--auth-token",
        TOKEN,
        "--ledger",
        str(tmp_path / "ledger"),
    ]
    counts = []
    for number in (signal.SIGKILL, signal.SIGTERM):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance.simulator", *arguments, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        base = (await process.stdout.readline()).decode().split()[-1]
        async with aiohttp.ClientSession(base) as session:
            await session.post("/simulator/messages", json={"from": CUSTOMER, "to": SMS, "body": "Oi"})
            async with session.get("/simulator/messages") as response:
                counts.append(len(await response.json()))
        process.send_signal(number)
        await process.wait()

    assert counts == [1, 2]
    assert process.returncode == 0
