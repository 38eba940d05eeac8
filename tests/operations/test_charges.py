"""Segments and prices, as Twilio reports them: at once, later, or never."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from appliance.model import HOUR, SECOND, JobKind
from appliance.operations.charges import Charge, charges
from appliance.simulator import Fault
from tests.support.world import SMS, WHATSAPP, ManualClock, World

SENTENCE = "Abrimos das 7h às 19h, de segunda a sábado, e aos domingos até o meio-dia, com pão quente. "


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Twilio never calls back, so that it is asked later."""
    async with World(tmp_path, clock=ManualClock()) as world:
        world.twilio.faults.add(Fault("callback", "lost", times=None))
        await world.teach("Horário", SENTENCE * 3)
        yield world


async def _charges(world: World, since: int = 0, organization_id: int = 1) -> dict[str, Charge]:
    assert world.clock is not None
    until = world.clock.now() + 1
    return await world.appliance.store.read(lambda tx: charges(tx, organization_id, since, until))


async def _asked(world: World, hours: int) -> None:
    clock = world.clock
    assert isinstance(clock, ManualClock)
    await clock.advance(hours * HOUR / SECOND, world.settle)
    await world.appliance.engine.schedule.tick(JobKind.FOLLOW_UP)
    await world.settle()


async def test_segments_at_once_and_prices_later(world: World) -> None:
    """By the kind of channel; what Twilio has not priced yet is counted as such, sums are exact."""
    began = world.appliance.clock.now()
    await world.say("Horário?")
    await world.say("Horário?", "whatsapp:+5511988887777", WHATSAPP)
    await world.settle()
    at_once = await _charges(world)
    await _asked(world, 5)

    assert at_once["sms"].unpriced == at_once["whatsapp"].unpriced == 1
    assert at_once["sms"].prices == {}
    assert await _charges(world) == {
        "sms": Charge(1, at_once["sms"].segments, {"USD": at_once["sms"].segments * Decimal("0.00750")}),
        "whatsapp": Charge(1, at_once["whatsapp"].segments, {"USD": Decimal("0.00500")}),
    }
    assert at_once["sms"].segments > 1
    assert await _charges(world, began + HOUR) == {}
    assert await _charges(world, organization_id=2) == {}


async def test_what_is_told_once_stays(world: World) -> None:
    """A later word of Twilio's that lacks the price takes nothing back."""
    await world.say("Horário?")
    await world.settle()
    await _asked(world, 5)
    sid = (await world.column("SELECT sid FROM outbox"))[0]
    await world.appliance.store.write(lambda tx: tx.outbox.charged(1, sid, 0))

    found = (await world.rows("SELECT segments, price, price_unit FROM outbox"))[0]
    assert found["segments"] > 1
    assert Decimal(found["price"]) == found["segments"] * Decimal("-0.00750")
    assert found["price_unit"] == "USD"


async def test_a_service_counts_later(world: World) -> None:
    """Through a Messaging Service the POST's answer has no segments yet: they come with the price."""
    world.twilio.null_from = True
    await world.say("Horário?", "+5511988887777", SMS)
    await world.settle()
    before = await _charges(world)
    for entry in world.twilio.ledger:
        world.twilio.ledger.record(msgspec.structs.replace(entry, service=""))
    await _asked(world, 5)

    assert before == {"sms": Charge(1, 0, {}, unpriced=1)}
    assert (await _charges(world))["sms"].segments > 1
