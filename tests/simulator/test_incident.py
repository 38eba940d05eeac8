"""Trouble at the simulated Twilio that lasts for minutes, and a Twilio that is slow or full."""

import asyncio
import time

import aiohttp
import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from appliance.simulator import Fault, Incident
from tests.simulator.simulated_world import CUSTOMER, SDK_WARNINGS, SMS, WHATSAPP, WHATSAPP_CUSTOMER, World

pytestmark = SDK_WARNINGS
MINUTE = 60_000
OTHER = "+5511900000000"


def incident(world: World, **changes: object) -> Incident:
    """Sixteen seconds that begin in a minute."""
    now = world.clock[0]
    return Incident(now + MINUTE, now + MINUTE + 16_000, **changes)  # type: ignore[arg-type]


async def test_every_post_fails_for_its_time(world: World) -> None:
    """Before and after it all is well; within it every POST gets 503, nothing is accepted and the log is readable."""
    world.twilio.incident = incident(world)
    await world.send(body="before")
    world.clock[0] += MINUTE
    first = await world.outcome()
    world.clock[0] += 15_999
    last = await world.outcome(to=OTHER)
    during = await world.bodies()
    world.clock[0] += 1
    await world.send(body="after")
    await world.twilio.settle()

    assert (first, last, during) == ((503, 503), (503, 503), ["before"])
    assert [entry.body for entry in world.twilio.ledger] == ["before", "after"]
    assert (world.twilio.posts, world.twilio.posts.total()) == ({CUSTOMER: 3, OTHER: 1}, 4)


async def test_a_share_is_accepted_all_the_same(world: World) -> None:
    """About half of the 5xx made a message, by the seed and not by chance; none of them says so."""
    accepted: list[set[str]] = []
    for seed in (1, 1, 2):
        world.twilio.incident = incident(world, accepted=0.5, seed=seed)
        world.clock[0] += MINUTE
        for number in range(20):
            assert (await world.outcome(body=f"{len(accepted)}.{number}"))[0] == 503
        accepted.append({b.partition(".")[2] for b in await world.bodies() if b.startswith(f"{len(accepted)}.")})
        world.clock[0] += MINUTE

    assert accepted[0] == accepted[1] != accepted[2]
    assert all(5 <= len(each) <= 15 for each in accepted)


@pytest.mark.parametrize(("share", "created"), [(0.0, 0), (1.0, 1)])
@pytest.mark.parametrize("kind", ["reset", "hang"])
async def test_an_incident_without_answers(world: World, kind: str, share: float, created: int) -> None:
    """Connections are dropped at once or after a silence, with and without a message made."""
    world.twilio.incident = incident(world, kind=kind, seconds=0.01, accepted=share)
    world.clock[0] += MINUTE
    with pytest.raises(aiohttp.ClientError):
        await world.send()

    assert len(list(world.twilio.ledger)) == created


async def test_a_code_and_the_log_as_well(world: World) -> None:
    """An incident can have Twilio's JSON, and take list and fetch along."""
    sid = (await world.send()).sid
    world.twilio.incident = incident(world, status=500, code=20500, on=("create", "list", "fetch"))
    world.clock[0] += MINUTE

    assert await world.outcome() == (500, 20500)
    with pytest.raises(TwilioException):
        await world.bodies()
    with pytest.raises(TwilioRestException):
        await world.client.messages(sid).fetch_async()
    world.twilio.incident = None
    assert await world.bodies() == ["Olá"]


@pytest.mark.parametrize(("lost", "statuses"), [(True, []), (False, ["sending", "sent", "delivered"])])
async def test_callbacks_may_get_lost(world: World, lost: bool, statuses: list[str]) -> None:
    """What was accepted within the incident is delivered, and nobody hears of it."""
    world.twilio.incident = incident(world, accepted=1.0, callbacks_lost=lost)
    world.clock[0] += MINUTE
    await world.outcome()
    await world.twilio.settle()
    (entry,) = world.twilio.ledger

    assert (entry.status, world.double.statuses()) == ("delivered", statuses)
    world.clock[0] += MINUTE
    await world.send()
    await world.twilio.settle()
    assert world.double.statuses() == [*statuses, "sending", "sent", "delivered"]


async def test_faults_wait_until_an_incident_is_over(world: World) -> None:
    """One that was asked for before is still there afterwards."""
    world.twilio.faults.add(Fault("create", "error", status=400, code=21211))
    world.twilio.incident = incident(world)
    world.clock[0] += MINUTE
    during = await world.outcome()
    world.clock[0] += MINUTE

    assert (during, await world.outcome()) == ((503, 503), (400, 21211))


async def test_answers_take_their_time(world: World) -> None:
    """Every answer comes late, and for a POST after the message was made."""
    world.twilio.latency = 0.2
    began = time.monotonic()
    post = asyncio.create_task(world.send())
    while not list(world.twilio.ledger):
        await asyncio.sleep(0.005)
    made_first = not post.done()
    await post
    await world.bodies()

    assert made_first
    assert time.monotonic() - began >= 0.4


async def test_a_sender_has_a_rate(world: World) -> None:
    """Beyond it messages are accepted and stay queued; another sender is not held up by them."""
    world.twilio.delivery.rate = 0.01
    await world.twilio.receive(WHATSAPP_CUSTOMER, WHATSAPP, "Oi", deliver=False)
    for body in "012":
        assert (await world.send(body=body)).status == "queued"
    await world.send(from_=WHATSAPP, to=WHATSAPP_CUSTOMER, body="other")

    def statuses() -> dict[str, str]:
        return {entry.body: entry.status for entry in world.twilio.ledger if not entry.inbound}

    async with asyncio.timeout(10):
        while statuses() != {"0": "delivered", "1": "queued", "2": "queued", "other": "read"}:
            await asyncio.sleep(0.005)
    assert await world.bodies(from_=SMS) == list("021")


async def test_what_was_queued_is_delivered_in_turn(world: World) -> None:
    """One after the other at the sender's rate, and all of them in the end."""
    world.twilio.delivery.rate = 20
    began = time.monotonic()
    for body in "0123":
        await world.send(body=body)
    await world.twilio.settle()
    sent = [form["MessageSid"] for _, form, *_ in world.double.requests if form["MessageStatus"] == "delivered"]

    assert sent == [entry.sid for entry in world.twilio.ledger]
    assert time.monotonic() - began >= 0.15
