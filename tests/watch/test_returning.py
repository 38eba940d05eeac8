"""What comes and goes is told once, one alert that is refused holds up no other, and an update calls nobody to mind."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Secret
from appliance.model import HOUR
from appliance.store import Tx, cards
from appliance.store.cards import CardKind
from tests.support.api_client import api_of
from tests.support.fake_ai import FakeAi, echo
from tests.support.listener import Listener
from tests.support.world import CUSTOMER, ManualClock, World

NOON = 1_800_025_200_000  # in São Paulo
WRONG_KEY = (401, {"error": {"message": "Invalid API key", "type": "invalid_request_error"}})


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with Listener() as running:
        yield running


def told_at(listener: Listener, directory: Path, **more: Any) -> World:
    return World(directory, clock=ManualClock(NOON), language="en", alerts={"url": Secret(listener.url)}, **more)


async def pass_(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def test_what_comes_and_goes_is_told_once_in_half_an_hour(tmp_path: Path, listener: Listener) -> None:
    """The provider refuses every other customer: its card opens and closes each time, and the owner hears of it once.
    Half an hour later it is news again.
    """
    model = FakeAi()
    async with told_at(listener, tmp_path, model=model) as world:
        for number in range(8):
            model.answer = (lambda _: WRONG_KEY) if number % 2 else echo
            await world.say("Oi", f"+551199000000{number}")
            await pass_(world, 60)
        titles = [heard.title for heard in listener.heard]
        assert len(await world.rows("SELECT id FROM cards WHERE kind = 'ai'")) > 1
        assert titles.count("The AI provider answers nobody") == 1
        assert titles.count("Customers without an answer") == 1

        await pass_(world, 30 * 60)
        model.answer = lambda _: WRONG_KEY
        await world.say("Oi", "+5511990000009")
        await pass_(world, 60)
        assert [heard.title for heard in listener.heard].count("The AI provider answers nobody") == 2


async def test_what_is_refused_holds_up_no_other(tmp_path: Path, listener: Listener) -> None:
    """The server takes no long words: the title alone is sent instead, and the next card is told as ever."""
    listener.most = 1_000
    async with told_at(listener, tmp_path) as world:
        await world.appliance.store.write(
            lambda tx: tx.cards.open(CardKind.NOT_SENT, cards.reply(99), who="…1111", why="x" * 2_000)
        )
        await world.say("ATENDENTE")
        await pass_(world, 60)

        told = [(heard.title, heard.body) for heard in listener.heard if len(heard.body) <= listener.most]
        assert ("not_sent", "An answer to …1111 was not sent") in told
        assert "…7777 waits for a person" in [title for title, _ in told]


async def test_no_title_breaks_a_header(tmp_path: Path, listener: Listener) -> None:
    """A line's end and a sign that steers a terminal become spaces."""
    async with told_at(listener, tmp_path) as world:
        await world.appliance.store.write(
            lambda tx: tx.cards.open(CardKind.NOT_SENT, cards.reply(99), who="a\r\nb\x1b[2J", why="it waited too long")
        )
        await pass_(world, 30)

        assert [heard.title for heard in listener.heard] == ["An answer to a  b [2J was not sent"]


async def test_the_gravest_is_told_first(tmp_path: Path, listener: Listener) -> None:
    """Many customers wait for a person when the account is shut: that comes before all of them."""
    async with told_at(listener, tmp_path) as world:
        await listener.line.cut()
        for number in range(30):
            await world.say("ATENDENTE", f"+55119900000{number:02d}")
        await pass_(world, 30)
        world.twilio.revoked = True
        await world.say("Oi", CUSTOMER)
        await pass_(world, 30)
        await listener.line.mend()
        await pass_(world, 6 * 60)

        assert listener.heard[0].title == "Twilio refuses our credentials"


async def test_an_update_calls_nobody_to_mind(tmp_path: Path, listener: Listener) -> None:
    """Cards from before there were reminders, of people who waited long ago: shown as they are, and no alert for each."""
    async with told_at(listener, tmp_path) as world:
        await world.teach("Hours", "From 7 to 19.")
        for number in range(3):
            await world.say("ATENDENTE", f"whatsapp:+551199000000{number}")
        await pass_(world, 30)
        await world.appliance.store.write(
            lambda tx: tx.sql.run(
                "UPDATE cards SET text = 'A customer waits.', facts = '{}', opened_at = opened_at - ?", 120 * HOUR
            )
        )
        await world.appliance.store.write(
            lambda tx: tx.sql.run("UPDATE contacts SET last_inbound_at = last_inbound_at - ?", 120 * HOUR)
        )
        listener.heard.clear()
        await world.stop()
        await world.start()
        await pass_(world, 2 * 60 * 60)

        assert listener.heard == []


async def test_an_account_that_is_gone_leaves_no_card(tmp_path: Path, listener: Listener) -> None:
    """It was taken out of the configuration while its trouble lasted: nothing would ever end that card."""
    async with told_at(listener, tmp_path) as world:
        await world.appliance.store.write(lambda tx: tx.cards.open(CardKind.LOG, cards.log_of("gone"), account="gone"))
        await world.stop()
        await world.start()

        assert "log" not in await world.cards()


async def test_a_silent_provider_is_told_in_words(tmp_path: Path, listener: Listener) -> None:
    """Its name is not found, and it is left alone for a while: the card says so, and not a host's name alone."""
    ai = {"provider": "llm", "base_url": "http://model.invalid/v1", "model": "x", "api_key": Secret("k")}
    async with told_at(listener, tmp_path, ai=ai) as world, api_of(world) as api:
        for number in range(8):
            await world.say("Oi", f"+551199000000{number}")
            await pass_(world, 30)
        texts = [card["text"] for card in (await api.get("cards"))["cards"] if card["kind"] == "ai"]

        assert [text.partition(": ")[2] for text in texts] == ["the name was not found (model.invalid)."]


async def test_a_clock_that_is_set_back_hides_nothing(tmp_path: Path, listener: Listener) -> None:
    """The line is cut, and the clock goes back by two hours before anybody was told: told soon all the same."""
    async with told_at(listener, tmp_path) as world:
        await pass_(world, 30)
        await world.twilio_line.cut()
        await world.say("Oi")
        await pass_(world, 10)
        assert isinstance(world.clock, ManualClock)
        world.clock.jump(-2 * 60 * 60)
        await pass_(world, 90)
        assert "Twilio cannot be reached" in [heard.title for heard in listener.heard]

        await world.twilio_line.mend()
        await pass_(world, 90)
        assert "unreachable" not in await world.cards()


async def test_doubts_that_are_told_to_nobody_yet_hide_nothing(tmp_path: Path, listener: Listener) -> None:
    """Hundreds of sends are in doubt when the token is revoked: that is told at once."""
    async with told_at(listener, tmp_path) as world:

        def doubt(tx: Tx) -> None:
            for number in range(300):
                tx.cards.open(CardKind.DOUBT, cards.reply(1_000 + number), who="…1111", why="it waited too long")

        await world.appliance.store.write(doubt)
        world.twilio.revoked = True
        await world.say("Oi")
        await pass_(world, 45)

        assert "Twilio refuses our credentials" in [heard.title for heard in listener.heard]
