"""What a send's end says about more than its message: pauses of the account, of a channel, of a contact, and of doubt."""

from pathlib import Path
from typing import Any

import pytest

from appliance.model import HOUR, MINUTE
from appliance.simulator import Fault
from tests.outbox.scene import NEIGHBOUR, pass_, posts, states
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, WHATSAPP, ManualClock, World

BEFORE_MIDNIGHT = 1_800_000_000_000 // (24 * HOUR) * 24 * HOUR + 23 * HOUR  # 23:00 UTC
ON_WHATSAPP, NEIGHBOUR_THERE = f"whatsapp:{CUSTOMER}", f"whatsapp:{NEIGHBOUR}"
HOURS = 3600.0
BROKEN = Fault("create", "error", status=503, times=None)


def opened(directory: Path, now: int = 1_800_025_200_000, **more: Any) -> World:
    return World(directory, clock=ManualClock(now), model=FakeAi(), twilio={"catch_up_every": 0}, **more)


@pytest.mark.parametrize("status", [400, 429])
async def test_the_daily_limit_pauses_the_account_until_the_next_day(tmp_path: Path, status: int) -> None:
    """63038 is an answer, whatever its HTTP status: nothing is in doubt, one POST found it out for everybody, the owner
    has one card; at five minutes past midnight UTC the answers go out.
    """
    async with opened(tmp_path, BEFORE_MIDNIGHT) as world:
        made = posts(world)
        limit = Fault("create", "error", status=status, code=63038, times=None)
        world.twilio.faults.add(limit)
        for sender, to in ((ON_WHATSAPP, WHATSAPP), (NEIGHBOUR_THERE, WHATSAPP)):
            await world.say("oi", sender, to)
            await pass_(world, 1)
        await pass_(world, 1.05 * HOURS)
        assert (len(made), set(await states(world)), await world.cards()) == (1, {"ready"}, ["twilio"])

        world.twilio.faults.clear()
        await pass_(world, 0.1 * HOURS)

        assert [len(world.sent(sender)) for sender in (ON_WHATSAPP, NEIGHBOUR_THERE)] == [1, 1]
        assert set(await states(world)) <= {"delivered", "read"}
        assert await world.cards() == []


@pytest.mark.parametrize("code", [63018, 14107])
async def test_too_much_to_one_contact_pauses_that_contact(tmp_path: Path, code: int) -> None:
    """For a minute; the neighbour is answered at once, and nothing is in doubt."""
    async with opened(tmp_path) as world:
        made = posts(world)
        world.twilio.faults.add(Fault("create", "error", status=429, code=code, address=CUSTOMER))
        await world.say("oi")
        await pass_(world, 1)
        await world.say("oi", NEIGHBOUR)
        await pass_(world, 57)
        assert (world.sent(), len(world.sent(NEIGHBOUR)), made) == ([], 1, [CUSTOMER, NEIGHBOUR])
        assert await world.cards() == []

        await pass_(world, 4)

        assert len(world.sent()) == 1


async def test_a_bare_429_is_doubt(tmp_path: Path) -> None:
    """Without Twilio's code somebody in between may have said it: nobody knows, and the account pauses."""
    async with opened(tmp_path) as world:
        made = posts(world)
        world.twilio.faults.add(Fault("create", "error", status=429))
        await world.say("oi")
        await pass_(world, 1)
        await world.say("oi", NEIGHBOUR)
        await pass_(world, 3)
        assert (await states(world), made) == (["doubt", "ready"], [CUSTOMER])

        await pass_(world, 2)

        assert (await states(world))[1] == "delivered"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("create", "error", status=503, times=None),
        Fault("create", "error", status=500, code=20500, times=None),
        Fault("create", "reset", times=None),
        Fault("create", "half_json", times=None),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
async def test_doubt_pauses_the_account(tmp_path: Path, fault: Fault) -> None:
    """On every channel: probes after 5, 10, 20, 40 s …, at last every two minutes; the first success ends it."""
    async with opened(tmp_path) as world:
        made = posts(world)
        world.twilio.faults.add(fault)
        for number in range(12):
            await world.say("oi", f"+55119{number:08}")
            await world.say("oi", f"whatsapp:+55119{number:08}", WHATSAPP)
        await pass_(world, 0)
        first = len(made)
        counts = []
        for seconds in (4.9, 0.2, 9.8, 0.2, 19.8, 0.2, 39.8, 0.2, 79.8, 0.2, 119.8, 0.2, 119.8, 0.2):
            await pass_(world, seconds)
            counts.append(len(made) - first)
        assert first <= world.config.queue.concurrency
        assert counts == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7]

        world.twilio.faults.clear()
        await pass_(world, 121)

        assert (await states(world)).count("ready") == 0


@pytest.mark.parametrize(("away", "waits"), [(30, True), (119, True), (121, False)])
async def test_a_young_doubt_pauses_the_account_at_a_start(tmp_path: Path, away: int, *, waits: bool) -> None:
    """The incident may not be over: the first POST waits 5 s, unless the last doubt is two minutes old."""
    async with opened(tmp_path) as world:
        made = posts(world)
        world.twilio.faults.add(Fault("create", "error", status=503))
        await world.say("oi")
        await pass_(world, 0)
        await world.stop()
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(away, _nothing)
        await world.start()
        await world.settle()
        await world.say("oi", NEIGHBOUR)
        await pass_(world, 4)
        assert len(made) == (1 if waits else 2)

        await pass_(world, 2)

        assert len(made) == 2
        assert len(world.sent(NEIGHBOUR)) == 1


async def _nothing() -> None: ...


async def _fails(world: World, code: int, sender: str = CUSTOMER, to: str | None = None) -> None:
    """An answer that Twilio takes and then reports as failed."""
    world.twilio.faults.add(Fault("delivery", "failed", code=code))
    await world.say("oi", sender, *([to] if to else []))
    await pass_(world, 0)
    assert (await states(world))[-1] == "failed"


async def test_an_opt_out_by_callback_counts(tmp_path: Path) -> None:
    """21610 comes later: the contact has left, and nothing is POSTed to it again."""
    async with opened(tmp_path) as world:
        made = posts(world)
        await _fails(world, 21610)
        await world.say("e aí?")
        await pass_(world, MINUTE / 1_000)

        assert made == [CUSTOMER]
        assert await world.column("SELECT opted_out_at IS NOT NULL FROM contacts") == [1]


async def test_a_suspended_account_by_callback_pauses_everything(tmp_path: Path) -> None:
    """30002: the next POST on any channel is a probe, one at a time."""
    async with opened(tmp_path) as world:
        made = posts(world)
        await _fails(world, 30002)
        await world.say("oi", NEIGHBOUR)
        await world.say("oi", ON_WHATSAPP, WHATSAPP)
        assert len(made) == 1
        assert (await states(world))[1:] in ([], ["ready"], ["ready", "ready"])

        await pass_(world, 1)

        assert len(made) == 3


async def test_a_channel_without_sender_by_callback_pauses_that_channel(tmp_path: Path) -> None:
    """63007: WhatsApp waits, SMS goes on."""
    async with opened(tmp_path) as world:
        made = posts(world)
        await _fails(world, 63007, ON_WHATSAPP, WHATSAPP)
        circuits = world.appliance.engine.circuits

        await world.say("oi", NEIGHBOUR)
        await world.settle()

        now = int(world.appliance.clock.monotonic() * 1_000)
        assert circuits.get("channel:2").open_until(now) is not None
        assert circuits.get("channel:1").open_until(now) is None
        assert made == [ON_WHATSAPP, NEIGHBOUR]


async def test_the_daily_limit_by_callback_pauses_the_account(tmp_path: Path) -> None:
    """63038: until five past midnight, like in a POST's answer."""
    async with opened(tmp_path, BEFORE_MIDNIGHT) as world:
        made = posts(world)
        await _fails(world, 63038, ON_WHATSAPP, WHATSAPP)
        await world.say("oi", NEIGHBOUR_THERE, WHATSAPP)
        await pass_(world, 1.08 * HOURS)
        assert made == [ON_WHATSAPP]

        await pass_(world, 0.01 * HOURS)

        assert made == [ON_WHATSAPP, NEIGHBOUR_THERE]


async def test_a_closed_window_by_callback_is_closed(tmp_path: Path) -> None:
    """63016, though by our clock it is open: no free answer before the customer's next word."""
    async with opened(tmp_path) as world:
        made = posts(world)
        await _fails(world, 63016, ON_WHATSAPP, WHATSAPP)
        assert await world.column("SELECT last_inbound_at FROM contacts") == [None]

        await world.say("e aí?", ON_WHATSAPP, WHATSAPP)
        await pass_(world, 1)

        assert made == [ON_WHATSAPP, ON_WHATSAPP]
        assert (await states(world))[-1] in ("delivered", "read")
