"""What needs the owner is posted to where the owner reads: each card once, in words, and nothing of a customer's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Secret
from appliance.model import MINUTE
from appliance.notices.catalogue import CATALOGUE
from appliance.simulator import Fault
from tests.support.fake_ai import CANARY
from tests.support.listener import PATH, Listener
from tests.support.world import CUSTOMER, SMS, ManualClock, World

NOON = 1_800_025_200_000  # in São Paulo
ON_WHATSAPP = f"whatsapp:{CUSTOMER}"
NOBODYS = "+551140009999"


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with Listener() as running:
        yield running


def told_at(listener: Listener | None, directory: Path, **more: Any) -> World:
    alerts = {"url": Secret(listener.url)} if listener else {}
    return World(directory, clock=ManualClock(NOON), language="en", alerts=alerts, **more)


async def pass_(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def test_a_card_is_posted_once_in_words(tmp_path: Path, listener: Listener) -> None:
    """Title, priority and tags stand in ntfy's headers; what happened, what happens and what to do in the body. The
    same card once more, and time, are no other alert.
    """
    async with told_at(listener, tmp_path) as world:
        await world.twilio.receive(CUSTOMER, NOBODYS, "Oi")
        await pass_(world, 30)
        await world.twilio.receive(CUSTOMER, NOBODYS, "Oi de novo")
        await pass_(world, 20)

        (heard,) = listener.heard
        assert (heard.method, heard.title, heard.priority, heard.tags) == ("POST", "Unknown number", "2", "mag")
        assert heard.content_type == "text/plain; charset=utf-8"
        assert heard.body.splitlines() == [
            "Somebody wrote to …9999, which belongs to nobody here.",
            CATALOGUE["orphan"].itself,
            CATALOGUE["orphan"].todo,
        ]


async def test_nothing_of_a_customer_is_in_it(tmp_path: Path, listener: Listener) -> None:
    """Who asked for a person is told by the end of the number alone: no words, no number, no name."""
    async with told_at(listener, tmp_path) as world:
        await world.say(f"ATENDENTE {CANARY}", extra={"ProfileName": "Maria Canary"})
        await world.say("ATENDENTE", extra={"ProfileName": "Maria Canary"})
        await pass_(world, 30)

        (heard,) = listener.heard
        assert heard.title == "…7777 waits for a person"
        assert heard.priority == "4"
        shown = str(heard)
        assert not [word for word in (CANARY, CUSTOMER, CUSTOMER[1:], "Maria", SMS) if word in shown]


@pytest.mark.parametrize("trouble", ["cut", "503", "302"])
async def test_it_is_tried_until_it_is_taken(
    tmp_path: Path, listener: Listener, trouble: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody listens, it fails, it leads elsewhere: taken once afterwards. The log says so once, without the address."""
    async with told_at(listener, tmp_path) as world:
        if trouble == "cut":
            await listener.line.cut()
        else:
            listener.status = int(trouble)
        await world.twilio.receive(CUSTOMER, NOBODYS, "Oi")
        await pass_(world, 5 * 60)
        assert await world.column("SELECT alerted_at FROM cards WHERE kind = 'orphan'") == [None]
        listener.heard.clear()
        if trouble == "cut":
            await listener.line.mend()
        listener.status = 200
        await pass_(world, 5 * 60)

        assert [heard.title for heard in listener.heard].count("Unknown number") == 1
        assert listener.elsewhere == 0
    written = "".join(capfd.readouterr())
    told = [line for line in written.splitlines() if "alert was not taken" in line and "[debug" not in line]
    assert len(told) == 1
    assert PATH not in written


async def test_who_waits_for_a_person_is_called_to_mind(tmp_path: Path, listener: Listener) -> None:
    """After an hour by day, once, and marked as what it is."""
    async with told_at(listener, tmp_path) as world:
        await world.teach("Hours", "From 7 to 19.")
        await world.say("ATENDENTE")
        await pass_(world, 59 * 60)
        assert [heard.title for heard in listener.heard] == ["…7777 waits for a person"]
        await pass_(world, 30 * 60)

        assert [heard.title for heard in listener.heard] == ["…7777 waits for a person", "⏰ …7777 waits for a person"]


async def test_a_doubt_that_settles_itself_is_never_told(tmp_path: Path, listener: Listener) -> None:
    """The POST's answer was lost, the log has the message: a card for some minutes, and no alert."""
    async with told_at(listener, tmp_path) as world:
        await world.teach("Hours", "From 7 to 19.")
        world.twilio.faults.add(Fault("create", "reset", accepted=True), Fault("callback", "lost", times=None))
        await world.say("Hours?")
        await pass_(world, 30)
        assert await world.cards() == ["doubt"]
        await pass_(world, 20 * 60)

        assert await world.cards() == []
        assert [heard for heard in listener.heard if "sure" in heard.title] == []


async def test_a_doubt_that_stays_is_told(tmp_path: Path, listener: Listener) -> None:
    """Nobody may send it again: it waits for the owner, who hears of it."""
    parks = {"on_doubt": "park", "doubt_grace": MINUTE}
    async with told_at(listener, tmp_path, twilio=parks) as world:
        await world.teach("Hours", "From 7 to 19.")
        world.twilio.faults.add(Fault("create", "reset"))
        await world.say("Hours?")
        await pass_(world, 20 * 60)

        assert [heard.title for heard in listener.heard if "…7777" in heard.title] == [
            "Nobody knows whether the answer to …7777 arrived"
        ]


async def test_without_an_address_nothing_is_made_of_it(tmp_path: Path) -> None:
    """No job, ever."""
    async with told_at(None, tmp_path) as world:
        await world.twilio.receive(CUSTOMER, NOBODYS, "Oi")
        await pass_(world, 60)

        assert await world.cards() == ["orphan"]
        assert await world.column("SELECT count(*) FROM message_queue WHERE kind = 'alert'") == [0]


async def test_an_alert_survives_a_restart(tmp_path: Path, listener: Listener) -> None:
    """What could not be told before the process ended is told by the next one, and what was told is not told again."""
    async with told_at(listener, tmp_path) as world:
        await world.twilio.receive(CUSTOMER, NOBODYS, "Oi")
        await pass_(world, 30)
        await listener.line.cut()
        await world.say("ATENDENTE")
        await pass_(world, 30)
        await world.crash()
        await listener.line.mend()
        await world.start()
        await pass_(world, 6 * 60)

        titles = [heard.title for heard in listener.heard]
        assert titles.count("Unknown number") == 1
        assert titles.count("…7777 waits for a person") == 1
