"""Who was promised a person is called to mind: once, at a moment that helps, and when the time for an answer is over."""

from pathlib import Path

import pytest

from appliance.model import HOUR, MINUTE
from appliance.watch.reminders import moment
from tests.support.api_client import api_of
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World

DAY = 24 * HOUR
NOON = 1_800_025_200_000  # in São Paulo
MIDNIGHT = NOON - 12 * HOUR
ZONE = "America/Sao_Paulo"
ON_WHATSAPP = f"whatsapp:{CUSTOMER}"


def at(hours: float) -> int:
    """Hours since the midnight of that day in São Paulo."""
    return MIDNIGHT + int(hours * HOUR)


# opened, WhatsApp's window ends, called to mind; all in hours
TABLE = [
    (8, None, 9),
    (12, None, 13),
    (19.9, None, 20.9),
    (20, None, 33),  # nine in the morning
    (23.5, None, 33),
    (2, None, 9),
    (7.9, None, 9),
    (12, 36, 13),
    (12, 15.5, 12.5),  # three hours before the end
    (12, 14, 12),  # at once: less is left than that
    (22, 34, 31),  # before the morning, or it would be too late for most of it
    (22, 46, 33),
]


@pytest.mark.parametrize(("opened", "end", "expected"), TABLE)
def test_when_somebody_is_called_to_mind(opened: float, end: float | None, expected: float) -> None:
    """After an hour by day, at nine after a night, and while WhatsApp still takes an answer."""
    assert moment(at(opened), ZONE, None if end is None else at(end)) == at(expected)


@pytest.mark.parametrize(("end", "expected"), [(None, 56), (80, 56), (43, 40), (24, 22)])
def test_who_is_due_at_opening_is_called_to_mind_then(end: float | None, expected: float) -> None:
    """Opened at 22:00 for two days later at 8:00; earlier only where WhatsApp's window ends before that."""
    assert moment(at(22), ZONE, None if end is None else at(end), at(56)) == at(expected)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Pacific/Kiritimati"])
def test_the_night_is_the_organizations(zone: str) -> None:
    """It is noon in São Paulo and night where they are: nine o'clock there, and within a day."""
    found = moment(NOON, zone, None)

    assert HOUR < found - NOON < DAY


async def sleep(world: World, milliseconds: int) -> None:
    """Time passes, and the watch looks afterwards."""

    async def nothing() -> None: ...

    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(milliseconds / 1000, nothing)
    await world.clock.advance(15, world.settle)


async def reminders(world: World) -> list[int]:
    return await world.column("SELECT reminders FROM cards WHERE kind = 'waiting' ORDER BY id")


def patient(directory: Path, now: int = NOON) -> World:
    """Nobody is handed back by the time alone."""
    long = {"human_for": 7 * DAY, "reply_delay": 0, "reply_delay_max": 0}
    return World(directory, clock=ManualClock(now), language="en", conversations=long)


async def test_on_sms_once(tmp_path: Path) -> None:
    """An hour later, and never again, as an SMS may be answered at any time."""
    async with patient(tmp_path) as world:
        await world.say("ATENDENTE")
        await world.settle()
        await sleep(world, 50 * MINUTE)
        assert await reminders(world) == [0]
        await sleep(world, 15 * MINUTE)
        assert await reminders(world) == [1]

        await sleep(world, 40 * HOUR)

        assert await reminders(world) == [1]
        assert (await world.told())[0].startswith("…7777 waits for a person.")


async def test_on_whatsapp_again_when_the_window_has_closed(tmp_path: Path) -> None:
    """In other words, as a free answer is not possible any more; once."""
    async with patient(tmp_path) as world:
        await world.say("ATENDENTE", ON_WHATSAPP, WHATSAPP)
        await world.settle()
        await sleep(world, 65 * MINUTE)
        assert await reminders(world) == [1]
        await sleep(world, 23 * HOUR)
        assert await reminders(world) == [2]
        assert (await world.told())[0].startswith(
            "whatsapp:…7777 still waits, and WhatsApp's 24 hours are over. The customer asks for a person"
        )

        await sleep(world, 24 * HOUR)

        assert await reminders(world) == [2]


async def test_who_writes_again_opens_the_window_again(tmp_path: Path) -> None:
    """The 24 hours count from the last message: the card says that the customer wrote again, not that it is too late."""
    async with patient(tmp_path) as world:
        await world.say("ATENDENTE", ON_WHATSAPP, WHATSAPP)
        await world.settle()
        await sleep(world, 25 * HOUR)
        assert "24 hours are over" in (await world.told())[0]

        await world.say("Oi?", ON_WHATSAPP, WHATSAPP)
        await world.settle()

        told = (await world.told())[0]
        assert "24 hours are over" not in told
        assert "The customer wrote again" in told


async def test_who_was_answered_is_not_called_to_mind(tmp_path: Path) -> None:
    """A person answered after half an hour: the card is closed."""
    async with patient(tmp_path) as world, api_of(world) as api:
        await world.say("ATENDENTE")
        await world.settle()
        await sleep(world, 30 * MINUTE)
        await api.post("messages", {"from": SMS, "to": CUSTOMER, "body": "Aqui é a Ana."})
        await world.settle()
        await sleep(world, 2 * HOUR)

        assert await reminders(world) == [0]
        assert await world.cards() == []
