"""Everything that can be made to go wrong at the simulated Twilio."""

import aiohttp
import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from appliance.simulator import Fault
from tests.simulator.simulated_world import ACCOUNT, CUSTOMER, SDK_WARNINGS, TOKEN, WHATSAPP, WHATSAPP_CUSTOMER, World

pytestmark = SDK_WARNINGS


@pytest.mark.parametrize(
    ("fault", "status", "code", "created"),
    [
        (Fault("create", "error", status=400, code=30007), 400, 30007, 0),
        (Fault("create", "error", status=401, code=20003), 401, 20003, 0),
        (Fault("create", "error", status=429, code=20429, retry_after=2), 429, 20429, 0),
        *((Fault("create", "error", status=429, code=code), 429, code, 0) for code in (63038, 63018, 14107)),
        (Fault("create", "error", status=429), 429, 429, 0),
        (Fault("create", "error", status=429, accepted=True), 429, 429, 1),
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
    entry = world.twilio.ledger.get(sid)
    assert entry is not None and entry.status == "delivered"


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
        ("held", [], None),
    ],
)
async def test_delivery_faults(world: World, kind: str, statuses: list[str], code: str | None) -> None:
    """A message can fail after it was accepted, with its ErrorCode, or stay sent or queued for ever."""
    world.twilio.faults.add(Fault("delivery", kind, code=30008))
    await world.send()
    await world.twilio.settle()

    assert world.double.statuses() == statuses
    assert [form["ErrorCode"] for _, form, *_ in world.double.requests if "ErrorCode" in form] == (
        [code] if code else []
    )


@pytest.mark.parametrize("kind", ["failed", "undelivered"])
@pytest.mark.parametrize("code", [21610, 30002, 30003, 63007, 63016, 63018, 63024, 63038])
async def test_refusals_that_come_by_callback(world: World, kind: str, code: int) -> None:
    """The codes that a POST can be refused with come after it was accepted as well, and stand in the log."""
    await world.twilio.receive(WHATSAPP_CUSTOMER, WHATSAPP, "Oi")
    world.twilio.faults.add(Fault("delivery", kind, code=code, address=WHATSAPP_CUSTOMER))
    sid = (await world.send(from_=WHATSAPP, to=WHATSAPP_CUSTOMER)).sid
    await world.twilio.settle()
    form = world.double.requests[-1][1]
    fetched = await world.client.messages(sid).fetch_async()

    assert (form["MessageStatus"], form["ErrorCode"], form["EventType"]) == (kind, str(code), "UNDELIVERED")
    assert (fetched.status, fetched.error_code) == (kind, code)


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
